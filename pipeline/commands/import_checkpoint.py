"""`lnln import-checkpoint`: models of the published code."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.paths import MODEL
from pipeline.telling import say


def import_checkpoint(
    file: Annotated[Path, typer.Argument(help="What the published code wrote, such as best.pth.")],
    config: Annotated[
        str, typer.Option(help="Published settings it was trained with: mosi, mosei or sims.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write to; models/<config>.")
    ] = None,
) -> None:
    """Turn a checkpoint of the published LNLN code into a model of ours.

    Nothing in the file can run. The model reads MMSA's features, not raw video.

    Example: lnln import-checkpoint best.pth --config mosi
    """
    from contracts.files import replacing_folder
    from lnln.checkpoints.config import CheckpointError
    from lnln.checkpoints.importing import import_checkpoint as read

    folder = out or MODEL.parent / config
    if folder.exists():
        sys.exit(f"error: {folder} is there already: delete it, or give another --out")
    try:
        checkpoint = read(file, config)
        with replacing_folder(folder) as new:  # never a model without its config
            checkpoint.save_pretrained(new)
    except (OSError, CheckpointError) as error:
        sys.exit(f"error: {error}")
    say(f"written to {folder}; what it is, and its limits: {folder / 'README.md'}")
