"""`lnln init-dataset`: a folder of videos, made a dataset of one's own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from extractors.errors import SetupError


def init_dataset(
    folder: Annotated[Path, typer.Argument(help="Videos of any names, in any folders.")],
    dataset: Annotated[
        str, typer.Option(help="Section of datasets.yaml that they are to be.")
    ] = "custom",
) -> None:
    """List a folder of videos as a dataset: links in data/<dataset>/Raw, and label.csv.

    Nothing is copied. Text and labels are left empty; fill in what is known. A folder at the top
    is one speaker, and no speaker is in two splits. Run it again when there are more videos: lines
    that are there stay as they are.

    Example: lnln init-dataset interviews/
    """
    from extractors.arranging import arrange

    root = Path("data") / dataset
    try:
        found = arrange(folder, root)
    except (OSError, SetupError) as error:
        sys.exit(f"error: {error}")
    counts = ", ".join(f"{count} {split}" for split, count in found.clips.items())
    print(f"{root / 'label.csv'}: {counts}; {found.new} new, {found.speakers} speakers")
    if not all(found.clips.values()):
        print("warning: a split is empty: videos of at least three speakers are needed")
    print("to train, write labels into the column `label`, some in each split; then:")
    print(f"  dvc exp run -S dataset={dataset}")
