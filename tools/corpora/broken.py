"""Five entries that cannot be used: the pipeline must quarantine each with its reason."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from encode import write_clip

COLUMNS = ("video_id", "clip_id", "text", "mode", "broken")
ENTRIES = [
    dict(zip(COLUMNS, values, strict=True))
    for values in (
        ("milo", "truncated", "The recording of this sentence was cut off.", "train", "truncated"),
        ("fiona", "empty", "There is nothing in this file.", "valid", "empty"),
        ("karl", "renamed", "This file holds a line of text.", "train", "not_a_video"),
        ("ivy", "nothing", "", "train", "nothing_observed"),
        ("../../outside", "001", "This path leaves the corpus.", "train", "outside_root"),
    )
]


def write_broken(
    root: Path, *, size: int, fps: int, sample_rate: int, h264: Mapping[str, str]
) -> None:
    """Write the four broken files into `root`/Raw; the fifth entry has no file."""
    raw = root / "Raw"
    whole = (raw / "milo" / "001.mp4").read_bytes()
    # The index of an MP4 (moov) is at its end: the first half cannot be opened.
    (raw / "milo" / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (raw / "fiona" / "empty.mp4").write_bytes(b"")
    (raw / "karl" / "renamed.mp4").write_text("This is a line of text, whatever its name says.\n")
    silence = np.zeros(2 * sample_rate, np.float32)
    write_clip(
        raw / "ivy" / "nothing.mp4",
        None,
        silence,
        size=size,
        fps=fps,
        sample_rate=sample_rate,
        h264=h264,
    )
