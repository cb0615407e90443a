"""`lnln forget`: delete what the project holds of a person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.messages import some
from pipeline.paths import DATA, DATASETS, PARAMS
from pipeline.telling import say, tell

if TYPE_CHECKING:  # the help does without
    from pipeline.commands.traces import Traces, Wanted


def forget(
    clips: Annotated[
        list[str] | None,
        typer.Argument(help="Clips, as video_id/clip_id; a video_id alone is all of its clips."),
    ] = None,
    speaker: Annotated[
        list[str] | None,
        typer.Option(help="All clips of this speaker: of the column speaker, else the video_id."),
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="All clips of the dataset.")] = False,
    dataset: Annotated[
        str | None,
        typer.Option(help="Whose folder in data/ they are in; needed where several name them."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
) -> None:
    """Delete a person's clips from a dataset, and what was made from them.

    Deleted are their lines in label.csv (no copy of the old file is kept), their links and files in
    Raw/, their entries in the cache and their rows in outputs/. Videos to which links lead stay.
    What else may hold something of them, such as trained models, DVC's cache and git's history, is
    listed with the commands that delete it. When it was interrupted, run it again.

    Example: lnln forget --speaker ann

    Example: lnln forget interview1/003 interview2 --dataset custom
    """
    from extractors.datasets.labels import DatasetError, composed
    from extractors.errors import SetupError
    from pipeline.checking import ParamsError
    from pipeline.commands.traces import TraceError

    names, voices = ({composed(name) for name in given or ()} for given in (clips, speaker))
    if not (names or voices or everybody):
        sys.exit("error: nobody is named: give clips, --speaker, or --all with --dataset")
    if everybody and dataset is None:
        sys.exit("error: --all needs --dataset: whose clips?")

    def wanted(clip: str, group: str) -> bool:
        video = clip.partition("/")[0]
        return everybody or clip in names or video in names or composed(group) in voices

    try:
        traces = _found(dataset, wanted)
        _show(traces)
        if not yes:
            if sys.stdin is None:  # nobody can answer
                sys.exit("error: nothing was deleted: nobody can be asked here; give --yes")
            if not typer.confirm("Delete this for good?"):
                sys.exit("nothing was deleted")
        _delete(traces)
    except (OSError, DatasetError, ParamsError, SetupError, TraceError) as error:
        sys.exit(f"error: {error}")
    _tell_remaining(traces)


def _found(dataset: str | None, wanted: Wanted) -> Traces:
    """The one dataset that has such clips."""
    from pipeline.commands.traces import datasets, find, speakers
    from pipeline.set_aside import give_back

    roots = [DATA / dataset] if dataset else datasets()
    for root in roots:
        give_back(root)  # links that lead nowhere are links of theirs, too
    found = [traces for root in roots if (traces := find(root, wanted)).clips]
    if len(found) > 1:
        where = ", ".join(traces.root.name for traces in found)
        sys.exit(f"error: there are such clips in several datasets ({where}): name one, --dataset")
    if not found:
        known = sorted({name for root in roots for name in speakers(root)})
        places = ", ".join(map(str, roots)) or DATA
        sys.exit(
            f"error: {places} and the outputs have no such clip (any more); speakers are: "
            f"{some(known, 10) or 'none'}"
        )
    return found[0]


def _show(traces: Traces) -> None:
    from extractors.datasets.labels import clip_name

    lines = sum(clip_name(line) in traces.clips for line in traces.lines)
    names = sorted(traces.clips)
    say(f"{len(names)} clips: {some(names, 5)}")
    say(f"{traces.root / 'label.csv'}: {lines} lines (no copy of the old file is kept)")
    say(f"{traces.root / 'Raw'}: {len(traces.raw.links)} links")
    if traces.raw.files:
        say(f"{traces.root / 'Raw'}: {len(traces.raw.files)} files that are no links, such as "
              f"{traces.raw.files[0]}: the videos themselves")  # fmt: skip
    for path, count in traces.tables.items():
        say(f"{path}: {count} rows")
    say("the cache: their entries")
    for path in (*traces.raw.originals, *traces.raw.shared):
        say(f"not deleted: {path}")


def _delete(traces: Traces) -> None:
    """Delete everything, that by which the clips are found last: interrupted, it begins again."""
    from contracts.removing import remove_rows
    from extractors.datasets.removing import remove_files, remove_lines
    from pipeline.set_aside import set_aside

    say(f"cache: {_forget_entries(traces)} entries deleted")
    for path in traces.tables:
        remove_rows(path, traces.clips)
    say(f"tables: rows deleted in {len(traces.tables)}")
    remove_files(traces.root, traces.raw)
    say(f"Raw: {len(traces.raw.links) + len(traces.raw.files)} files deleted")
    # Other tables first: from label.csv itself the clips are found.
    for path in sorted(traces.labels, key=lambda path: path.name == "label.csv"):
        try:
            say(f"{path}: {remove_lines(path, traces.clips)} lines deleted")
        except ValueError as error:
            tell("warning", f"look into {path}: {error}")
    set_aside()


def _forget_entries(traces: Traces) -> int:
    """Delete what the cache keeps of the clips; files that are there are hashed for it."""
    import os

    from extractors.datasets.probing import probe_rows
    from extractors.forgetting import forget_entries
    from extractors.settings import RunSettings
    from extractors.workers.cache import VARIABLE
    from extractors.workers.opening import opened
    from extractors.workers.session import Session
    from pipeline.params import load_params

    url = os.environ.get(VARIABLE) or (load_params().run.cache if PARAMS.exists() else "")
    if not url:
        return 0
    present, rows = _present(traces), list(traces.rows)
    if present:
        with Session(RunSettings(cache=url, offline=True)) as session:
            rows += probe_rows(present, session)[0].to_pylist()
    with opened(url) as cache:
        return forget_entries(cache, rows, traces.said)


def _present(traces: Traces) -> list[dict[str, Any]]:
    """Rows of the manifest for the clips' files that are there, whole and as segments."""
    from extractors.datasets.labels import read_labels
    from extractors.datasets.searching import EXTENSIONS
    from pipeline.params import load_datasets

    known = load_datasets() if DATASETS.exists() else {}
    section = known.get(traces.root.name)
    language = section.language if section else "en"
    listed = []
    if traces.lines:
        listed = [row for row in read_labels(traces.root, language)[0]
                  if row["clip_id"] in traces.clips and row["start_s"] is not None]  # fmt: skip
    rows: list[dict[str, Any]] = []
    for path in (*traces.raw.links, *traces.raw.files, *traces.raw.shared):
        if path.suffix.lower() not in EXTENSIONS or not path.is_file():
            continue
        whole = {"start_s": None, "end_s": None}
        spans = [whole, *(row for row in listed if _video(row) == path.stem)]
        rows += [
            {
                "clip_id": f"{len(rows) + number}",
                "path": path.as_posix(),
                "start_s": span["start_s"],
                "end_s": span["end_s"],
                "language": language,
                "group": "",
                "split": "new",
                "text": "",
            }
            for number, span in enumerate(spans)
        ]
    return rows


def _video(row: dict[str, Any]) -> str:
    return str(row["clip_id"]).partition("/")[0]


def _tell_remaining(traces: Traces) -> None:
    from pipeline.commands.remaining import remaining

    say("\nForgotten. What may still hold something of them, and what deletes it, in this order:")
    for what, command in remaining(traces.root, traces.raw.originals, traces.raw.shared):
        say(f"- {what}:\n    {command}")
