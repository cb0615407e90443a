"""The picture of a clip, to be taken along: what `lnln show` draws, with the words as they are now.

Frames and sound are gathered once, by a worker, when the video is read: a damaged file can crash
whoever decodes it. The picture is drawn when somebody asks for it.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

from contracts.schemas import MODALITIES
from extractors.api import Features
from extractors.errors import MediaError
from extractors.workers.session import Session
from lnln.prediction import Prediction, predict
from pipeline.picture.figure import write_picture
from pipeline.picture.gathering import doubted_in, gather
from pipeline.picture.page import build
from pipeline.picture.subject import Scale, Subject
from pipeline.serve.sides import Side

KINDS = {
    "picture.svg": "image/svg+xml",
    "picture.png": "image/png",
    "picture.html": "text/html",
}
_NOT_ASKED = Prediction("", None, w=None, observed=dict.fromkeys(MODALITIES, 0.0))


def gathered(features: Features, session: Session) -> Subject | None:
    """Gather what the picture of a single clip shows; None where that fails.

    Parameters
    ----------
    features : Features
        With landmarks.
    session : Session
    """
    try:
        return gather(features, _NOT_ASKED, Scale((-1, 1), None, None), session)
    except MediaError:
        return None


def picture(name: str, subject: Subject, features: Features, side: Side, within: Path) -> bytes:
    """Draw a clip; one thread at a time may, since matplotlib is for one.

    Parameters
    ----------
    name : str
        One of `KINDS`.
    subject : Subject
        Of `gathered`.
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
