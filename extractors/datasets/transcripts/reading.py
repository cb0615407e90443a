"""The words of one transcript, and when they are said."""

import codecs
from pathlib import Path
from typing import NamedTuple

from contracts.plain_files import plain
from extractors.datasets.csv_records import DatasetError
from extractors.datasets.csv_table import filled, is_placeholder, read_csv
from extractors.datasets.transcripts.cues import CueError, read_srt, read_vtt
from extractors.errors import TranscriptError
from extractors.words import Word

SUBTITLES = {".srt": read_srt, ".vtt": read_vtt}
EXTENSIONS = (*SUBTITLES, ".txt")


class Line(NamedTuple):
    """A line of a table: the name of a video, what is said in it, and where that stands."""

    name: str
    text: str
    place: str


def read_transcript(path: Path) -> tuple[str, list[Word]]:
    """Read subtitles or plain text.

    Parameters
    ----------
    path : Path
        Of an extension in `EXTENSIONS`; in UTF-8, or in UTF-16 with a byte order mark.

    Returns
    -------
    str
        The words with single spaces between them; empty if there are none.
    list of Word
        Of subtitles; each has the times of its cue, within which nothing more is known. Of plain
        text there are none.

    Raises
    ------
    TranscriptError
        The file cannot be read, or a line of it is not understood; the message names both.
    """
    content = _decoded(path)
    if not content.strip():
        return "", []
    read = SUBTITLES.get(path.suffix.lower())
    if read is None:
        return " ".join(content.split()), []
    try:
        cues = read(content)
    except CueError as error:
        raise TranscriptError(f"{path}, {error}") from error
    words = [Word(word, c.start_s, c.end_s, None) for c in cues for word in c.text.split()]
    return " ".join(word.word for word in words), words


def read_table(path: Path) -> list[Line]:
    """Read a table of transcripts; lines without a text are left out, placeholders are empty.

    Parameters
    ----------
    path : Path
        A CSV file with the columns `file` and `text`, or as label.csv with `video_id`, `clip_id`
        and `text`.

    Raises
    ------
    TranscriptError
        A column is missing, or a line is not understood.
    """
    try:
        table = read_csv(path, ("file", "text"), ("video_id", "clip_id", "text"))
    except DatasetError as error:
        raise TranscriptError(str(error)) from error
    names = table.columns[:-1]
    rows = []
    for number, line in table.lines():
        place = f"{path}, line {number}"
        fields = [line[name].strip() for name in names]
        if not all(fields):
            raise TranscriptError(f"{place}: {' or '.join(names)} is empty: whose words are these?")
        text = " ".join(filled(line, "text").split())
        if text or is_placeholder(line["text"]):
            rows.append(Line("/".join(fields).replace("\\", "/"), text, place))
    return rows


def _decoded(path: Path) -> str:
    try:
        content = plain(path).read_bytes()
    except OSError as error:
        raise TranscriptError(f"{path} cannot be read: {error.strerror or error}") from error
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        kind = "UTF-16" if wide else "UTF-8"
        raise TranscriptError(f"{path}, line {line} is not {kind}; save it as UTF-8") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TranscriptError(f"{path}, line {line} is no text; save it as UTF-8")
    return text
