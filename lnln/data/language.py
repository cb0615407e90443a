"""The language encoder of a model: a BERT, frozen or fine-tuned along with the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

if TYPE_CHECKING:  # imported where it is used: it takes longer than torch
    from transformers import PreTrainedModel


class LanguageEncoder(nn.Module):
    """A BERT that is fine-tuned: it trains with LNLN and keeps its own dropout.

    Parameters
    ----------
    model : PreTrainedModel
        Any encoder whose forward pass takes `input_ids` and `attention_mask`.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        if hasattr(model, "pooler"):
            model.add_module("pooler", None)  # LNLN reads hidden states; this would get no gradient
        self.model = model

    @classmethod
    def from_folder(cls, folder: Path | str) -> Self:
        """Load a model in the Hugging Face layout; nothing is fetched.

        Parameters
        ----------
        folder : Path or str
            Holds `config.json` and `model.safetensors`.

        Raises
        ------
        FileNotFoundError
            If one of the two is not there.
        """
        folder = Path(folder)
        for name in ("config.json", "model.safetensors"):
            if not (folder / name).is_file():
                raise FileNotFoundError(
                    f"{folder / name} is not there: give the folder of a language model in the "
                    "Hugging Face layout, with config.json and model.safetensors"
                )
        from transformers import AutoModel

        with _no_bar():  # it takes half a second
            return cls(
                AutoModel.from_pretrained(
                    folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
                )
            )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Build the model a saved `config` describes, with weights yet to be loaded.

        Raises
        ------
        ValueError
            If the config does not name a `model_type` that transformers knows.
        """
        from transformers import AutoConfig, AutoModel

        settings = dict(config)
        try:
            described = AutoConfig.for_model(settings.pop("model_type", ""), **settings)
        except ValueError as error:
            raise ValueError(
                f"model_type={config.get('model_type')!r} is no language model that transformers "
                "knows: give the content of the model's config.json"
            ) from error
        return cls(AutoModel.from_config(described, dtype=torch.float32))

    @property
    def config(self) -> dict[str, Any]:
        """What `from_config` builds the same model from; plain JSON values."""
        config = self.model.config.to_dict()
        config.pop("_name_or_path", None)  # where the folder was is nobody's business
        return config

    @property
    def width(self) -> int:
        """Width of a hidden state."""
        return self.model.config.hidden_size

    def forward(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Encode sentences.

        Parameters
        ----------
        token_ids : Tensor, [B, L] int64
            A missing token is `[UNK]`, padding is `[PAD]`.
        mask : Tensor, [B, L] bool
            False for padding, which no token attends to.

        Returns
        -------
        Tensor, [B, L, width]
        """
        return self.model(input_ids=token_ids, attention_mask=mask.long()).last_hidden_state


class FrozenLanguageEncoder(LanguageEncoder):
    """A BERT that stays as it is: no gradient, and no dropout while LNLN trains."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__(model)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, whatever mode the network around it goes into."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Encode sentences; see `LanguageEncoder.forward`."""
        return super().forward(token_ids, mask)


@contextmanager
def _no_bar() -> Iterator[None]:
    """Keep Transformers' progress bar to itself, and leave its setting as it was."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
