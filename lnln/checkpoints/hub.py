"""Where a trained model is: a folder, or an id on the Hugging Face hub."""

from __future__ import annotations

import re
from pathlib import Path

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
CARD = "README.md"

# owner/name. The hub has no owner called "models", the folder in which ours are.
_HUB_ID = re.compile(r"(?!models/)[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def find(source: Path | str, *, revision: str | None = None, offline: bool = False) -> Path:
    """Return the folder of a trained model, fetching it from the hub if need be and allowed.

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
