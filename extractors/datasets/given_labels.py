"""Labels that somebody has in a table of another form, and the videos that they are of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from contracts.messages import message
from contracts.schemas import SPLITS
from extractors.datasets.csv_records import DatasetError
from extractors.datasets.csv_table import Line, filled, read_csv
from extractors.datasets.labels import number
from extractors.datasets.transcripts.finding import Found, fitting

_NUMBERS = ("label", "label_T", "label_A", "label_V")
TAKEN = ("text", *_NUMBERS, "mode", "speaker")  # columns of label.csv that such a table may fill


class GivenLabels(NamedTuple):
    """Fields of `TAKEN` that are filled, by video, and messages about what did not fit."""

    fields: dict[Path, Line]
    warnings: list[str]


def read_given(path: Path, videos: Sequence[Path]) -> GivenLabels:
    """Read a table and find whose its lines are.

    Parameters
    ----------
    path : Path
        CSV with the column `file`, or `video_id` and `clip_id`, and some of `TAKEN`. A name is a
        video's with or without its extension, and with as many folders as tell it apart.
    videos : sequence of Path

    Raises
    ------
    DatasetError
        It cannot be read, has none of these columns, a field that label.csv cannot hold, a line
        that fits several videos, or two that fit one.
    """
    table = read_csv(path, ("file",), ("video_id", "clip_id"))
    columns = [name for name in TAKEN if name in table.names]
    if not columns:
        raise DatasetError(
            f"{path} has none of the columns {', '.join(TAKEN)}: what is it to give?"
        )
    lines: dict[Found, Line] = {}
    for row, line in table.lines():
        where = f"{path}, line {row}"
        names = [line[name].strip() for name in table.columns]
        if not all(names):
            raise DatasetError(
                f"{where}: {' or '.join(table.columns)} is empty: whose label is it?"
            )
        fields = {name: filled(line, name) for name in columns if filled(line, name)}
        _check(fields, where)
        name = PurePosixPath("/".join(names).replace("\\", "/"))
        lines[Found(name, where)] = fields
    fits = fitting(lines, [str(video) for video in videos], "")
    uses = Counter(found for its in fits for found in its)
    for found, times in uses.items():
        if times > 1:
            raise DatasetError(
                f"{found.place}: {found.name} fits {times} videos: name their folders, too"
            )
    for video, its in zip(videos, fits, strict=True):
        if len(its) > 1:
            raise DatasetError(f"{its[0].place} and {its[1].place} are both of {video}: keep one")
    given = {video: lines[its[0]] for video, its in zip(videos, fits, strict=True) if its}
    warnings = table.warnings()
    unused = [found for found in lines if found not in uses]
    if unused:
        warnings.append(
            message(
                f"{len(unused)} of {len(lines)} lines in {path} are of none of the videos, the "
                f"first of {unused[0].name} ({unused[0].place})"
            )
        )
    without = [video for video in videos if video not in given]
    if without:
        warnings.append(
            message(
                f"{len(without)} of {len(videos)} videos are not in {path}, the first: {without[0]}"
            )
        )
    return GivenLabels(given, warnings)


def _check(fields: Mapping[str, str], where: str) -> None:
    """Raise DatasetError for a field that label.csv cannot hold."""
    if fields.get("mode", SPLITS[0]) not in SPLITS:
        raise DatasetError(f"{where}: mode is {fields['mode']!r}, not one of {', '.join(SPLITS)}")
    try:
        for name in _NUMBERS:
            number(dict(fields), name)
    except ValueError as error:
        raise DatasetError(f"{where}: {error}") from error
