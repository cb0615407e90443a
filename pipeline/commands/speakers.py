"""Who speaks in new videos, as their names say: the option `--speaker-pattern`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # the help does without
    import pyarrow as pa


def _checked(pattern: str | None) -> str | None:
    if pattern is None:
        return None
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise typer.BadParameter(f"{pattern!r} is no regular expression: {error}") from None
    if not groups:
        raise typer.BadParameter(
            f"{pattern!r} has no group: put what names the speaker into brackets, as in '(\\d+)_'"
        )
    return pattern


NamePattern = Annotated[
    str | None,
    typer.Option(
        "--speaker-pattern",
        metavar="REGEX",
        help="Finds the speaker in a file's name: the first group. Without it a folder at the top "
        "is one speaker, and so is a video that lies in none.",
        callback=_checked,
    ),
]

SpeakerPattern = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX",
        help="Finds the speaker in a file's name: the first group. Voice and face are compared "
        "with what is usual for that speaker in all the files named. Without it every file is its "
        "own speaker. Only for models trained with normalisation=speaker.",
        callback=_checked,
    ),
]


def speakers_of(paths: Iterable[str], pattern: str) -> list[str]:
    """Find the speaker in the name of every file; end with a message where there is none."""
    speakers = []
    for path in paths:
        name = PurePath(path).name
        found = re.search(pattern, name)
        if not found or not found[1]:
            sys.exit(
                f"error: --speaker-pattern {pattern!r} finds no speaker in the name {name!r}: "
                "change it, or predict that file in a call of its own"
            )
        speakers.append(found[1])
    return speakers


def with_speakers(manifest: pa.Table, pattern: str) -> pa.Table:
    """Return a manifest whose groups are the speakers that the names of the files say."""
    import pyarrow as pa

    speakers = speakers_of(manifest["path"].to_pylist(), pattern)
    column = manifest.schema.get_field_index("group")
    return manifest.set_column(column, manifest.schema.field(column), pa.array(speakers))
