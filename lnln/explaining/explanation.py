"""What is said of an answer: what each part of a clip contributed to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A word, or a stretch of voice or face.

    Attributes
    ----------
    text : str
        The word; empty of voice and face.
    start_s, end_s : float or None
        When, s from the beginning of the clip; None where that is not known.
    observed : bool
        Whether the model read anything there: False of a stretch of silence, and of a word beyond
        what the model reads.
    contribution : float
        Answer with it minus answer without it, in units of the label; 0 where nothing was observed.
    """

    text: str
    start_s: float | None
    end_s: float | None
    observed: bool
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """What moved the answer to one clip.

    Attributes
    ----------
    score : float
        What the model answers, before it is limited to the range of labels.
    nothing : float
        What it would answer if nothing was observed.
    modalities : dict of str to float
        Contribution of text, audio and vision as a whole: Shapley values, so that `nothing` and the
        three add up to `score`.
    words, audio, vision : tuple of Part
        Each taken away alone, in the order of time. They need not add up to the contribution of
        their modality: of two words that say the same, either can be spared. Empty where times
        of voice or face are not known.
    """

    score: float
    nothing: float
    modalities: dict[str, float]
    words: tuple[Part, ...]
    audio: tuple[Part, ...]
    vision: tuple[Part, ...]

    def strongest_words(self, most: int = 3) -> list[Part]:
        """Return the words that moved the answer most, the strongest first."""
        return strongest(self.words, most)


def strongest(parts: Iterable[Part], most: int) -> list[Part]:
    """Return the parts that moved the answer most, the strongest first; none that did not."""
    moving = [part for part in parts if part.contribution]
    return sorted(moving, key=lambda part: -abs(part.contribution))[:most]
