"""A timeline as captions, WebVTT or SRT, to be shown by any player over the video."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.report.tables import word
from pipeline.timeline.recording import Timeline


def webvtt(timeline: Timeline) -> str:
    """WebVTT: the score in a class named for what it is called, then what is said.

    A page can colour the classes ``negative``, ``neutral``, ``positive`` and ``none``.
    """
    blocks = ["WEBVTT"]
    notice = timeline.about["notice"]
    if notice:
        blocks.append(f"NOTE\nThis model was {_plain(notice).replace('-->', '->')}.")
    for number, row, called in _rows(timeline):
        text = _plain(row["text"]).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        cue = f"<c.{called}>{_score(row)} {called}</c> {text}".rstrip()
        blocks.append(f"{number}\n{_time(row['start_s'])} --> {_time(row['end_s'])}\n{cue}")
    return "\n\n".join(blocks) + "\n"


def srt(timeline: Timeline) -> str:
    """SubRip: the score in brackets, then what is said."""
    blocks = []
    for number, row, called in _rows(timeline):
        start, end = (_time(row[key]).replace(".", ",") for key in ("start_s", "end_s"))
        text = _plain(row["text"]).replace("-->", "->")
        cue = f"[{_score(row)} {called}] {text}".rstrip()
        blocks.append(f"{number}\n{start} --> {end}\n{cue}")
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _rows(timeline: Timeline) -> Iterator[tuple[int, dict[str, Any], str]]:
    for number, row in enumerate(timeline.table.to_pylist(), start=1):
        score = row["prediction"]
        called = "none" if score is None else word(score, timeline.about["label_range"])
        yield number, row, called


def _score(row: dict[str, Any]) -> str:
    return "-" if row["prediction"] is None else f"{row['prediction']:+.2f}"


def _plain(text: str) -> str:
    """One line: an empty one would end a caption."""
    return " ".join(text.split())


def _time(seconds: float) -> str:
    whole = round(seconds * 1000)
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
