"""A video to what is in it, through the one session of extractors that the page has."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from extractors.api import Features, extract
from extractors.damage.degrading import degrade
from extractors.datasets.listing import probe_files
from extractors.settings import ExtractorSettings
from extractors.workers.session import Session
from pipeline.serve.analysis import Analysis, kind_of
from pipeline.serve.limits import Limits
from pipeline.serve.refusals import Refusal
from pipeline.serve.sides import Side

Tell = Callable[[str], None]

_DAMAGED = "damaged"  # folder of the damaged copy, beside the video


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
        try:
            tell("opening the file")
            self._check(file)
            tell("listening to the words, measuring voice and face")
            return Analysis(file, [(kind, self._features(file, kind)) for kind in self._kinds])
        finally:
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
        for rejected in listing.quarantine:
            raise Refusal(f"This file cannot be used: {rejected.reason}.")
        (duration_s,) = listing.manifest["duration_s"].to_pylist()
        if duration_s > self._limits.duration_s:
            raise Refusal(
                f"The video is {_minutes(duration_s)} long; this server takes up to "
                f"{_minutes(self._limits.duration_s)}. Cut it, or use lnln timeline."
            )

    def _features(self, file: Path, kind: ExtractorSettings) -> Features:
        features = extract(file, kind, self._session)
        for rejected in features.quarantine:
            raise Refusal(f"This file cannot be used: {rejected.reason}.")
        return features


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"
