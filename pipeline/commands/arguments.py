"""Arguments and options that several commands have."""

from typing import Annotated

import typer


def _named(videos: list[str]) -> list[str]:
    if "" in videos:  # an unset variable; as a path it would be the current folder
        raise typer.BadParameter("one of the names is empty")
    return videos


Videos = Annotated[
    list[str],
    typer.Argument(
        help="Video files, and folders to search for them; URLs (s3://...) too.", callback=_named
    ),
]
Workers = Annotated[int, typer.Option(min=0, help="Extraction processes; 0: one per core.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never download a model.")]
