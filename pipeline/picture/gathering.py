"""Gathers what the picture of a clip shows, from its features and from its file."""

from __future__ import annotations

from typing import Any

import numpy as np

from contracts.features import clip_values, feature_info
from extractors.api import Features
from extractors.errors import MediaError
from extractors.following import FollowedFace, followed
from extractors.media.clip import Clip
from extractors.workers.serving import Task
from extractors.workers.session import Session
from lnln.explaining.explanation import Part
from lnln.prediction import Prediction
from pipeline.picture.subject import Frame, Scale, Sound, Subject, spans

FRAMES = 6
LONGEST_S = 120.0  # what is longer would not be legible
_SIDE = 320  # of a frame, pixels
_BINS = 1000  # of the waveform
# Probability of pYIN from which on a voice is taken for certain. It is seldom high for real voices:
# within words of GRID and of a public speech half of the rows are below 0.1, in pauses all.
_VOICED = 0.1


class TooLong(ValueError):
    """A clip that is too long for one picture."""


def gather(features: Features, prediction: Prediction, scale: Scale, session: Session) -> Subject:
    """Gather what is shown of a clip, in a worker: a damaged file can crash whoever decodes it.

    Parameters
    ----------
    features : Features
        Of this clip alone, with landmarks (`extractors.following.with_landmarks`).
    prediction : Prediction
        With its explanation.
    scale : Scale
    session : Session

    Raises
    ------
    MediaError
        The file cannot be read any more, or the clip is longer than `LONGEST_S`.
    """
    (row,) = features.manifest.to_pylist()
    task = Task((features, prediction, scale), row["duration_s"])
    (outcome,) = session.place(1, 0).start(Gatherer, [task]).outcomes("")
    if outcome.reason is not None:
        raise MediaError(row["path"], outcome.reason)
    subject: Subject = outcome.value
    return subject


class Gatherer:
    """Gathers what is shown of a clip; runs in a worker."""

    def extract(self, features: Features, prediction: Prediction, scale: Scale) -> Subject:
        """See `gather`."""
        return _gathered(features, prediction, scale)


def _gathered(features: Features, prediction: Prediction, scale: Scale) -> Subject:
    (row,) = features.manifest.to_pylist()
    duration_s = float(row["duration_s"])
    check_length(duration_s)
    clip = Clip(row["path"], float(row["start_s"] or 0), duration_s)
    face = followed(features.vision, row["clip_id"])
    observed = {"vision": spans(face.seen, face.step_s, duration_s)}
    audio = features.audio.slice(features.audio["clip_id"].to_pylist().index(row["clip_id"]), 1)
    step_s, heard = audio["step_s"][0].as_py(), np.array(audio["observed"][0].as_py(), bool)
    observed["audio"] = spans(heard, step_s, duration_s)
    return Subject(
        name=row["path"].rpartition("/")[2] or row["clip_id"],
        duration_s=duration_s,
        frames=_frames(clip, face) if row["has_video"] else [],
        sound=_sound(clip, audio, step_s, heard),
        face=face,
        observed=observed,
        prediction=prediction,
        scale=scale,
        doubted=doubted_in(features, row["clip_id"]),
    )


def check_length(duration_s: float) -> None:
    """Make sure that a clip is short enough to be shown in one picture.

    Raises
    ------
    TooLong
        It is not.
    """
    if duration_s > LONGEST_S:
        raise TooLong(
            f"{duration_s:.0f} s long, and one picture shows {LONGEST_S:.0f} s at most; "
            "`lnln timeline` shows recordings of any length"
        )


def doubted_in(features: Features, clip_id: str) -> tuple[Part, ...]:
    """Words that were recognised in a clip and are not believed.

    Parameters
    ----------
    features : Features
    clip_id : str
    """
    rows = features.recognition.select(["clip_id", "doubted"]).to_pylist()
    words = [word for row in rows if row["clip_id"] == clip_id for word in row["doubted"]]
    return tuple(Part(w["word"], w["start_s"], w["end_s"], False, 0.0) for w in words)


def _frames(clip: Clip, face: FollowedFace) -> list[Frame]:
    """Take frames at times evenly spread over the clip, each with the face seen in it."""
    from extractors.media.container import Damage
    from extractors.vision.frames import sample_frames

    rows = len(face.seen)
    chosen = {int((i + 0.5) * rows / FRAMES) for i in range(FRAMES)}
    pictures = sample_frames(clip, rows, face.step_s, _SIDE, Damage())
    frames = []
    for row, picture in enumerate(pictures):
        if row in chosen and picture is not None:
            height, width = picture.shape[:2]
            points = face.points[row] * (width, height) if face.seen[row] else None
            frames.append(Frame(row * face.step_s, picture, points))
    return frames


def _sound(clip: Clip, audio: Any, step_s: float, heard: np.ndarray) -> Sound:
    from extractors.media.container import Damage
    from extractors.media.sound import sound_blocks

    samples = np.concatenate([np.zeros(0, np.float32), *sound_blocks(clip, Damage(), 60.0)])
    bins = np.array_split(samples, min(_BINS, max(len(samples), 1)))
    least, greatest = (np.array([pick(b, initial=0) for b in bins]) for pick in (np.min, np.max))
    names, values = feature_info(audio).names, clip_values(audio, 0)

    def column(name: str) -> np.ndarray:  # another extractor may measure something else
        return values[:, names.index(name)] if name in names else np.full(len(values), np.nan)

    level, pitch = (
        np.where(heard, values, np.nan) for values in (column("rms"), np.exp(column("log_f0")))
    )
    voiced = heard & (column("voiced_probability") >= _VOICED)
    return Sound(least, greatest, step_s, level, pitch, voiced)
