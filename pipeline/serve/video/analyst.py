"""A video to what is in it, through the one session of extractors that the page has."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from contracts.quarantine import Rejected
from contracts.schemas import MODALITIES
from extractors.api import Features, extract_features, transcribed
from extractors.clips import Clips
from extractors.damage.degrading import degrade
from extractors.datasets.listing import probe_files
from extractors.errors import MediaError
from extractors.following import with_landmarks, without_landmarks
from extractors.recordings.cutting import Limits as Longest
from extractors.recordings.segmenting import segment
from extractors.workers.session import Session
from lnln.prediction import Prediction
from pipeline.picture.gathering import gather
from pipeline.picture.subject import Scale, Subject
from pipeline.serve.limits import Limits
from pipeline.serve.refusals import Refusal
from pipeline.serve.video.analysis import Analysis, kind_of
from pipeline.serve.video.faces import FaceTrack
from pipeline.serve.video.sides import Side
from pipeline.serve.video.works import Tell
from pipeline.timeline.limits import limits_of

# What is done at each step of the extractors, as people are told.
_STEPS = {
    "ingest": "opening the file",
    "transcribe": "looking for words",
    "segment": "looking for pauses",
    "extract@text": "reading the words",
    "extract@audio": "measuring the voice",
    "extract@vision": "measuring the face",
}
_MEASURING = "measuring voice and face"
_DAMAGED = "damaged"  # folder of the damaged copy, beside the video
_NOT_ASKED = Prediction("", None, w=None, observed=dict.fromkeys(MODALITIES, 0.0))


class Analyst:
    """Works for one thread: a session serves one call at a time.

    Parameters
    ----------
    session : Session
        Its cache is a folder that is this server's alone.
    cache : Path
        That folder. It is emptied after every piece of work.
    sides : sequence of Side
        The models.
    limits : Limits
    """

    def __init__(
        self, session: Session, cache: Path, sides: Sequence[Side], limits: Limits
    ) -> None:
        self._session = session
        self._cache = cache
        self._kinds = list({kind_of(side.settings): None for side in sides})
        self._limits = limits
        each = [limits_of(*s.checkpoint.lengths, s.settings.vision.fps) for s in sides]
        self._longest = Longest(*(min(limits) for limits in zip(*each, strict=True)))

    def analyse(self, file: Path, tell: Tell) -> Analysis:
        """Find all that the models read of a video.

        Parameters
        ----------
        file : Path
        tell : callable
            Is told what is being done.

        Raises
        ------
        Refusal
            The file cannot be used; the message says why.
        """
        reporting = self._session.reporting
        reporting.by = "clips"  # how long it is, is not known yet
        reporting.listener = lambda title, done, of: tell(
            _STEPS.get(title, _MEASURING), done / of if of else None
        )
        try:
            tell("opening the file")
            self._check(file)
            reporting.by = "seconds"
            tell(_STEPS["transcribe"])
            clips = self._clips(file)
            tell(_MEASURING)
            return self._analysis(file, clips)
        finally:
            reporting.listener = None
            self.tidy()

    def damage(self, file: Path, damages: Mapping[str, float], seed: int, tell: Tell) -> Analysis:
        """Damage a copy of a video, and find all that the models read of it.

        Raises
        ------
        Refusal
            There was nothing to damage in it.
        """
        folder = file.with_name(_DAMAGED)
        partial = folder.with_name(f"{folder.name}.partial")
        try:
            for left in (folder, partial):
                shutil.rmtree(left, ignore_errors=True)
            tell("damaging a copy of the video")
            degrade(file, folder, damages, self._session, seed=seed)
            written = [path for path in folder.rglob("*.mp4") if not path.is_symlink()]
            if not written:
                raise Refusal("There is nothing in this video that could be damaged like that.")
        finally:
            self.tidy()
        return self.analyse(written[0], tell)

    def give_up(self) -> None:
        """End what is being done; whoever waits for it gets an error."""
        self._session.give_up()

    def tidy(self) -> None:
        """Delete what the session kept of the video that it was asked about last."""
        for entry in self._cache.glob("*"):
            shutil.rmtree(entry, ignore_errors=True)
            entry.unlink(missing_ok=True) if not entry.is_dir() else None

    def _check(self, file: Path) -> None:
        language = self._kinds[0].language
        listing = probe_files([file], self._session, language=language)
        _refuse(listing.quarantine)
        (duration_s,) = listing.manifest["duration_s"].to_pylist()
        if duration_s > self._limits.duration_s:
            raise Refusal(
                f"The video is {_minutes(duration_s)} long; this server takes up to "
                f"{_minutes(self._limits.duration_s)}. Cut it, or use lnln timeline."
            )

    def _clips(self, file: Path) -> Clips:
        """A video with its words: whole, or in utterances if it is longer than a model reads."""
        clips = transcribed(file, self._kinds[0], self._session)
        _refuse(clips.quarantine)
        return segment(clips, self._longest, "clips", self._session)

    def _analysis(self, file: Path, clips: Clips) -> Analysis:
        measured = []
        face, subject = None, None
        for kind in self._kinds:
            features = extract_features(clips, with_landmarks(kind), self._session)
            _refuse(features.quarantine)
            if face is None and features.manifest["has_video"][0].as_py():
                rows = features.manifest.sort_by("start_s").to_pylist()
                begins = [(row["clip_id"], row["start_s"] or 0.0) for row in rows]
                face = FaceTrack.of(features.vision, begins)
            if subject is None and features.manifest.num_rows == 1:
                subject = _gathered(features, self._session)
            vision = without_landmarks(
                features.vision, kind.vision, offline=self._session.run.offline
            )
            measured.append((kind, replace(features, vision=vision)))
        return Analysis(file, measured, face, subject)


def _gathered(features: Features, session: Session) -> Subject | None:
    """What the picture of a clip shows, to be drawn when somebody asks for it; None if that fails.

    A worker gathers it: a damaged file can crash whoever decodes it.
    """
    try:
        return gather(features, _NOT_ASKED, Scale((-1, 1), None, None), session)
    except MediaError:
        return None


def _refuse(quarantine: Sequence[Rejected]) -> None:
    """Say why a file cannot be used, if it cannot."""
    for rejected in quarantine:
        raise Refusal(f"This file cannot be used: {rejected.reason}.")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"
