"""`lnln init-dataset` and `lnln prepare`: folders of videos, made datasets without copies."""

import csv
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


def prepare(
    dataset: Annotated[str, typer.Argument(help="mosi or mosei.")],
    source: Annotated[Path, typer.Argument(help="Folder as the dataset's authors ship it.")],
    splits: Annotated[
        Path | None, typer.Option(help="CSV with columns video_id, mode: the split of each video.")
    ] = None,
) -> None:
    """List CMU-MOSI or CMU-MOSEI as a dataset: label.csv points into the whole videos.

    Nothing is copied, cut or encoded. Words and times come from the transcripts, labels from the
    table of labels. The splits are those of --splits, for mosi the published ones; a video that is
    not in them gets one by its name.

    Example: lnln prepare mosi CMU-MOSI/Raw
    """
    from extractors.folds import PUBLISHED
    from extractors.preparing import prepare as write

    if dataset not in ("mosi", "mosei"):
        sys.exit(f"error: {dataset!r} cannot be prepared; known: mosi, mosei")
    root = Path("data") / dataset
    try:
        modes = PUBLISHED.get(dataset, {})
        if splits is not None:
            with splits.open(newline="", encoding="utf-8-sig") as file:
                modes = {line["video_id"]: line["mode"] for line in csv.DictReader(file)}
        found = write(source, root, modes=modes)
    except (OSError, KeyError, ValueError, SetupError) as error:
        sys.exit(f"error: {error}")
    print(
        ", ".join(f"{count} without {what}" for what, count in found.items() if what != "segments")
    )
    print(f"{root / 'label.csv'}: {found['segments']} segments of whole videos")
    if not modes:
        print("warning: without --splits these are not the published splits")
