"""The picture of a clip, sampled by time."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import av
import numpy as np

from extractors.media import Clip, Damage, decoded, first_stream, opened, origin_s, packets

_EPSILON_S = 1e-4  # time stamps are rounded to the container's clock
_USUAL_FPS = 25.0  # where the file does not say
_PREROLL_S = 2.0  # some containers can only be searched roughly


class _Shown(NamedTuple):
    frame: Any
    begin_s: float  # relative to the clip's start
    end_s: float


def sample_frames(
    clip: Clip, rows: int, step_s: float, max_side: int, damage: Damage
) -> Iterator[np.ndarray | None]:
    """The frame shown at each of a clip's row times, one at a time.

    Row i stands for time start_s + i * step_s. Its frame is the last one with a time stamp not
    after that; if none is shown then, the first that appears within the row's step. The last
    frame, and one before damage, is shown for its own duration only.

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
        RGB, turned as the file's rotation says, contiguous. None: nothing is shown.

    Raises
    ------
    MediaError
        The file cannot be opened.
    """
    row = 0
    for shown in _shown(clip, damage):
        while row < rows and (row + 1) * step_s <= shown.begin_s + _EPSILON_S:
            yield None
            row += 1
        picture: np.ndarray | None = None
        while row < rows and row * step_s < shown.end_s - _EPSILON_S:
            if picture is None:
                picture = _to_rgb(shown.frame, max_side)
            yield picture
            row += 1
        if row == rows:
            return
    for _ in range(row, rows):
        yield None


def _shown(clip: Clip, damage: Damage) -> Iterator[_Shown]:
    """Every frame with the time from which and until which it is seen."""
    waiting: _Shown | None = None
    damaged = damage.packets
    for current in _timed(clip, damage):
        if waiting is not None:
            held = damage.packets == damaged  # else it is not known what was there in between
            end_s = current.begin_s if held else min(current.begin_s, waiting.end_s)
            yield waiting._replace(end_s=end_s)
        waiting, damaged = current, damage.packets
    if waiting is not None:
        yield waiting


def _timed(clip: Clip, damage: Damage) -> Iterator[_Shown]:
    """Every frame in order, with its own duration."""
    with opened(clip.path) as container:
        stream = first_stream(container, "video")
        if stream is None:
            return
        zero_s = origin_s(container) + clip.start_s
        if clip.start_s > _PREROLL_S:
            container.seek(int((zero_s - _PREROLL_S) * av.time_base))
        rate = stream.average_rate or stream.guessed_rate or _USUAL_FPS
        usual_s = 1 / float(rate)
        next_s = 0.0
        latest_s = -float("inf")
        for packet in packets(container, [stream], damage):
            for frame in decoded(packet, damage):
                begin_s = next_s if frame.time is None else frame.time - zero_s
                if begin_s <= latest_s:  # time never runs backwards
                    begin_s = next_s
                own_s = float((frame.duration or 0) * frame.time_base) if frame.time_base else 0.0
                next_s, latest_s = begin_s + max(own_s, usual_s), begin_s
                yield _Shown(frame, begin_s, next_s)


def _to_rgb(frame: Any, max_side: int) -> np.ndarray:
    scale = min(1.0, max_side / max(frame.width, frame.height))
    width, height = round(frame.width * scale), round(frame.height * scale)
    rgb = frame.to_ndarray(format="rgb24", width=max(width, 1), height=max(height, 1))
    turned = np.rot90(rgb, k=round(frame.rotation / 90) % 4)
    # PyAV pads rows (a width of 360 comes with a stride of 1104), and MediaPipe then finds no
    # face in any frame without saying so.
    return np.ascontiguousarray(turned)
