"""The plan of the corpus: who says what, with which face and which voice.

All random numbers are drawn here or from `Utterance.generator`. They are keyed by names, not by
order, so that adding a speaker or rendering one clip again changes nothing else.
"""

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SENTENCES = Path(__file__).with_name("sentences.csv")
SEED = 2611_23002


@dataclass(frozen=True)
class Speaker:
    """One synthetic voice, and the look of its portrait.

    `pitch` is espeak-ng's base pitch (0 to 100); `tint` multiplies the red, green and blue
    channels; a `mirrored` portrait is flipped left to right.
    """

    name: str
    engine: str  # "piper", or "espeak-ng <voice>+<variant>"
    split: str
    clips: int
    pitch: int = 50
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    mirrored: bool = False


SPEAKERS = (
    Speaker("joe", "piper en_US-joe-medium", "train", 30),
    Speaker("milo", "espeak-ng en-us+m7", "train", 30, 50, (0.97, 0.94, 0.9)),
    Speaker("vera", "espeak-ng en-us+f4", "train", 30, 48, (1.0, 1.0, 1.06), True),
    Speaker("karl", "espeak-ng en-us+klatt4", "train", 30, 42, (1.05, 0.98, 0.95), True),
    Speaker("annie", "espeak-ng en-us+Annie", "train", 30, 45, (0.9, 0.9, 0.9)),
    Speaker("marcus", "espeak-ng en+m3", "train", 30, 55, (0.96, 1.03, 0.98), True),
    Speaker("ivy", "espeak-ng en+f3", "train", 30, 52, (0.95, 1.0, 1.02), True),
    Speaker("nell", "espeak-ng en-us+f5", "train", 30, 55, (0.98, 0.95, 1.04), True),
    Speaker("robert", "espeak-ng en-us+robert", "valid", 26, 48, (1.03, 1.0, 0.92)),
    Speaker("fiona", "espeak-ng en-us+f2", "valid", 26, 50, (0.94, 0.98, 1.06)),
    Speaker("adam", "espeak-ng en-us+adam", "test", 30, 45, (1.0, 0.96, 0.9), True),
    Speaker("steph", "espeak-ng en-us+steph2", "test", 30, 48, (1.06, 1.02, 0.96)),
)

SARCASTIC = 0.08  # share of the clips of a split
FLAT_VOICE = 0.11
STILL_FACE = 0.12
MILD = 0.3  # share of the sentences graded -1, 0 or 1 whose strength face and voice must tell
FACE_NOISE = 0.6  # standard deviations, where the face's valence spans -1 to 1
VOICE_NOISE = 0.16  # and the voice's arousal 0 to 1
INCOMPLETE = {  # clips per split
    "no_audio": {"train": 4, "valid": 1, "test": 1},
    "silence": {"train": 4, "valid": 1, "test": 1},
    "no_face": {"train": 2, "valid": 1, "test": 1},
    "face_leaves": {"train": 3, "valid": 1, "test": 1},
    "no_transcript": {"train": 4, "valid": 1, "test": 1},
}


@dataclass(frozen=True)
class Utterance:
    """One clip: what is said, what is meant, and how it is delivered.

    `label` is the sentiment meant, -3 to 3. `text_grade` is that of the words alone. `valence`
    (-1 to 1) drives the face, `arousal` (0 to 1) the voice. `role` is what is special about it:
    nothing (empty), "sarcasm", "flat_voice", "still_face", or a key of `INCOMPLETE`.
    """

    speaker: Speaker
    clip_id: str
    text: str
    text_grade: int
    label: float
    valence: float
    arousal: float
    role: str

    def generator(self, purpose: str) -> np.random.Generator:
        """Random numbers of this clip for one purpose ("voice", "face", "room")."""
        return keyed_generator(self.speaker.name, self.clip_id, purpose)


def keyed_generator(*key: str) -> np.random.Generator:
    """A generator that depends on the corpus' seed and on the key alone."""
    return np.random.default_rng([SEED, *(zlib.crc32(part.encode()) for part in key)])


def read_sentences() -> list[tuple[str, int]]:
    """The hand-written sentences with their grade, -3 to 3."""
    with SENTENCES.open(newline="", encoding="utf-8") as lines:
        return [(row["text"], int(row["text_grade"])) for row in csv.DictReader(lines)]


def make_plan() -> list[Utterance]:
    """All clips of the corpus that can be played, in the order of label.csv."""
    sentences = share_out(read_sentences())
    return [
        utterance
        for split in ("train", "valid", "test")
        for utterance in plan_split(split, sentences[split])
    ]


