"""`lnln init-dataset` and `lnln prepare`: folders of videos, made datasets without copies."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.speakers import NamePattern
from pipeline.paths import DATASETS
from pipeline.telling import say


def init_dataset(
    folder: Annotated[Path, typer.Argument(help="Videos of any names, in any folders.")],
    dataset: Annotated[
        str, typer.Option(help="Section of datasets.yaml that they are to be.")
    ] = "custom",
    speaker_pattern: NamePattern = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="OTHER.csv",
            help="Table with file, or video_id and clip_id, and some of text, label, mode, "
            "speaker: fills what is empty.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Leave out videos or folders of this name, as in '*_test.mp4'; may be repeated.",
        ),
    ] = None,
) -> None:
    """List a folder of videos as a dataset: links in data/<dataset>/Raw, and label.csv.

    Nothing is copied. Text and labels are left empty, but for what --labels gives; fill in what is
    known. A folder at the top of FOLDER is one speaker, and no speaker is in two splits. Run it
    again when there are more videos: lines that are there stay as they are, lines that you deleted
    stay away, and the table as it was is kept as label.csv.old.

    Example: lnln init-dataset interviews/
    """
    from extractors.datasets.from_folder import arrange
    from extractors.datasets.labels import DatasetError
    from extractors.errors import SetupError
    from pipeline.checking import ParamsError
    from pipeline.params import load_datasets
    from pipeline.set_aside import give_back, set_aside

    root = Path("data") / dataset
    try:
        known = load_datasets()
        if dataset not in known:
            raise ParamsError(f"{dataset!r} is no section of {DATASETS}; known: {', '.join(known)}")
        give_back(root)  # of links that lead nowhere, some may be mended now
        arranged = arrange(
            folder, root, speaker_pattern=speaker_pattern, labels=labels, exclude=exclude or ()
        )
        set_aside()
    except (OSError, ParamsError, DatasetError, SetupError) as error:
        sys.exit(f"error: {error}")
    counts = ", ".join(f"{count} {split}" for split, count in arranged.clips.items())
    say(f"{root / 'label.csv'}: {counts}; {arranged.new} new, {arranged.groups} speakers")
    if arranged.old is not None:
        say(f"the table as it was: {arranged.old}")
    for warning in arranged.warnings:
        say(f"warning: {warning}")
    if arranged.relinked:
        say(
            f"warning: {len(arranged.relinked)} links led nowhere, and now lead to videos of the "
            f"same name; are they the same? {', '.join(arranged.relinked[:3])}"
        )
    if not all(arranged.clips.values()):
        say("warning: a split is empty: videos of at least three speakers are needed")
    say("to train, write labels into the column `label`, some in each split; then:")
    say(f"  dvc exp run -S dataset={dataset}")


def prepare(
    dataset: Annotated[str, typer.Argument(help="mosi, mosei or javanese.")],
    source: Annotated[Path, typer.Argument(help="Folder as the dataset's authors ship it.")],
    splits: Annotated[
        Path | None,
        typer.Option(
            help="CSV with columns video_id, mode: the split of each video (javanese: speaker)."
        ),
    ] = None,
) -> None:
    """List a dataset as its authors ship it: CMU-MOSI, CMU-MOSEI, or the Javanese emotion videos.

    Nothing is copied, cut or encoded, and a label.csv that somebody changed is not replaced. Of
    mosi and mosei, label.csv points into the whole videos, words and times come from the
    transcripts, labels from the table of labels; of javanese, names of files say all. The splits
    are those of --splits, for mosi the published ones; a video or speaker that is not in them gets
    one by its name.

    Example: lnln prepare mosi CMU-MOSI/Raw
    """
    from extractors.datasets.cmu.preparing import read_splits
    from extractors.datasets.cmu.published_splits import PUBLISHED
    from extractors.errors import SetupError

    ways = {"mosi": _prepare_cmu, "mosei": _prepare_cmu, "javanese": _prepare_javanese}
    if dataset not in ways:
        sys.exit(f"error: {dataset!r} cannot be prepared; known: {', '.join(ways)}")
    try:
        split_of = PUBLISHED.get(dataset, {}) if splits is None else read_splits(splits)
        ways[dataset](source, Path("data") / dataset, split_of)
    except (OSError, ValueError, SetupError) as error:
        sys.exit(f"error: {error}")


def _prepare_cmu(source: Path, root: Path, video_splits: dict[str, str]) -> None:
    from extractors.datasets.cmu.preparing import prepare as write

    prepared = write(source, root, splits=video_splits)
    say(", ".join(f"{count} without {what}" for what, count in prepared.lacking.items()))
    if prepared.unread:
        say(f"{len(prepared.unread)} lines could not be read, the first: {prepared.unread[0]}")
    say(f"{root / 'label.csv'}: {prepared.segments} segments of whole videos")
    if not video_splits:
        say("warning: without --splits these are not the published splits")
    elif prepared.unnamed:
        _warn_of_unnamed("videos", prepared.unnamed)


def _prepare_javanese(source: Path, root: Path, speaker_splits: dict[str, str]) -> None:
    from extractors.datasets.javanese import prepare as write

    prepared = write(source, root, splits=speaker_splits)
    say(f"{root / 'label.csv'}: {prepared.clips} clips of {prepared.speakers} speakers")
    if prepared.others:
        say(
            f"{len(prepared.others)} videos that are named otherwise were left out, the first: "
            f"{prepared.others[0]}"
        )
    if speaker_splits and prepared.unnamed:
        _warn_of_unnamed("speakers", prepared.unnamed)


def _warn_of_unnamed(what: str, unnamed: list[str]) -> None:
    say(
        f"warning: {len(unnamed)} {what} are not in the splits, which have them by their names "
        f"now: {', '.join(unnamed[:3])}"
    )
