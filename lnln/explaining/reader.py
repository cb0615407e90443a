"""What reads a clip's words as the text features do: a language encoder and its tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lnln.data.language import FrozenLanguageEncoder

if TYPE_CHECKING:  # imported where it is used: it takes longer than torch
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Reader:
    """The encoder that the text features were made with, to encode sentences that lost a word.

    Attributes
    ----------
    encoder : FrozenLanguageEncoder
    tokenizer : PreTrainedTokenizerBase
    """

    encoder: FrozenLanguageEncoder
    tokenizer: PreTrainedTokenizerBase

    @classmethod
    def from_folder(cls, folder: Path | str) -> Self:
        """Load both from a folder in the Hugging Face layout; nothing is fetched.

        Parameters
        ----------
        folder : Path or str
            Of the text model named in the settings of the features, such as
            `extractors.assets.resolving.resolve` finds it.

        Raises
        ------
        FileNotFoundError
            If there is no language model in the folder.
        """
        encoder = FrozenLanguageEncoder.from_folder(folder)
        from transformers import AutoTokenizer

        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        return cls(encoder, AutoTokenizer.from_pretrained(str(folder), use_fast=True, **local))
