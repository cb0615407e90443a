"""Text features: word pieces and their hidden states in a language encoder."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extractors.settings import TextSettings
    from extractors.text.extractor import TextExtractor


# What decides the values, see `extractors.fingerprint`.
PACKAGES = ("torch", "transformers", "tokenizers")
SOURCES = ("extractors/text",)


def build(settings: "TextSettings") -> "TextExtractor":
    """Load the encoder; the model must be on this machine.

    Its libraries are imported now, so that a process that only hands this function to workers
    needs none of them.
    """
    from extractors.text.extractor import TextExtractor

    return TextExtractor(settings, offline=True)
