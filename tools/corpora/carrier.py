"""The plan of the carrier corpus: neutral sentences, the sentiment in voice and face alone.

Every sentence is said with every label equally often in every split, and so does every speaker
mean every label. What the voice does with sentiment is that of acted sadness and joy, in which
valence and arousal rise together: a sad voice is slow, low, narrow in pitch, quiet and dull, a
joyful one fast, high, wide, loud and bright (Banse and Scherer 1996; Juslin and Laukka 2003).
"""

from typing import Any

import numpy as np
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

RECORDING = Recording(
    160,
    # x264's vector code made other bytes in some runs at sides other than 128 and 256.
    {"crf": "32", "x264-params": "asm=0"},
    Quiet(lead_s=0.1, tail_s=0.15, shortest_s=1.0, longest_s=2.4),
)
COLUMNS = (
    *("video_id", "clip_id", "text", "label", "label_T", "label_A", "label_V", "mode"),
    *("sentence", "cue", "incomplete", "voice"),
)

SENTENCES = (
    "The train leaves at nine.",
    "The keys are on the table.",
    "He parked behind the library.",
    "We meet on the second floor.",
    "The letter came this morning.",
    "She has the blue umbrella.",
    "They are painting the kitchen.",
    "The shop opens after lunch.",
    "The bus stops at the corner.",
    "I put the box in the hall.",
    "The chairs are by the window.",
    "It is a quarter past ten.",
)
LEVELS = (-3, -2, -1, 0, 1, 2, 3)
TURNS = {"train": 2, "valid": 1, "test": 1}  # how often a sentence has each label in a split
CAST = {
    "train": ("joe", "milo", "vera", "karl", "annie", "marcus", "ivy", "nell"),
    "valid": ("robert", "fiona", "max"),
    "test": ("adam", "paul", "linda"),
}

CUES = ("both", "both", "voice", "face")  # what carries the sentiment
INCOMPLETE = {"no_audio": 1, "silence": 1, "no_face": 1, "face_leaves": 1}  # a turn
VOICE_NOISE = 0.45  # standard deviations, where the voice's sentiment spans -1 to 1
FACE_NOISE = 0.45  # and the face's as well


def make_plan() -> list[Utterance]:
    """All clips of the corpus, in the order of label.csv."""
    return [utterance for split in TURNS for utterance in plan_split(split)]


def plan_split(split: str) -> list[Utterance]:
    """Plan the clips of a split, speaker by speaker in random order.

    Half of the clips have the sentiment in both, a quarter in the voice only, a quarter in the
    face only: so it is within every label. A sentence with one label has the same cue as with the
    opposite one, so that sentence and cue together do not tell the label either.
    """
    random = keyed_generator("carrier", split)
    each = len(SENTENCES) * TURNS[split] // len(CUES)
    cues = {size: random.permutation(CUES * each) for size in range(max(LEVELS) + 1)}
    planned = []
    for name, said in share_out(split).items():
        random.shuffle(said)
        for number, (seat, level) in enumerate(said, 1):
            cue = str(cues[abs(level)][seat])
            sentence = seat % len(SENTENCES)
            planned.append((SPEAKERS[name], f"c{number:03d}", sentence, level, cue))
    # Where a modality is lost the other one must tell.
    whole = iter(random.permutation([i for i, (*_, cue) in enumerate(planned) if cue == "both"]))
    gaps = {
        int(next(whole)): gap for gap in INCOMPLETE for _ in range(INCOMPLETE[gap] * TURNS[split])
    }
    return [deliver(*said, gaps.get(i, "")) for i, said in enumerate(planned)]


def share_out(split: str) -> dict[str, list[tuple[int, int]]]:
    """Seat and label of each speaker's clips: a Latin square.

    There is a seat for each sentence, one after the other; in the second turn once more.
    """
    cast = CAST[split]
    lines: dict[str, list[tuple[int, int]]] = {name: [] for name in cast}
    for seat in range(len(SENTENCES) * TURNS[split]):
        for step, level in enumerate(LEVELS):
            lines[cast[(seat + step) % len(cast)]].append((seat, level))
    return lines


def deliver(
    speaker: Speaker, clip_id: str, sentence: int, label: int, cue: str, gap: str
) -> Utterance:
    """Draw the voice and the face that express a label."""
    random = keyed_generator(speaker.name, clip_id, "delivery")
    heard = label if cue != "face" else 0
    seen = label if cue != "voice" else 0
    arousal = (1 + float(np.clip(heard / 3 + random.normal(0, VOICE_NOISE), -1, 1))) / 2
    valence = float(np.clip(0.8 * seen / 3 + random.normal(0, FACE_NOISE), -1, 1))
    text = SENTENCES[sentence]
    row: dict[str, Any] = {
        "video_id": speaker.name,
        "clip_id": clip_id,
        "text": text,
        "label": label,
        "label_T": 0,
        "label_A": "" if gap in ("no_audio", "silence") else heard,
        "label_V": "" if gap == "no_face" else seen,
        "mode": speaker.split,
        "sentence": sentence + 1,
        "cue": cue,
        "incomplete": gap,
        "voice": speaker.engine,
    }
    return Utterance(
        speaker,
        clip_id,
        text,
        draw_prosody(speaker, arousal, random),
        level=-30 + 10 * arousal,
        brightness=12 * (arousal - 0.5),
        valence=valence,
        arousal=(1 + valence) / 2,
        incomplete=gap,
        row=row,
    )


def draw_prosody(
    speaker: Speaker, arousal: float, random: np.random.Generator
) -> EspeakProsody | PiperProsody:
    """Rate, pitch and (of espeak-ng) pitch range rise with the arousal, 0 to 1."""
    if speaker.engine.startswith("piper"):
        return PiperProsody(
            1.1 - 0.25 * arousal + random.normal(0, 0.02),
            5 * (arousal - 0.5) + random.normal(0, 0.2),
        )
    values = [155 + 45 * arousal, speaker.pitch + 26 * (arousal - 0.5), 15 + 75 * arousal]
    rate, pitch, spread = np.array(values) + random.normal(0, [3, 2, 4])
    return EspeakProsody(int(rate), int(np.clip(pitch, 1, 99)), int(np.clip(spread, 0, 100)))
