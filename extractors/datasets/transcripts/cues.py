"""Subtitles: the cues of SubRip (.srt) and WebVTT (.vtt) files, each line accounted for.

The formats are those of https://www.w3.org/TR/webvtt1/ and of SubRip, which has no standard: cues
in blocks, an optional name, a line of times, lines of text. A library that skips what it cannot
read would lose words without a word about it: here a line that is not understood is an error.
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

_TIMES = re.compile(
    r"^\s*(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)[,.](\d{1,3})\s*-->"
    r"\s*(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)[,.](\d{1,3})(?:\s.*)?$"
)
# <i>, </v>, <v Ann>, <c.loud>, <00:01.500>, and {\an8} of SubRip; not "a < b".
_TAGS = re.compile(r"</?[A-Za-z][^<>]*>|</?\d[\d:.]*>|\{\\[^{}]*\}")
_BEYOND = re.compile(r"&#\d{8,};?")  # which html would take for numbers of any length
_NO_CUES = ("NOTE", "STYLE", "REGION")  # blocks of WebVTT


class Cue(NamedTuple):
    """What is said from one time to another, s from the start of the file; may be empty."""

    text: str
    start_s: float
    end_s: float


class CueError(ValueError):
    """A line that is no part of a cue; the message begins with its number."""


def read_srt(content: str) -> list[Cue]:
    """Read SubRip.

    Parameters
    ----------
    content : str
        Of the file; its lines may end in any way.

    Returns
    -------
    list of Cue
        By the time at which they begin; they may overlap. Tags are left out of the text.

    Raises
    ------
    CueError
        A block has no line of times, or a cue ends before it begins.
    """
    return sorted((_cue(*block) for block in _blocks(content)), key=_begin)


def read_vtt(content: str) -> list[Cue]:
    """Read WebVTT, as `read_srt` does; notes, styles and regions are skipped.

    Raises
    ------
    CueError
        As `read_srt`, or the file does not begin with WEBVTT.
    """
    blocks = list(_blocks(content))
    if blocks and blocks[0][1][0].split(maxsplit=1)[:1] != ["WEBVTT"]:
        raise CueError("line 1: a WebVTT file begins with WEBVTT")
    cues = (_cue(*block) for block in blocks[1:] if not _is_no_cue(block[1]))
    return sorted(
        (cue._replace(text=" ".join(_unescaped(cue.text).split())) for cue in cues), key=_begin
    )


def _unescaped(text: str) -> str:
    """A text with the characters that its entities stand for; U+FFFD for a number beyond all."""
    return html.unescape(_BEYOND.sub("\ufffd", text))


def _begin(cue: Cue) -> float:
    return cue.start_s


def _blocks(content: str) -> Iterator[tuple[int, list[str]]]:
    """Lines between empty lines, each block with the number of its first."""
    block: list[str] = []
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _is_no_cue(block: list[str]) -> bool:
    return block[0].split(maxsplit=1)[0] in _NO_CUES and not any("-->" in line for line in block)


def _cue(number: int, block: list[str]) -> Cue:
    """A cue from its block, which begins at line `number`."""
    named = "-->" not in block[0] and len(block) > 1
    times, spoken = block[named], block[named + 1 :]
    at = number + named
    match = _TIMES.match(times)
    if match is None:
        raise CueError(
            f"line {at}: {times.strip()[:60]!r} is not the times of a cue, such as "
            "00:00:01,500 --> 00:00:04,000"
        )
    for further, line in enumerate(spoken, start=at + 1):
        if "-->" in line:
            raise CueError(
                f"line {further}: times in the midst of a cue; an empty line is missing before it"
            )
    start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
    if end < start:
        raise CueError(f"line {at}: the cue ends at {end:g} s, before it begins at {start:g} s")
    return Cue(" ".join(_TAGS.sub("", " ".join(spoken)).split()), start, end)


def _seconds(fields: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = (field or "0" for field in fields)
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}")