def share_out(sentences: list[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    """Distribute the sentences over the splits, with the same mixture of grades in each.

    A split gets one sentence for every clip that is not sarcastic; the rest is not used.
    """
    grades = range(-3, 4)
    graded = {
        grade: [sentence for sentence in sentences if sentence[1] == grade] for grade in grades
    }
    for grade in grades:
        keyed_generator("sentences", str(grade)).shuffle(graded[grade])
    shares: dict[str, list[tuple[str, int]]] = {}
    for split in ("train", "valid", "test"):
        total = count_clips(split)
        seats = total - round(SARCASTIC * total)
        # Round cumulative sums, not each grade, so that the counts add up to the seats.
        bounds = np.cumsum([0, *(len(of_grade) for of_grade in graded.values())])
        bounds = np.round(seats * bounds / bounds[-1]).astype(int)
        shares[split] = []
        for grade, count in zip(grades, np.diff(bounds), strict=True):
            shares[split] += graded[grade][:count]
            graded[grade] = graded[grade][count:]
    return shares


def count_clips(split: str) -> int:
    """How many clips a split has."""
    return sum(speaker.clips for speaker in SPEAKERS if speaker.split == split)


def plan_split(split: str, sentences: list[tuple[str, int]]) -> list[Utterance]:
    """Plan the clips of a split: every sentence once, and some warm ones again, with sarcasm.

    The same words then have both meanings, and only face and voice tell which is meant.
    """
    random = keyed_generator("plan", split)
    speakers = [speaker for speaker in SPEAKERS if speaker.split == split]
    warm = [sentence for sentence in sentences if sentence[1] >= 2]
    again = random.permutation(len(warm))[: count_clips(split) - len(sentences)]
    spoken = [(*sentence, False) for sentence in sentences]
    spoken += [(*warm[i], True) for i in again]
    random.shuffle(spoken)

    seats = [speaker for speaker in speakers for _ in range(speaker.clips)]
    numbers = [f"{number:03d}" for speaker in speakers for number in range(1, speaker.clips + 1)]
    roles = assign_roles([sarcasm for *_, sarcasm in spoken], split, random)
    return [
        deliver(speaker, number, text, grade, role)
        for speaker, number, (text, grade, _), role in zip(
            seats, numbers, spoken, roles, strict=True
        )
    ]


def assign_roles(sarcastic: list[bool], split: str, random: np.random.Generator) -> list[str]:
    """Draw what is special about each clip of a split: nothing (most), or one thing.

    No clip has two roles: sarcasm needs words, voice and face, and a missing face cannot be still.
    """
    roles = ["sarcasm" if flag else "" for flag in sarcastic]
    shares = {
        "flat_voice": round(FLAT_VOICE * len(roles)),
        "still_face": round(STILL_FACE * len(roles)),
    }
    kinds = {kind: counts[split] for kind, counts in INCOMPLETE.items()}
    free = iter(random.permutation(np.flatnonzero(~np.array(sarcastic))).tolist())
    for role, count in (shares | kinds).items():
        for _ in range(count):
            roles[next(free)] = role
    return roles


def deliver(speaker: Speaker, clip_id: str, text: str, grade: int, role: str) -> Utterance:
    """Draw the meaning of one utterance, then the face and the voice that express it."""
    random = keyed_generator(speaker.name, clip_id, "delivery")
    label = draw_label(grade, role, random)
    valence = float(np.clip(0.8 * label / 3 + random.normal(0, FACE_NOISE), -1, 1))
    arousal = float(np.clip(abs(label) / 3 + random.normal(0, VOICE_NOISE), 0, 1))
    if role == "sarcasm":
        valence = min(valence, -0.35)  # the face gives it away
    elif role == "still_face":
        valence = 0.0
    elif role == "flat_voice":
        arousal = 0.05
    return Utterance(speaker, clip_id, text, grade, label, valence, arousal, role)


def draw_label(grade: int, role: str, random: np.random.Generator) -> float:
    """The sentiment meant, in steps of 0.2.

    Sarcasm inverts positive words. Some mild sentences mean more than they say: their strength, and
    the sign of neutral ones, is told by face and voice only.
    """
    if role == "sarcasm":
        meant = -grade * random.uniform(0.6, 1.0)
    elif abs(grade) <= 1 and random.random() < MILD:
        sign = np.sign(grade) or random.choice([-1.0, 1.0])
        meant = grade + sign * random.uniform(0.4, 1.8)
    else:
        meant = grade + random.normal(0, 0.35)
    return round(round(float(np.clip(meant, -3, 3)) / 0.2) * 0.2, 1) + 0.0  # no -0.0
