"""Choose the person whom a clip is about."""

from typing import NamedTuple

import numpy as np

from extractors.media.container import Clip
from extractors.vision.speaking import agreement, loudness
from extractors.vision.tracks import Track

# By how much the speaker's mouth must agree better with the sound than any other, times the square
# root of the seconds. Measured on pairs of people who both talk for 3 s, only one of them heard:
# the wrong one reaches this in 3 % of the pairs from GRID (where all speak in one rhythm; the right
# one does in 29 %), and in none from the bundled corpus (the right one in 96 %).
_MARGIN = 0.4


class Face(NamedTuple):
    """How the person was chosen whom the features are of.

    Attributes
    ----------
    chosen_by : {"only", "speech", "size", "none"}
        There is only one person; the mouth moves with the sound; the face is the largest and most
        central; or there is no face.
    confidence : float
        Not a probability. "only": 1; "none": 0; "speech": how much better the mouth agrees with the
        sound than the next best, as a difference of correlations; "size": by what share the face is
        larger and more central than the next.
    faces : int
        People followed, without passers-by.
    """

    chosen_by: str
    confidence: float
    faces: int


def choose(people: list[Track], step_s: float, clip: Clip) -> tuple[Track | None, Face]:
    """Choose the person whom a clip is about.

    Of several people it is the one whose mouth agrees best with the sound, if it agrees better than
    every other by 0.4 / sqrt(t), where t is the time for which both were seen: the shorter of the
    two, s. Else it is the one whose face is the largest and most central. The sound is decoded only
    if there are several people.

    Parameters
    ----------
    people : list of Track
        Everybody but passers-by.
    step_s : float
        Time between rows, s.
    clip : Clip

    Returns
    -------
    Track or None
        The person; None if there are none.
    Face

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
    agreements = np.array(
        [agreement(_array(p.rows) * step_s, _array(p.mouth), level) for p in people]
    )
    seconds = np.array([len(p) * step_s for p in people])
    best = int(np.argmax(agreements))
    leads = np.delete(agreements[best] - agreements, best)
    needed = np.delete(_MARGIN / np.sqrt(np.minimum(seconds, seconds[best])), best)
    if (leads >= needed).all():
        return people[best], Face("speech", float(leads.min()), len(people))
    weights = np.array([person.weight for person in people])
    largest = int(np.argmax(weights))
    second = float(np.delete(weights, largest).max())
    return people[largest], Face("size", 1 - second / float(weights[largest]), len(people))


def _array(numbers: object) -> np.ndarray:
    return np.array(numbers, np.float64)
