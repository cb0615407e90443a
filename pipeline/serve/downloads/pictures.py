"""The picture of a clip: what `lnln show` draws, with the words as they are now."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

from extractors.api import Features
from lnln.prediction import predict
from pipeline.picture.figure import write_picture
from pipeline.picture.gathering import doubted_in
from pipeline.picture.page import build
from pipeline.picture.subject import Scale, Subject
from pipeline.serve.video.sides import Side

TYPES = {
    "picture.svg": "image/svg+xml",
    "picture.png": "image/png",
    "picture.html": "text/html",
}


def picture(name: str, subject: Subject, features: Features, side: Side, within: Path) -> bytes:
    """Draw a clip, with what moved the answer of a model.

    Parameters
    ----------
    name : str
        One of `TYPES`.
    subject : Subject
        What was gathered when the video was read.
    features : Features
        As the model reads them now.
    side : Side
        The model that is asked.
    within : Path
        Folder for files that are deleted at once.
    """
    config = side.checkpoint.config
    level = None if config.intervals is None else config.intervals.level
    with (
        warnings.catch_warnings(action="ignore", category=UserWarning),
        tempfile.TemporaryDirectory(dir=within) as folder,
    ):
        (prediction,) = predict(features, side.checkpoint, reader=side.reader)
        shown = replace(
            subject,
            name=side.name,
            prediction=prediction,
            scale=Scale(config.label_range, level, config.notice),
            doubted=doubted_in(features, prediction.clip_id),
        )
        if name.endswith(".html"):
            return build(shown).encode()
        svg, png = Path(folder) / "picture.svg", Path(folder) / "picture.png"
        write_picture(shown, svg, png)
        return (svg if name.endswith(".svg") else png).read_bytes()
