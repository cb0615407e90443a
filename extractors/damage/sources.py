"""What is to be damaged: a clip, a folder of clips, or a dataset."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from contracts.quarantine import Rejected
from contracts.schemas import SPLITS
from extractors.damage.draws import generator
from extractors.damage.one_file import File
from extractors.damage.scenes import Stretch
from extractors.damage.words import Vocabulary, word_errors
from extractors.datasets.csv_table import as_csv, filled, read_csv
from extractors.datasets.labels import COLUMNS, clip_name, composed
from extractors.datasets.listing import probe_files, read_dataset
from extractors.errors import SetupError
from extractors.workers.session import Session

_LANGUAGE = "en"  # asked for by the listing; damage does not depend on it


class Source(NamedTuple):
    """The files of a source.

    Attributes
    ----------
    files : dict of str to File
        By path inside the folder to write, without extension; `target` is that path as MP4.
    damaged : set of str
        Those to damage; the others stay as they are.
    sha256 : dict of str to str
        Of each file.
    quarantine : list of Rejected
    warnings : list of str
    labels : Path or None
        The label.csv of a dataset.
    """

    files: dict[str, File]
    damaged: set[str]
    sha256: dict[str, str]
    quarantine: list[Rejected]
    warnings: list[str]
    labels: Path | None


def read_source(path: Path, split: str | None, session: Session) -> Source:
    """List the files of a source, each opened once.

    Parameters
    ----------
    path : Path
        Of a clip, of a folder of clips, or of a dataset, which has a ``label.csv``.
    split : {"train", "valid", "test"} or None
        Of a dataset, the split to damage; None: all of it.
    session : Session

    Raises
    ------
    SetupError
        There are no clips, or one split cannot be damaged without another one.
    DatasetError
        ``label.csv`` cannot be read.
    """
    if (path / "manifest.parquet").exists():
        raise SetupError(f"{path} is a dataset of features: it has no clips that can be damaged")
    if not path.exists():
        raise SetupError(f"{path}: no such file or folder")
    if (path / "label.csv").is_file():
        return _dataset(path, split, session)
    if split is not None:
        raise SetupError(f"{path} has no label.csv, and so no split {split!r}: leave out --split")
    return _clips(path, session)


def damaged_labels(
    path: Path, rate: float, seed: int, split: str | None
) -> tuple[bytes, dict[str, dict[str, float] | None]]:
    """Content of a label.csv with errors in its texts, and what was realised by clip.

    All that is no text of the split stays as it is. Texts that are empty stay empty.

    Raises
    ------
    DatasetError
        The file cannot be read.
    """
    table = read_csv(path, COLUMNS)
    lines = [line for _, line in table.lines()]
    vocabulary = Vocabulary(filled(line, "text") for line in lines)
    column = table.names.index("text")
    realised = {}
    for row, line in zip(table.rows, lines, strict=True):
        if split is None or line["mode"].strip() == split:
            name = clip_name(line)
            draw = generator(seed, "word_errors", name)
            text, realised[name] = word_errors(filled(line, "text"), rate, vocabulary, draw)
            if realised[name]:
                row.fields[column] = text
    return as_csv([table.header, *(row.fields for row in table.rows)]), realised


def _dataset(root: Path, split: str | None, session: Session) -> Source:
    if split is not None and split not in SPLITS:
        raise SetupError(f"--split {split!r} is not one of {', '.join(SPLITS)}")
    listing = read_dataset(root, session, language=_LANGUAGE)
    by_file = defaultdict(list)
    for row in listing.manifest.to_pylist():
        by_file[row["path"]].append(row)
    files, damaged, sha256 = {}, set(), {}
    for path, rows in by_file.items():
        segment = rows[0]["start_s"] is not None
        name = rows[0]["clip_id"].partition("/")[0] if segment else rows[0]["clip_id"]
        inside = f"Raw/{name}"
        files[inside] = _file(path, inside, name, rows)
        sha256[inside] = rows[0]["sha256"]
        splits = Counter(row["split"] for row in rows)
        if split is None or split in splits:
            damaged.add(inside)
            if split is not None and len(splits) > 1:
                raise SetupError(
                    f"{path} has clips of the splits {' and '.join(sorted(splits))}: it cannot be "
                    "damaged for one of them only; leave out --split"
                )
    return Source(files, damaged, sha256, listing.quarantine, listing.warnings, root / "label.csv")


def _clips(path: Path, session: Session) -> Source:
    listing = probe_files([path], session, language=_LANGUAGE)
    if not listing.manifest.num_rows and not listing.quarantine:
        raise SetupError("; ".join(listing.warnings))
    rows = listing.manifest.to_pylist()
    folder = path if path.is_dir() else path.parent
    stems = Counter(_inside(row["path"], folder) for row in rows)
    files, sha256 = {}, {}
    for row in rows:
        inside = _inside(row["path"], folder)
        if stems[inside] > 1:  # files that differ in their extension only
            inside += Path(row["path"]).suffix
        files[inside] = _file(row["path"], inside, inside, [row | {"clip_id": inside}])
        sha256[inside] = row["sha256"]
    return Source(files, set(files), sha256, listing.quarantine, [], None)


def _inside(path: str, folder: Path) -> str:
    """A file's path in a folder, without extension."""
    return composed(Path(path).relative_to(folder).with_suffix("").as_posix())


def _file(path: str, inside: str, name: str, rows: list[Mapping[str, Any]]) -> File:
    stretches = []
    for row in rows:
        begin_s = row["start_s"] or 0.0
        stretches.append(Stretch(row["clip_id"], begin_s, begin_s + row["duration_s"]))
    return File(
        path,
        f"{inside}.mp4",
        name,
        stretches,
        any(row["has_audio"] for row in rows),
        any(row["has_video"] for row in rows),
    )
