"""Patterns of missing data, by name."""

from typing import Literal, NamedTuple

from contracts.schemas import MODALITIES, Modality


class Pattern(NamedTuple):
    """How rows are lost.

    Attributes
    ----------
    whole : tuple of str
        Modalities that are missing whole; the others lose rows at the missing rate.
    rows : {"independent", "stretch"}
        Rows are lost one by one, or as one stretch of the clip.
    """

    whole: tuple[Modality, ...] = ()
    rows: Literal["independent", "stretch"] = "independent"


def _all_but(modality: Modality) -> tuple[Modality, ...]:
    return tuple(m for m in MODALITIES if m != modality)


PatternName = Literal[
    "random",
    "block",
    "no_text",
    "no_audio",
    "no_vision",
    "only_text",
    "only_audio",
    "only_vision",
]
PATTERNS: dict[PatternName, Pattern] = {
    "random": Pattern(),
    "block": Pattern(rows="stretch"),
    "no_text": Pattern(whole=("text",)),
    "no_audio": Pattern(whole=("audio",)),
    "no_vision": Pattern(whole=("vision",)),
    "only_text": Pattern(whole=_all_but("text")),
    "only_audio": Pattern(whole=_all_but("audio")),
    "only_vision": Pattern(whole=_all_but("vision")),
}
ONLY: dict[Modality, PatternName] = {
    "text": "only_text",
    "audio": "only_audio",
    "vision": "only_vision",
}
