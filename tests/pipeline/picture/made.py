"""Clips that are shown, made by hand: nothing is extracted and nothing is decoded."""

from dataclasses import replace
from typing import Any

import numpy as np

from extractors.following import MOVEMENTS, FollowedFace
from lnln.explaining.explanation import Explanation, Part
from lnln.prediction import Prediction
from pipeline.picture.subject import Frame, Scale, Sound, Subject

ALL = {"text": 1.0, "audio": 0.8, "vision": 1.0}


def made(name: str = "a.mp4", words: tuple[str, ...] = ("good", "day"), **changes: Any) -> Subject:
    """A clip of two seconds."""
    rows = 20
    wave = np.sin(np.linspace(0, 60, 100))
    stretches = tuple(Part("", i / 2, (i + 1) / 2, i != 2, 0.1 * (i - 1)) for i in range(4))
    explanation = Explanation(
        score=1.25,
        nothing=0.25,
        modalities={"text": 1.5, "audio": -0.75, "vision": 0.25},
        words=tuple(
            Part(word, 0.2 * i, 0.2 * i + 0.3, True, 0.5 - i) for i, word in enumerate(words)
        ),
        audio=stretches,
        vision=stretches,
    )
    subject = Subject(
        name=name,
        duration_s=2.0,
        frames=[
            Frame(0.5, np.full((24, 32, 3), 90, np.uint8), np.array([[4, 4], [20, 4], [9, 20]])),
            Frame(1.5, np.full((24, 32, 3), 90, np.uint8), None),
        ],
        sound=Sound(
            np.minimum(wave, 0),
            np.maximum(wave, 0),
            0.1,
            np.full(rows, 0.5),
            np.linspace(100, 200, rows),
            np.arange(rows) > 9,
        ),
        face=FollowedFace(
            0.1,
            np.ones(rows, bool),
            np.zeros((rows, 3, 2)),
            {m: np.linspace(0, 1 / (i + 1), rows) for i, m in enumerate(MOVEMENTS)},
            "speech",
            2,
        ),
        observed={"audio": [(0.2, 1.0), (1.2, 1.6)], "vision": [(0.0, 2.0)]},
        prediction=Prediction(
            name,
            1.25,
            None,
            ALL,
            " ".join(words),
            ["only the first 1.0 of 2.0 s of the picture were read (50%)"],
            low=-1.0,
            high=3.0,
            text_source="asr",
            read_s={"text": 2.0, "audio": 2.0, "vision": 1.0},
            explanation=explanation,
        ),
        scale=Scale((-3, 3), 0.9, "trained on a toy"),
    )
    return replace(subject, **changes)


def blank() -> Subject:
    """A clip in which there is no picture, no sound and no word."""
    subject = made()
    rows = 20
    silence, absent = np.zeros(1), np.full(rows, np.nan)
    return replace(
        subject,
        frames=[],
        sound=Sound(silence, silence, 0.1, absent, absent, np.zeros(rows, bool)),
        face=FollowedFace(
            0.1,
            np.zeros(rows, bool),
            np.full((rows, 3, 2), np.nan),
            dict.fromkeys(MOVEMENTS, absent),
            "none",
            0,
        ),
        observed={"audio": [], "vision": []},
        prediction=Prediction(
            "a.mp4", None, None, dict.fromkeys(ALL, 0.0), warnings=["nothing was observed"]
        ),
    )
