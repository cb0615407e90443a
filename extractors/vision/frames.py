"""The frames of a clip at regular times."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from extractors.media.clip import Clip
from extractors.media.container import Damage, decoded, opened
from extractors.media.orientation import Orientation, orientation_of

_EPSILON_S = 1e-4  # time stamps are rounded to the container's clock
_DEFAULT_FPS = 25.0  # if the file does not say
_PREROLL_S = 2.0  # seeks go that far before a segment: some containers seek imprecisely
_WIDEST_PIXEL = 4.0  # larger ratios of width to height are taken for damage


class _Shown(NamedTuple):
    frame: Any
    pixel_aspect: float
    begin_s: float  # relative to the clip's start
    end_s: float


def sample_frames(
    clip: Clip, rows: int, step_s: float, max_side: int, damage: Damage
) -> Iterator[np.ndarray | None]:
    """The frame that is shown at the time of each row of a clip, one at a time.

    Row i is at time start_s + i * step_s. Its frame is the last one with a time stamp up to then;
    if none is shown at that time, the first one that appears before the next row. The last frame,
    and a frame before damage, are shown for their own duration only.

    Parameters
    ----------
    clip : Clip
    rows : int
        How many frames to yield.
    step_s : float
        Time between rows, s.
    max_side : int
        Longer frames are scaled down to this, pixels.
    damage : Damage
        Counts what could not be decoded.

    Yields
    ------
    ndarray, uint8 [height, width, 3], or None
        RGB with square pixels, upright as the file says, contiguous; None where nothing is shown.
        While a frame is held, it is the same array row after row.

    Raises
    ------
    MediaError
        The file cannot be opened.
    """
    row = 0
    renderer = _Renderer(max_side)
    for shown in _shown(clip, damage):
        while row < rows and (row + 1) * step_s <= shown.begin_s + _EPSILON_S:
            yield None
            row += 1
        picture: np.ndarray | None = None
        while row < rows and row * step_s < shown.end_s - _EPSILON_S:
            if picture is None:
                picture = renderer.picture(shown.frame, shown.pixel_aspect)
            yield picture
            row += 1
        if row == rows:
            return
    for _ in range(row, rows):
        yield None


def _shown(clip: Clip, damage: Damage) -> Iterator[_Shown]:
    """Every frame with the times at which it appears and disappears."""
    waiting: _Shown | None = None
    damaged = damage.packets
    for current in _timed(clip, damage):
        if waiting is not None:
            intact = damage.packets == damaged  # else it is not known what was shown in between
            end_s = current.begin_s if intact else min(current.begin_s, waiting.end_s)
            yield waiting._replace(end_s=end_s)
        waiting, damaged = current, damage.packets
    if waiting is not None:
        yield waiting


def _timed(clip: Clip, damage: Damage) -> Iterator[_Shown]:
    """Every frame in order, shown for its own duration."""
    with opened(clip.path) as file:
        stream = file.first_stream("video")
        if stream is None:
            return
        zero_s = file.origin_s + clip.start_s
        next_s = -clip.start_s  # time of the next frame if it has no time stamp
        if clip.start_s > _PREROLL_S and file.seek(clip.start_s - _PREROLL_S):
            next_s = -_PREROLL_S
        rate = stream.average_rate or stream.guessed_rate or _DEFAULT_FPS
        usual_s = 1 / float(rate)
        pixel_aspect = _pixel_aspect(stream)
        stream.thread_count = 1  # one worker, one core
        latest_s = -float("inf")
        for packet in file.packets([stream], damage):
            for frame in decoded(packet, damage):
                begin_s = next_s if frame.time is None else frame.time - zero_s
                if begin_s <= latest_s:  # time never runs backwards
                    begin_s = next_s
                duration_s = (
                    float((frame.duration or 0) * frame.time_base) if frame.time_base else 0.0
                )
                next_s, latest_s = begin_s + max(duration_s, usual_s), begin_s
                yield _Shown(frame, pixel_aspect, begin_s, next_s)


class _Renderer:
    """Makes pictures of decoded frames: scaled, with square pixels, and upright."""

    def __init__(self, max_side: int) -> None:
        self._max_side = max_side
        self._scaler = VideoReformatter()  # reused, as it keeps its tables

    def picture(self, frame: Any, pixel_aspect: float) -> np.ndarray:
        width, height = frame.width, frame.height
        if pixel_aspect > 1:
            width *= pixel_aspect
        else:
            height /= pixel_aspect
        scale = min(1.0, self._max_side / max(width, height))
        scaled = self._scaler.reformat(
            frame,
            width=max(round(width * scale), 1),
            height=max(round(height * scale), 1),
            format="rgb24",
            threads=1,  # one worker, one core
        )
        # PyAV pads rows (a width of 360 comes with a stride of 1104), and MediaPipe then finds no
        # face in any frame without saying so.
        return np.ascontiguousarray(upright(scaled.to_ndarray(), orientation_of(frame)))


def upright(picture: np.ndarray, orientation: Orientation) -> np.ndarray:
    """Mirror and turn a picture [height, width, 3], stored in some orientation, as it is meant."""
    mirrored = picture[:, ::-1] if orientation.mirrored else picture
    return rotated(mirrored, orientation.degrees)


def rotated(picture: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate a picture anticlockwise and enlarge it so that nothing is cut off.

    Parameters
    ----------
    picture : ndarray, uint8 [height, width, 3]
    degrees : float
        Taken for a multiple of 90 if within 1 of it. Otherwise the new corners are black.
    """
    quarters = round(degrees / 90)
    if abs(degrees - 90 * quarters) <= 1:
        return np.rot90(picture, k=quarters % 4)
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    sides = np.abs(matrix[:, :2]) @ (width, height)
    new_width, new_height = (int(side) for side in np.ceil(sides))
    matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    return cv2.warpAffine(np.ascontiguousarray(picture), matrix, (new_width, new_height))


def _pixel_aspect(stream: Any) -> float:
    """Width of a pixel over its height; 1 if the file says nothing plausible."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 1 / _WIDEST_PIXEL <= aspect <= _WIDEST_PIXEL else 1.0
