"""What can be taken along of a video, and how it is made."""

from __future__ import annotations

from pathlib import Path

from pipeline.serve.downloads import features, pictures, timelines
from pipeline.serve.refusals import Gone
from pipeline.serve.video.analysis import Analysis
from pipeline.serve.video.sides import Side

TYPES = {features.NAME: features.TYPE, **timelines.TYPES, **pictures.TYPES}


def offered(analysis: Analysis) -> list[str]:
    """Names of what there is of a video; of a recording in utterances there is no picture."""
    drawn = [] if analysis.subject is None else pictures.TYPES
    return [features.NAME, *timelines.TYPES, *drawn]


def made(name: str, analysis: Analysis, side: Side, within: Path) -> bytes:
    """Make a file; one thread at a time may, since matplotlib is for one.

    Parameters
    ----------
    name : str
    analysis : Analysis
    side : Side
        The model that is asked.
    within : Path
        Folder for files that are deleted at once.

    Raises
    ------
    Gone
        There is no such thing of this video.
    """
    if name not in offered(analysis):
        raise Gone(f"There is no {name} of this video.")
    if name == features.NAME:
        return features.packed(analysis, within)
    if name in timelines.TYPES:
        return timelines.written(name, analysis, side, within)
    assert analysis.subject is not None
    return pictures.picture(name, analysis.subject, analysis.of(side)[0], side, within)
