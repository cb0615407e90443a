"""Patterns of missing data, by name."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from contracts.schemas import MODALITIES, Modality
from lnln.missing import rules


class Pattern(NamedTuple):
    """How rows are lost at the missing rate r.

    Attributes
    ----------
    loses : str
        What is lost, in words.
    rule : callable
        Which rows a modality loses, see `lnln.missing.rules`.
    whole : tuple of str
        Modalities that are missing whole, whatever the rate.
    """

    loses: str
    rule: rules.Rule = rules.independent
    whole: tuple[Modality, ...] = ()


PatternName = Literal[
    "random",
    "unequal",
    "bursts",
    "block",
    "block_begin",
    "block_middle",
    "block_end",
    "synchronous",
    "no_text",
    "no_audio",
    "no_vision",
    "only_text",
    "only_audio",
    "only_vision",
    "natural",
]


def _no(modality: Modality) -> Pattern:
    return Pattern(
        f"all of {modality}, and each row of the others with probability r", whole=(modality,)
    )


def _only(modality: Modality) -> Pattern:
    others = tuple(m for m in MODALITIES if m != modality)
    return Pattern(
        f"all of {' and '.join(others)}, and each row of {modality} with probability r",
        whole=others,
    )


PATTERNS: dict[str, Pattern] = {
    "random": Pattern("each row with probability r"),
    "unequal": Pattern(
        "each row with a probability of its modality: three rates drawn per clip, whose mean is r",
        rules.unequal,
    ),
    "bursts": Pattern(
        "several short stretches, together the share r, each a tenth of the clip on average",
        rules.bursts,
    ),
    "block": Pattern("one stretch anywhere in the clip, the share r of it", rules.block(None)),
    "block_begin": Pattern("the beginning, the share r of the clip", rules.block(0.0)),
    "block_middle": Pattern("the middle, the share r of the clip", rules.block(0.5)),
    "block_end": Pattern("the end, the share r of the clip", rules.block(1.0)),
    "synchronous": Pattern(
        "the same half seconds in all three modalities, each with probability r",
        rules.synchronous,
    ),
    "no_text": _no("text"),
    "no_audio": _no("audio"),
    "no_vision": _no("vision"),
    "only_text": _only("text"),
    "only_audio": _only("audio"),
    "only_vision": _only("vision"),
    "natural": Pattern("nothing beyond what could not be observed, whatever r", rules.nothing),
}
ONLY: dict[Modality, PatternName] = {
    "text": "only_text",
    "audio": "only_audio",
    "vision": "only_vision",
}


class Condition(NamedTuple):
    """What was missing when a model was asked.

    Attributes
    ----------
    pattern : str
        A key of `PATTERNS`.
    rate : float
        Missing rate, 0 to 1.
    draw : int
        Of the masks.
    """

    pattern: str
    rate: float
    draw: int


def conditions(patterns: Sequence[str], rates: Sequence[float], draws: int) -> list[Condition]:
    """List every pattern at every rate, in as many draws; in one where they are all the same."""
    return [
        Condition(pattern, rate, draw)
        for pattern in patterns
        for rate in sorted(set(rates))
        for draw in range(1 if rate in (0, 1) or pattern == "natural" else draws)
    ]
