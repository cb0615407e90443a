"""Videos that people sent: on disk under names of our own, and gone after a set time."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import anyio

from pipeline.serve.limits import Limits
from pipeline.serve.refusals import Busy, Gone, NoRoom, Refusal, Stalled, TooLarge

if TYPE_CHECKING:
    from pipeline.serve.video.analysis import Analysis

State = Literal["receiving", "waiting", "working", "ready", "failed"]
ORIGINAL = "original"

_WRITTEN = 1 << 20  # bytes gathered before they are written
_REASONS = 100  # of uploads that failed are kept; a page asks for its own within a second


@dataclass
class Upload:
    """One video, and what is known of it.

    Attributes
    ----------
    id : str
        What a person has to know to see it; it cannot be guessed.
    folder : Path
        All that is kept of it on disk; its name has nothing to do with the id.
    expires : float
        When it is deleted, s since 1970.
    state : str
    step : str
        What is being done at the moment, in words.
    begun : float
        When that began, s since 1970.
    share : float or None
        How much of it is done, 0 to 1; None: not known.
    error : str
        Why it failed, in words.
    analyses : dict of str to Analysis
        Of the video as it came, and of its damaged copy.
    damaging : bool
        Whether a damaged copy waits to be made.
    deleted : bool
    coming : int
        Bytes for which there is to be room on the disk, and which are not on it yet.
    """

    id: str
    folder: Path
    expires: float
    state: State = "receiving"
    step: str = "arriving"
    begun: float = field(default_factory=time.time)
    share: float | None = None
    error: str = ""
    analyses: dict[str, Analysis] = field(default_factory=dict)
    damaging: bool = False
    deleted: bool = False
    coming: int = 0

    @property
    def file(self) -> Path:
        """The video, whatever its kind: what it holds decides."""
        return self.folder / "video"

    def tell(self, step: str, share: float | None = None) -> None:
        """Say what is being done, and how much of it is done."""
        if step != self.step:
            self.step, self.begun = step, time.time()
        self.share = share

    def analysis(self, version: str = ORIGINAL) -> Analysis:
        """What was found in it.

        Raises
        ------
        Gone
            Nothing, yet.
        """
        if version not in self.analyses:
            raise Gone("There is no such version of this video.")
        return self.analyses[version]


class Uploads:
    """All videos that are kept.

    Parameters
    ----------
    folder : Path
        This user's alone.
    limits : Limits
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._kept: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def open(self, declared: int | None) -> Upload:
        """Make room for a video that is about to arrive.

        Parameters
        ----------
        declared : int or None
            Its size in bytes, if that was said; else room is made for the largest.

        Raises
        ------
        TooLarge, NoRoom, Busy
        """
        if declared is not None and declared > self._limits.file_bytes:
            raise self._too_large()
        coming = self._limits.file_bytes if declared is None else declared
        with self._lock:
            others = sum(each.coming for each in self._kept.values())
            free = shutil.disk_usage(self._folder).free
            if free < coming + others + self._limits.spare_bytes:
                raise NoRoom("There is no room left on the disk of this server.")
            # Of one that failed, nothing is kept but the reason.
            ends = [each.expires for each in self._kept.values() if each.state != "failed"]
            if len(ends) >= self._limits.uploads:
                retry_s = max(5, min(60, round(min(ends, default=0) - time.time())))
                raise Busy(
                    f"{len(ends)} videos are kept here already, which is the most. Delete "
                    "one of yours, or try again later.",
                    retry_s,
                )
            folder = self._folder / secrets.token_hex(8)
            folder.mkdir(mode=0o700)
            expires = time.time() + self._limits.keep_s
            upload = Upload(secrets.token_urlsafe(18), folder, expires, coming=coming)
            self._kept[upload.id] = upload
        return upload

    async def receive(self, upload: Upload, stream: AsyncIterator[bytes]) -> None:
        """Write a video as it arrives; whatever goes wrong, nothing of it stays.

        Raises
        ------
        TooLarge, Stalled
        Refusal
            Nothing arrived.
        """
        size = 0
        gathered = bytearray()
        try:
            async with await anyio.open_file(upload.file, "xb") as file:
                async for chunk in self._unstalled(stream):
                    size += len(chunk)
                    if upload.deleted:  # it took too long
                        raise Stalled("The upload took longer than a video is kept.")
                    if size > self._limits.file_bytes:
                        raise self._too_large()
                    gathered += chunk
                    if len(gathered) >= _WRITTEN:
                        await file.write(bytes(gathered))
                        upload.coming -= len(gathered)
                        gathered.clear()
                await file.write(bytes(gathered))
            upload.coming = 0
            if not size:
                raise Refusal("The file is empty.")
        except OSError as error:
            self._drop(upload)
            raise NoRoom("There is no room left on the disk of this server.") from error
        except BaseException:
            self._drop(upload)
            raise

    async def _unstalled(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        parts = aiter(stream)
        ends = anyio.current_time() + self._limits.arrival_s
        while True:
            left = ends - anyio.current_time()
            try:
                with anyio.fail_after(max(0.0, min(left, self._limits.stall_s))):
                    chunk = await anext(parts)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise self._stalled(left) from error
            yield chunk
            if anyio.current_time() >= ends:  # what has come already is read without waiting
                raise self._stalled(0)

    def _stalled(self, left: float) -> Stalled:
        if left > self._limits.stall_s:
            return Stalled(
                f"Nothing arrived for {self._limits.stall_s:.0f} s: the upload was given up."
            )
        return Stalled(
            f"After {self._limits.arrival_s:.0f} s the file had not arrived as a whole: the upload "
            "was given up. Send a smaller file, or over a faster connection."
        )

    def get(self, upload_id: str) -> Upload:
        """Look an upload up.

        Raises
        ------
        Gone
            There is none of this name, or not any more.
        """
        with self._lock:
            upload = self._kept.get(upload_id)
        if upload is None:
            raise Gone("There is no such video here: it was deleted, or its time was over.")
        return upload

    def delete(self, upload_id: str) -> None:
        """Delete an upload with all that is known of it.

        Raises
        ------
        Gone
            There is none of this name, or not any more.
        """
        self._drop(self.get(upload_id))

    def _drop(self, upload: Upload) -> None:
        upload.deleted = True
        with self._lock:
            self._kept.pop(upload.id, None)
        self.forget(upload)

    def forget(self, upload: Upload) -> None:
        """Delete what there is of an upload, now that nothing is done for it any more."""
        upload.analyses.clear()
        shutil.rmtree(upload.folder, ignore_errors=True)

    def fail(self, upload: Upload) -> None:
        """Keep nothing of an upload but why it failed, and that of the last ones only."""
        self.forget(upload)  # first: who hears of the failure finds nothing left
        upload.state = "failed"
        with self._lock:
            failed = [each for each in self._kept.values() if each.state == "failed"]
            for each in failed[:-_REASONS]:
                del self._kept[each.id]

    def expired(self) -> list[str]:
        """Uploads whose time is over."""
        now = time.time()
        with self._lock:
            return [upload.id for upload in self._kept.values() if upload.expires <= now]

    def _too_large(self) -> TooLarge:
        most = self._limits.file_bytes / 1e6
        return TooLarge(f"The file is larger than {most:,.0f} MB, the most that is taken here.")


def media_type(file: Path) -> str:
    """What a browser is told that a video is: by its first bytes, not by a name."""
    with file.open("rb") as opened:
        head = opened.read(64)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return "video/mp4"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/webm"
    if head[:4] == b"OggS":
        return "video/ogg"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[:3] == b"ID3" or head[:2] in (b"\xff\xfb", b"\xff\xf3"):
        return "audio/mpeg"
    return "application/octet-stream"
