"""What the page can be asked to do: uploads, work on them, answers, and their end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from extractors.damage.registry import DAMAGES
from extractors.errors import SetupError
from pipeline.serve.answers import (
    Damage,
    FaceLines,
    Found,
    Question,
    Scores,
    UploadState,
    Words,
)
from pipeline.serve.downloads.offers import made, offered
from pipeline.serve.jobs import Jobs
from pipeline.serve.limits import Limits
from pipeline.serve.refusals import NotYet, Refusal
from pipeline.serve.reporting import report
from pipeline.serve.uploads import ORIGINAL, Upload, Uploads
from pipeline.serve.video.analysis import Analysis
from pipeline.serve.video.finding import bands_under, found_in, words_of
from pipeline.serve.video.scoring import Scorer
from pipeline.serve.video.sides import Side
from pipeline.serve.video.works import Works

DAMAGED = "damaged"
FACE_S = 20.0  # of a face are sent at a time
_SWEEP_S = 5.0
_ASKED_AT_A_TIME = 2  # questions to the models; more would only hold each other up


class Service:
    """All that happens between a request and its answer.

    Parameters
    ----------
    folder : Path
        For uploads; this user's alone.
    analyst : Works
    sides : list of Side
    limits : Limits
    """

    def __init__(self, folder: Path, analyst: Works, sides: list[Side], limits: Limits) -> None:
        self.limits = limits
        self.sides = sides
        self.uploads = Uploads(folder, limits)
        self._analyst = analyst
        self._jobs = Jobs(limits.waiting)
        self._scorer = Scorer(sides)
        self._asking = anyio.CapacityLimiter(_ASKED_AT_A_TIME)
        self._making = anyio.CapacityLimiter(1)  # files: matplotlib is for one thread
        self._working: Upload | None = None

    async def take(self, declared: int | None, stream: AsyncIterator[bytes]) -> Upload:
        """Take a video, and have it analysed.

        Raises
        ------
        Refusal
        """
        self._jobs.take_place()
        try:
            upload = self.uploads.open(declared)
            await self.uploads.receive(upload, stream)
        except BaseException:
            self._jobs.give_up()
            raise
        upload.state = "waiting"
        upload.tell("waiting")
        self._jobs.put(upload.id, lambda: self._analyse(upload))
        return upload

    def damage(self, upload_id: str, damage: Damage) -> Upload:
        """Have a damaged copy of a video made and analysed.

        Raises
        ------
        Refusal
        """
        upload = self._ready(upload_id)
        for name, severity in damage.damages.items():
            kind = DAMAGES.get(name)
            if kind is None or kind.stream == "words":
                raise Refusal(f"There is no damage {name[:50]!r}.")
            if not kind.least <= severity <= kind.most:
                raise Refusal(f"{name}: {severity:g} is not {kind.least:g} to {kind.most:g}.")
        if upload.damaging:
            raise NotYet("A damaged copy of this video is being made already.")
        self._jobs.take_place()
        upload.damaging, upload.error = True, ""
        upload.tell("waiting")
        self._jobs.put(upload.id, lambda: self._damage(upload, damage))
        return upload

    def state(self, upload: Upload) -> UploadState:
        """Where an upload is."""
        now = time.time()
        return UploadState(
            id=upload.id,
            state=upload.state,
            step=upload.step,
            step_s=round(max(0.0, now - upload.begun), 1),
            share=upload.share,
            before=self._jobs.before(upload.id) + (self._working not in (None, upload)),
            error=upload.error,
            expires_s=round(max(0.0, upload.expires - now)),
            damaging=upload.damaging,
            versions=list(upload.analyses),
        )

    def found(self, upload_id: str, version: str) -> Found:
        """What was found in a video."""
        return self._found(self._ready(upload_id).analysis(version), version)

    def face(self, upload_id: str, version: str, start_s: float, end_s: float) -> FaceLines:
        """Where the face is in a stretch of a video."""
        face = self._ready(upload_id).analysis(version).face
        if face is None:
            return FaceLines(step_s=0, lines=[], rows=[])
        return face.within(start_s, min(end_s, start_s + FACE_S))

    def correct(self, upload_id: str, words: Words) -> Found:
        """Replace the words of a clip."""
        analysis = self._ready(upload_id).analysis(words.version)
        clip_id, begin = _clip(analysis, words.clip)
        given = analysis.heard(clip_id) if words.words is None else words_of(words.words, begin)
        analysis.correct(clip_id, given, self.sides)
        return self._found(analysis, words.version)

    async def score(self, upload_id: str, question: Question) -> Scores:
        """Ask all models."""
        analysis = self._ready(upload_id).analysis(question.version)
        if question.explain is not None:
            _clip(analysis, question.explain)

        def ask() -> Scores:
            scores = self._scorer.score(analysis, question, question.explain)
            return Scores(scores=scores, bands=bands_under(question, analysis, self.sides[0]))

        return await run_sync(ask, limiter=self._asking)

    async def download(self, upload_id: str, version: str, name: str) -> bytes:
        """A file to take along: features, or what the first model says as timeline or picture."""
        upload = self._ready(upload_id)
        analysis, side = upload.analysis(version), self.sides[0]
        try:
            return await run_sync(made, name, analysis, side, upload.folder, limiter=self._making)
        except OSError:
            self.uploads.get(upload_id)  # it may have been deleted meanwhile
            raise

    async def delete(self, upload_id: str) -> None:
        """Delete an upload, what is known of it, and what is being done for it."""
        upload = self.uploads.get(upload_id)
        self._jobs.drop(upload_id)
        await run_sync(self.uploads.delete, upload_id)
        if self._working is upload:
            self._analyst.give_up()
            with anyio.move_on_after(20):
                while self._working is upload:
                    await asyncio.sleep(0.05)

    async def sweep(self) -> None:
        """Delete, as long as the server lives, uploads whose time is over."""
        while True:
            for upload_id in self.uploads.expired():
                try:
                    await self.delete(upload_id)
                except Refusal:
                    continue  # its owner was faster
                except Exception as error:
                    report(error)  # the others, and this one the next time, are deleted yet
            await asyncio.sleep(_SWEEP_S)

    def close(self) -> None:
        """End the work; what is being done is given up."""
        self._jobs.close()
        if self._working is not None:
            self._analyst.give_up()
        self._jobs.join(20)

    def _found(self, analysis: Analysis, version: str) -> Found:
        return found_in(analysis, version, self.sides[0], offered(analysis))

    def _ready(self, upload_id: str) -> Upload:
        upload = self.uploads.get(upload_id)
        if upload.state == "failed":
            raise Refusal(upload.error)
        if upload.state != "ready":
            raise NotYet("This video is not ready yet.")
        return upload

    def _analyse(self, upload: Upload) -> None:
        upload.state = "working"
        analysis = self._do(upload, lambda: self._analyst.analyse(upload.file, upload.tell))
        if analysis is None:
            self.uploads.fail(upload)
        else:
            upload.analyses[ORIGINAL] = analysis
            upload.state = "ready"
        self._finish(upload)

    def _damage(self, upload: Upload, damage: Damage) -> None:
        analysis = self._do(
            upload,
            lambda: self._analyst.damage(upload.file, damage.damages, damage.seed, upload.tell),
        )
        if analysis is not None:
            upload.analyses[DAMAGED] = analysis
        upload.damaging = False
        self._finish(upload)

    def _do(self, upload: Upload, work: Callable[[], Analysis]) -> Analysis | None:
        """Do a piece of work; what goes wrong is told to whoever sent the video."""
        if upload.deleted:
            return None
        self._working = upload
        try:
            return work()
        except Refusal as refusal:
            upload.error = refusal.message
        except SetupError as error:  # says what is missing on this machine
            upload.error = str(error)
        except Exception as error:
            if not upload.deleted:  # else it was given up, which is no news
                report(error)
                upload.error = f"This video could not be read ({type(error).__name__})."
        return None

    def _finish(self, upload: Upload) -> None:
        try:
            upload.tell("")
            if upload.deleted:
                self.uploads.forget(upload)
                self._analyst.tidy()
        finally:
            self._working = None


def _clip(analysis: Analysis, clip: int) -> tuple[str, float]:
    clips = analysis.clip_ids
    if clip >= len(clips):
        raise Refusal(f"There is no clip {clip}: this video has {len(clips)}.")
    return clips[clip], analysis.times()[clip][0]
