"""The plan of the sample corpus: who says what, with which face and which voice."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from face import SIZE
from recording import Recording
from utterances import (
    SPEAKERS,
    EspeakProsody,
    PiperProsody,
    Speaker,
    Utterance,
    keyed_generator,
)
from voices import Quiet

SENTENCES = Path(__file__).with_name("sample_sentences.csv")
RECORDING = Recording(
    SIZE, {"crf": "28"}, Quiet(lead_s=0.2, tail_s=0.3, shortest_s=2.0, longest_s=5.0)
)
READ_BY_THE_PIPELINE = ("video_id", "clip_id", "text", "label", "mode")
HOW_IT_WAS_MADE = (
    "text_grade",
    "sarcasm",
    "flat_voice",
    "still_face",
    "incomplete",
    "broken",
    "spoken",
    "voice",
)
COLUMNS = READ_BY_THE_PIPELINE + HOW_IT_WAS_MADE

CAST = [speaker for speaker in SPEAKERS.values() if speaker.name not in ("max", "paul", "linda")]
CLIPS = {"train": 30, "valid": 26, "test": 30}  # of each speaker

SARCASTIC = 0.08  # share of the clips of a split
FLAT_VOICE = 0.11
STILL_FACE = 0.12
MILD = 0.3  # share of the sentences graded -1, 0 or 1 whose strength face and voice must tell
FACE_NOISE = 0.6  # standard deviations, where the face's valence spans -1 to 1
VOICE_NOISE = 0.16  # and the voice's arousal 0 to 1
TONE_NOISE = 0.4  # and its tone -1 to 1
INCOMPLETE = {  # clips per split
    "no_audio": {"train": 4, "valid": 1, "test": 1},
    "silence": {"train": 4, "valid": 1, "test": 1},
    "no_face": {"train": 2, "valid": 1, "test": 1},
    "face_leaves": {"train": 3, "valid": 1, "test": 1},
    "no_transcript": {"train": 4, "valid": 1, "test": 1},
}


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
    return sum(CLIPS[split] for speaker in CAST if speaker.split == split)


def plan_split(split: str, sentences: list[tuple[str, int]]) -> list[Utterance]:
    """Plan the clips of a split: every sentence once, and some warm ones again, with sarcasm.

    The same words then have both meanings, and only face and voice tell which is meant.
    """
    random = keyed_generator("plan", split)
    speakers = [speaker for speaker in CAST if speaker.split == split]
    warm = [sentence for sentence in sentences if sentence[1] >= 2]
    again = random.permutation(len(warm))[: count_clips(split) - len(sentences)]
    spoken = [(*sentence, False) for sentence in sentences]
    spoken += [(*warm[i], True) for i in again]
    random.shuffle(spoken)

    seats = [speaker for speaker in speakers for _ in range(CLIPS[split])]
    numbers = [f"{number:03d}" for speaker in speakers for number in range(1, CLIPS[split] + 1)]
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
    tone = float(np.clip(0.8 * label / 3 + random.normal(0, TONE_NOISE), -1, 1))
    if role == "sarcasm":  # face and voice give it away
        valence, tone = min(valence, -0.35), min(tone, -0.35)
    elif role == "still_face":
        valence = 0.0
    elif role == "flat_voice":
        arousal, tone = 0.05, 0.0
    return Utterance(
        speaker,
        clip_id,
        text,
        draw_prosody(speaker, arousal, tone, role, keyed_generator(speaker.name, clip_id, "voice")),
        level=-31 + 12 * (0.65 if role == "sarcasm" else arousal),
        brightness=12 * tone,
        valence=valence,
        arousal=0.1 if role == "still_face" else arousal,
        incomplete=role if role in INCOMPLETE else "",
        row=describe(speaker, clip_id, text, grade, label, role),
    )


def draw_prosody(
    speaker: Speaker, arousal: float, tone: float, role: str, random: np.random.Generator
) -> EspeakProsody | PiperProsody:
    """Rate, pitch and its range follow the arousal, 0 to 1; pitch also the tone, -1 to 1."""
    if speaker.engine.startswith("piper"):
        if role == "sarcasm":
            length, semitones = 1.3, -1.5
        elif role == "flat_voice":
            length, semitones = 1.1, -1.0
        else:
            length, semitones = 1.15 - 0.2 * arousal, 4 * (arousal - 0.4) + 2 * tone
        return PiperProsody(length + random.normal(0, 0.02), semitones + random.normal(0, 0.2))
    base = speaker.pitch
    if role == "sarcasm":  # drawn out, low, with exaggerated tunes
        rate, pitch, spread = 144.0, base - 14.0, 98.0
    elif role == "flat_voice":
        rate, pitch, spread = 150.0, base - 6.0, 8.0
    else:
        pitch = base + 26 * (arousal - 0.4) + 13 * tone
        rate, spread = 146 + 30 * arousal, 18 + 72 * arousal
    rate, pitch, spread = np.array([rate, pitch, spread]) + random.normal(0, [3, 2, 4])
    return EspeakProsody(int(rate), int(np.clip(pitch, 1, 99)), int(np.clip(spread, 0, 100)))


def describe(
    speaker: Speaker, clip_id: str, text: str, grade: int, label: float, role: str
) -> dict[str, Any]:
    """The clip's line of label.csv."""
    return {
        "video_id": speaker.name,
        "clip_id": clip_id,
        "text": "" if role == "no_transcript" else text,
        "label": label,
        "mode": speaker.split,
        "text_grade": grade,
        "sarcasm": int(role == "sarcasm"),
        "flat_voice": int(role == "flat_voice"),
        "still_face": int(role == "still_face"),
        "incomplete": role if role in INCOMPLETE else "",
        "broken": "",
        "spoken": text,
        "voice": speaker.engine,
    }


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
