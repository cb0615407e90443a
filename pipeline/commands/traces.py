"""What a project holds of some clips of a dataset: lines, files, rows of tables, what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.paths import DATA, LISTED_MANIFEST, MANIFEST, OUTPUTS

if TYPE_CHECKING:  # the help does without
    from extractors.datasets.labels import Line
    from extractors.datasets.removing import RawFiles

STUDIES = OUTPUTS / "studies"

Wanted = Callable[[str, str], bool]  # of a clip's name and speaker


class TraceError(Exception):
    """A file that may hold rows of the clips cannot be read; the message says what to do."""


class Traces(NamedTuple):
    """Some clips of one dataset, and where the project has something of them.

    Attributes
    ----------
    root : Path
        Folder of the dataset.
    clips : set of str
    labels : list of Path
        label.csv, and tables beside it that have its columns.
    lines : list of Line
        Of label.csv, those of other clips as well.
    raw : RawFiles
    tables : dict of Path to int
        Rows about the clips, by table; those from which clips are found come last.
    rows : list of dict
        The clips' rows of manifests.
    said : list of (str, list of Word, list of int or None)
        Texts, words, and word pieces that came with them.
    """

    root: Path
    clips: set[str]
    labels: list[Path]
    lines: list[Line]
    raw: RawFiles
    tables: dict[Path, int]
    rows: list[dict[str, Any]]
    said: list[tuple[str, list[Any], list[int] | None]]


def datasets() -> list[Path]:
    """Folders of datasets that are here."""
    return [
        path
        for path in (sorted(DATA.iterdir()) if DATA.is_dir() else [])
        if (path / "label.csv").is_file() or (path / "manifest.parquet").is_file()
    ]


def speakers(root: Path) -> set[str]:
    """Names of a dataset's speakers."""
    return {group for _, group in _names(root)}


def find(root: Path, wanted: Wanted) -> Traces:
    """Find what the project holds of the clips of a dataset that are wanted.

    Raises
    ------
    DatasetError
        label.csv cannot be read.
    TraceError
        A table cannot be read.
    """
    from extractors.datasets.labels import clip_name
    from extractors.datasets.removing import raw_files

    clips = {name for name, group in _names(root) if wanted(name, group)}
    clips |= {row["clip_id"] for row in _manifest_rows(root) if row.get("recording_id") in clips}
    lines = _lines(root)
    rows = [row for row in _manifest_rows(root) if row["clip_id"] in clips]
    said: list[tuple[str, list[Any], Any]] = [
        (row["text"].strip(), [], row.get("token_ids")) for row in rows
    ]
    said += [((line["text"] or "").strip(), [], None) for line in lines if clip_name(line) in clips]
    said += _transcribed(clips)
    return Traces(
        root,
        clips,
        sorted(root.glob("label*.csv*")),
        lines,
        raw_files(root, clips, lines),
        _tables(root, clips),
        rows,
        said,
    )


def _names(root: Path) -> Iterator[tuple[str, str]]:
    """Clips and their speakers, as label.csv and the manifests name them."""
    from extractors.datasets.labels import clip_name

    for line in _lines(root):
        name = clip_name(line)
        yield name, (line.get("speaker") or "").strip() or name.partition("/")[0]
    for row in _manifest_rows(root):
        yield row["clip_id"], row["group"]


def _lines(root: Path) -> list[Line]:
    from extractors.datasets.csv_table import read_lines
    from extractors.datasets.labels import COLUMNS

    table = root / "label.csv"
    return [line for _, line in read_lines(table, COLUMNS)] if table.is_file() else []


def _manifest_rows(root: Path) -> Iterator[dict[str, Any]]:
    """Rows about a dataset: of its own manifest, if it is one of features, and of the outputs."""
    own = root / "manifest.parquet"
    yield from _rows(own)
    manifests = [LISTED_MANIFEST, MANIFEST, *sorted(STUDIES.rglob("manifest.parquet"))]
    for row in (row for path in manifests for row in _rows(path)):
        if row["path"] == root.as_posix() or row["path"].startswith(f"{root.as_posix()}/"):
            yield row


def _transcribed(clips: set[str]) -> list[tuple[str, list[Any], None]]:
    from extractors.words import Word

    return [
        (row["text"], [Word(**word) for word in row["words"]], None)
        for path in sorted(OUTPUTS.rglob("transcripts.parquet"))
        for row in _rows(path)
        if row["clip_id"] in clips
    ]


def _tables(root: Path, clips: set[str]) -> dict[Path, int]:
    from contracts.removing import rows_about

    paths = [*sorted(OUTPUTS.rglob("*.parquet")), *sorted(OUTPUTS.rglob("quarantine*.csv"))]
    paths += sorted((OUTPUTS / "quarantine").glob("*.csv"))
    ours, studied = _in_outputs(root), _in_studies(root)
    paths = [path for path in paths if (studied if path.is_relative_to(STUDIES) else ours)]
    paths.sort(key=lambda path: path.name == MANIFEST.name)  # last: clips are found by it
    paths += sorted((root / "features").rglob("*.parquet"))
    paths += [path for path in (root / "manifest.parquet",) if path.is_file()]
    counts = {}
    for path in paths:
        try:
            counts[path] = rows_about(path, clips)
        except Exception as error:  # Arrow, CSV and the system have errors of their own
            raise _unreadable(path, error) from error
    return {path: count for path, count in counts.items() if count}


def _in_outputs(root: Path) -> bool:
    """Whether the outputs can be of a dataset: others may have clips of the same names."""
    paths = [row["path"] for row in _rows(MANIFEST)]
    return not paths or any(f"{path}/".startswith(f"{root.as_posix()}/") for path in paths)


def _in_studies(root: Path) -> bool:
    places = (path.name for path in STUDIES.rglob("*") if path.is_dir())
    return any(name == root.name or name.startswith(f"{root.name}-") for name in places)


def _rows(path: Path) -> list[dict[str, Any]]:
    from contracts.parquet import read_table

    try:
        rows: list[dict[str, Any]] = read_table(path).to_pylist() if path.is_file() else []
        return rows
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> TraceError:
    return TraceError(
        f"{path} cannot be read ({type(error).__name__}: {error}), and may hold rows of the clips: "
        "delete it, which dvc repro makes again, then run this again"
    )
