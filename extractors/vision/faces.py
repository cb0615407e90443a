"""Which of the people in a clip its features are of."""

from typing import NamedTuple

import numpy as np

from extractors.media.clip import Clip
from extractors.vision.speaking import agreement, loudness
from extractors.vision.tracks import Track

# How far the right mouth must be ahead, times the root of the seconds. Of two people who both talk
# for 3 s, one of them unheard, the wrong one is this far ahead in 3 % of the pairs from GRID (all
# in one rhythm: the right one is in 29 %) and in none from the bundled corpus (in 96 %).
_CHANCE = 0.4


class Face(NamedTuple):
    """Whom the features are of, and how sure that is.

    `chosen_by` is "only" (one person; confidence 1), "speech" (the mouth that moves with the
    sound; confidence: by how much it agrees better than the next, on the scale of a correlation),
    "size" (the largest and most central; confidence: by which share it is so more than the next)
    or "none" (no face; confidence 0). A confidence is no probability.
    """

    chosen_by: str
    confidence: float
    faces: int  # people followed, without passers-by


def choose(people: list[Track], step_s: float, clip: Clip) -> tuple[Track | None, Face]:
    """The person whom a clip is about.

    The sound is decoded only where there is a choice. The mouth that agrees best with it is
    believed where it is ahead of each other by 0.4 / sqrt(s), s being the seconds for which both
    were seen.

    Parameters
    ----------
    people : list of Track
        Everybody but passers-by.
    step_s : float
        Time between rows, s.
    clip : Clip

    Raises
    ------
    MediaError
        The file cannot be opened.
    """
    if not people:
        return None, Face("none", 0.0, 0)
    if len(people) == 1:
        return people[0], Face("only", 1.0, 1)
    level = loudness(clip)
    agree = np.array([agreement(_array(p.rows) * step_s, _array(p.mouth), level) for p in people])
    seconds = np.array([len(p) * step_s for p in people])
    best = int(np.argmax(agree))
    ahead = np.delete(agree[best] - agree, best)
    needed = np.delete(_CHANCE / np.sqrt(np.minimum(seconds, seconds[best])), best)
    if (ahead >= needed).all():
        return people[best], Face("speech", float(ahead.min()), len(people))
    weights = np.array([person.weight for person in people])
    largest = int(np.argmax(weights))
    second = float(np.delete(weights, largest).max())
    return people[largest], Face("size", 1 - second / float(weights[largest]), len(people))


def _array(numbers: object) -> np.ndarray:
    return np.array(numbers, np.float64)
