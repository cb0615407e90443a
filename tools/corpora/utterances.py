"""What a clip is made from: who speaks, what is said, how it sounds and what the face does.

The plans of the corpora (`sample.py`, `carrier.py`) make utterances; `voices.py` and `face.py`
perform them. All random numbers are keyed by names, not by order, so that adding a speaker or
rendering one clip again changes nothing else.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 2611_23002


@dataclass(frozen=True)
class Speaker:
    """One synthetic voice, and the look of its portrait.

    A voice is in the same split in every corpus. `pitch` is espeak-ng's base pitch (0 to 100);
    `tint` multiplies the red, green and blue channels; a `mirrored` portrait is flipped left to
    right.
    """

    name: str
    engine: str  # "piper", or "espeak-ng <voice>+<variant>"
    split: str
    pitch: int = 50
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    mirrored: bool = False


SPEAKERS = {
    speaker.name: speaker
    for speaker in (
        Speaker("joe", "piper en_US-joe-medium", "train"),
        Speaker("milo", "espeak-ng en-us+m7", "train", 50, (0.97, 0.94, 0.9)),
        Speaker("vera", "espeak-ng en-us+f4", "train", 48, (1.0, 1.0, 1.06), True),
        Speaker("karl", "espeak-ng en-us+klatt4", "train", 42, (1.05, 0.98, 0.95), True),
        Speaker("annie", "espeak-ng en-us+Annie", "train", 45, (0.9, 0.9, 0.9)),
        Speaker("marcus", "espeak-ng en+m3", "train", 55, (0.96, 1.03, 0.98), True),
        Speaker("ivy", "espeak-ng en+f3", "train", 52, (0.95, 1.0, 1.02), True),
        Speaker("nell", "espeak-ng en-us+f5", "train", 55, (0.98, 0.95, 1.04), True),
        Speaker("robert", "espeak-ng en-us+robert", "valid", 48, (1.03, 1.0, 0.92)),
        Speaker("fiona", "espeak-ng en-us+f2", "valid", 50, (0.94, 0.98, 1.06)),
        Speaker("max", "espeak-ng en-us+max", "valid", 50, (1.02, 0.96, 0.98), True),
        Speaker("adam", "espeak-ng en-us+adam", "test", 45, (1.0, 0.96, 0.9), True),
        Speaker("steph", "espeak-ng en-us+steph2", "test", 48, (1.06, 1.02, 0.96)),
        Speaker("paul", "espeak-ng en-us+paul", "test", 52, (0.93, 1.0, 0.96)),
        Speaker("linda", "espeak-ng en-us+linda", "test", 42, (1.04, 1.0, 1.04), True),
    )
}


@dataclass(frozen=True)
class EspeakProsody:
    """Rate in words a minute; pitch and pitch range, 0 to 100 both."""

    rate: int
    pitch: int
    spread: int


@dataclass(frozen=True)
class PiperProsody:
    """Length (1 is the voice's own) and pitch shift in semitones."""

    length: float
    semitones: float


@dataclass(frozen=True)
class Utterance:
    """One clip: what is said, and how it is delivered.

    `level` (dB re full scale) and `brightness` (gain of the high frequencies, dB) are the voice's;
    `valence` (-1 to 1) and `arousal` (0 to 1) drive the face. `incomplete` is what the recording
    lacks: nothing (empty), "no_audio", "silence", "no_face", "face_leaves" or "no_transcript".
    `row` is what label.csv says of the clip.
    """

    speaker: Speaker
    clip_id: str
    text: str
    prosody: EspeakProsody | PiperProsody
    level: float
    brightness: float
    valence: float
    arousal: float
    incomplete: str
    row: dict[str, Any]

    def generator(self, purpose: str) -> np.random.Generator:
        """Random numbers of this clip for one purpose ("face", "room")."""
        return keyed_generator(self.speaker.name, self.clip_id, purpose)


def keyed_generator(*key: str) -> np.random.Generator:
    """A generator that depends on the corpora's seed and on the key alone."""
    return np.random.default_rng([SEED, *(zlib.crc32(part.encode()) for part in key)])
