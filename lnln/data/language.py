"""The language encoder of a model: a BERT, frozen or fine-tuned along with the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

if TYPE_CHECKING:  # imported where it is used: it takes longer than torch
    from transformers import PreTrainedModel


# Kinds of model, by transformers' names, that a checkpoint may bring. All are made by transformers'
# own code from sizes alone; others name further models, which would be fetched.
ENCODERS = (
    *("albert", "bert", "camembert", "deberta-v2", "distilbert", "electra", "ernie", "modernbert"),
    *("mpnet", "roberta", "xlm-roberta"),
)
MAX_SIZE = 1 << 20  # of any number in a config
# What a config may say about code that computes the model. "owner/name" as `attn_implementation` is
# a kernel that transformers fetches and runs. Nothing here changes weights.
OF_CODE = frozenset(
    {
        *("attn_implementation", "_attn_implementation", "_attn_implementation_internal"),
        *("experts_implementation", "_experts_implementation", "_experts_implementation_internal"),
        *("auto_map", "trust_remote_code", "custom_pipelines", "quantization_config"),
        *("chunk_size_feed_forward", "output_attentions", "output_hidden_states"),
        *("return_dict", "use_return_dict", "use_cache"),
        *("sinusoidal_pos_embds", "torchscript", "dtype", "torch_dtype", "_name_or_path"),
    }
)
HEAD = "head.safetensors"  # beside the weights of an encoder that was tuned on rated sentences


class RatingHead(NamedTuple):
    """A linear reading of the mean hidden state of a sentence's words, see `lnln.tuning`.

    Attributes
    ----------
    weight : Tensor, [D]
    bias : float
    """

    weight: Tensor
    bias: float

    def within(self, low: float, high: float) -> RatingHead:
        """Return the head for labels of another range than -1 to 1."""
        half = (high - low) / 2
        return RatingHead(half * self.weight, half * self.bias + low + half)


class LanguageEncoder(nn.Module):
    """A BERT that is fine-tuned: it trains with LNLN and keeps its own dropout.

    Parameters
    ----------
    model : PreTrainedModel
        Any encoder whose forward pass takes `input_ids` and `attention_mask`.

    Attributes
    ----------
    head : RatingHead or None
        Of an encoder that was tuned on rated sentences; its ratings are from -1 to 1.
    """

    head: RatingHead | None = None

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
        from transformers import AutoConfig, AutoModel

        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        config = AutoConfig.from_pretrained(folder, **local)
        config._attn_implementation = None  # it can name code that would be fetched, see `OF_CODE`
        with _no_bar():  # it takes half a second
            encoder = cls(
                AutoModel.from_pretrained(
                    folder, config=config, use_safetensors=True, dtype=torch.float32, **local
                )
            )
        if (folder / HEAD).is_file():
            head = load_file(folder / HEAD)
            encoder.head = RatingHead(head["weight"], float(head["bias"]))
        return encoder

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Build the model a saved `config` describes, with weights yet to be loaded.

        Raises
        ------
        ValueError
            If the config does not name a `model_type` of `ENCODERS`, or has a size beyond any
            such model.
        """
        from transformers import AutoConfig, AutoModel

        settings = {name: value for name, value in config.items() if name not in OF_CODE}
        kind = settings.pop("model_type", None)
        if kind not in ENCODERS:
            raise ValueError(
                f"model_type={str(kind)[:50]!r} is no language model that is fine-tuned here: give "
                f"the content of its config.json, of one of {', '.join(ENCODERS)}"
            )
        for name, value in settings.items():
            if isinstance(value, (int, float)) and not abs(value) <= MAX_SIZE:
                raise ValueError(f"{name} is beyond {MAX_SIZE}")
        _check_types(settings, AutoConfig.for_model(kind).to_dict())
        described = AutoConfig.for_model(kind, **settings)
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
            A lost token is `[UNK]`, or `[PAD]` where lost words are left out, see
            `FeatureInfo.lost_id`.
        mask : Tensor, [B, L] bool
            False for padding, which no token attends to.

        Returns
        -------
        Tensor, [B, L, width]
            Zeros for tokens that were left out.
        """
        attended = self.attended(token_ids, mask)
        inputs = {"input_ids": token_ids, "attention_mask": attended.long()}
        if self.model.config.model_type == "mpnet":
            # It would count positions without the tokens that are left out; BERT does not.
            first = self.model.config.pad_token_id + 1
            places = torch.arange(first, first + token_ids.shape[1], device=token_ids.device)
            inputs["position_ids"] = places.expand_as(token_ids)
        states: Tensor = self.model(**inputs).last_hidden_state
        return states.masked_fill((mask & ~attended)[..., None], 0)

    def attended(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Say which tokens others attend to: not padding, nor lost ones that are left out."""
        return mask & (token_ids != self.model.config.pad_token_id)


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


def _check_types(settings: dict[str, Any], usual: dict[str, Any]) -> None:
    """Raise ValueError for a value of another type than is usual: some fail only in a pass."""
    for name, value in settings.items():
        kind = type(usual.get(name))
        if kind is type(None) or (value is None and name.endswith("_token_id")):
            continue
        fits = type(value) in ((int, float) if kind is float else (kind,))
        if not fits:
            raise ValueError(f"{name} is a {type(value).__name__}, not a {kind.__name__}")


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
