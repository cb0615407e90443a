"""Trained networks by folder or Hugging Face hub id, as `from_pretrained` takes them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lnln.checkpoints.checkpoint import Config
    from lnln.data.language import FrozenLanguageEncoder
    from lnln.models.lnln.network import LNLN

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
CARD = "README.md"

# owner/name. The hub has no owner called "models", the folder in which ours are.
_HUB_ID = re.compile(r"(?!models/)[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def find(source: Path | str, *, revision: str | None = None, offline: bool = False) -> Path:
    """Return the folder of a trained network, fetching it from the hub if need be and allowed.

    A folder that exists is taken as it is. Of the hub only `model.safetensors`, `config.json` and
    `README.md` are fetched: never a pickle, never code.

    Parameters
    ----------
    source : Path or str
        A folder, or the id of a model on the hub, `owner/name`.
    revision : str, optional
        Branch, tag or commit, on the hub alone.
    offline : bool
        Never fetch anything; what was fetched before is used. So does `HF_HUB_OFFLINE=1`.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, and no such model on the hub that may be fetched.
    """
    folder = Path(source)
    if folder.exists() or not _HUB_ID.fullmatch(str(source)):
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(
            snapshot_download(
                str(source),
                revision=revision,
                local_files_only=offline,
                allow_patterns=[WEIGHTS, CONFIG, CARD],
            )
        )
    except (OSError, HfHubHTTPError, HFValidationError) as error:
        why = str(error).strip() or type(error).__name__
        reason = "not fetched before, and offline" if offline else why.splitlines()[0]
        raise FileNotFoundError(
            f"{source} is no folder here, and no model of that id came from the Hugging Face hub "
            f"({reason}): train a model first (dvc repro), or give the folder or the id of one"
        ) from error


class Pretrained:
    """What `LNLN` has in the manner of Hugging Face: `from_pretrained` and `save_pretrained`.

    Attributes
    ----------
    config : Config or None
        What the network was trained on; None before it comes from a checkpoint.
    """

    config: Config | None = None

    @classmethod
    def from_pretrained(
        cls,
        source: Path | str,
        *,
        language: FrozenLanguageEncoder | None = None,
        revision: str | None = None,
        offline: bool = False,
    ) -> LNLN:
        """Load a trained network, in evaluation mode and on the GPU, if there is one.

        `lnln.load` gives it together with what `lnln.predict` needs.

        Parameters
        ----------
        source : Path or str
            A folder, or the id of a model on the Hugging Face hub, `owner/name`.
        language : FrozenLanguageEncoder, optional
            Only the variant `official` with a frozen encoder needs it.
        revision : str, optional
            Branch, tag or commit, on the hub alone.
        offline : bool
            Never fetch anything.

        Raises
        ------
        FileNotFoundError
            If there is no such model.
        CheckpointError
            If it is damaged, or its weights are not those of the network in its config.
        """
        from lnln.checkpoints.checkpoint import load

        return load(source, language, revision=revision, offline=offline).model

    def save_pretrained(self, folder: Path | str) -> None:
        """Write the network as `from_pretrained` reads it: weights, config and model card.

        Raises
        ------
        ValueError
            If the network did not come from a checkpoint, so that nothing is known of its data.
        """
        from lnln.checkpoints.checkpoint import Checkpoint, save

        if self.config is None:
            raise ValueError(
                "nothing is known of what this network was trained on: call "
                "lnln.checkpoints.checkpoint.save(folder, Checkpoint(model, Config(...)))"
            )
        save(Path(folder), Checkpoint(cast("LNLN", self), self.config))
