"""Encode frames and samples as a small MP4, reproducibly to the byte."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import AudioStream, VideoStream
from av.codec.context import Flags
from av.container import OutputContainer

VIDEO_OPTIONS = {"preset": "slow", "threads": "1", "g": "250"}
AUDIO_BITS_PER_S = 32_000


def write_clip(
    path: Path,
    frames: Iterable[np.ndarray] | None,
    samples: np.ndarray | None,
    *,
    size: int,
    fps: int,
    sample_rate: int,
    h264: Mapping[str, str],
) -> None:
    """Write an MP4 with h264 and AAC, atomically.

    Parameters
    ----------
    path : Path
    frames : iterable of ndarray, uint8 [size, size, 3], or None
        RGB; None: no video stream.
    samples : ndarray, float32 [samples], or None
        Mono, -1 to 1; None: no audio stream.
    size : int
        Side of the frames, pixels.
    fps, sample_rate : int
        Per second.
    h264 : mapping of str to str
        More options of the encoder, such as its quality, crf.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with av.open(str(partial), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        # Streams cannot be added once the first packet is written.
        picture = None if frames is None else add_picture(container, size, fps, h264)
        sound = None if samples is None else add_sound(container, sample_rate)
        if picture is not None and frames is not None:
            for i, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = i, Fraction(1, fps)
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        if sound is not None and samples is not None:
            for start in range(0, len(samples), 1024):  # AAC's frame length
                piece = np.ascontiguousarray(samples[None, start : start + 1024])
                block = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                block.sample_rate, block.pts = sample_rate, start
                block.time_base = Fraction(1, sample_rate)
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))
    partial.replace(path)


def add_picture(
    container: OutputContainer, size: int, fps: int, h264: Mapping[str, str]
) -> VideoStream:
    """Add a square h264 stream, encoded by one thread, as more would make the bytes vary."""
    stream = container.add_stream("libx264", rate=fps, options={**VIDEO_OPTIONS, **h264})
    stream.width = stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= Flags.bitexact
    return stream


def add_sound(container: OutputContainer, sample_rate: int) -> AudioStream:
    """Add a mono AAC stream."""
    stream = container.add_stream("aac", rate=sample_rate, layout="mono")
    stream.bit_rate = AUDIO_BITS_PER_S
    stream.codec_context.flags |= Flags.bitexact
    return stream
