"""A pickle of MMSA, made a dataset of features (`extractors.datasets.precomputed`)."""

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from contracts.features import FeatureInfo, feature_schema, ragged, write_modality
from contracts.parquet import write_table
from contracts.schemas import SPLITS, Modality
from extractors.datasets.mmsa.layout import GRIDS, Split, observed, splits
from extractors.datasets.mmsa.restricted_unpickler import UnsafePickle, unpickled
from extractors.datasets.precomputed import CLIPS, PRECOMPUTED_MANIFEST
from extractors.errors import SetupError

PARTS = {"manifest.parquet", "features"}  # of a dataset of features
UNKNOWN = {"chosen_by": None, "confidence": None, "faces": None}  # which face was followed


class Imported(NamedTuple):
    """What was found in a pickle.

    Attributes
    ----------
    clips : dict
        Clips per split.
    bad : dict
        Elements that were infinite or NaN and are 0 now, per modality.
    unobserved : dict
        Rows in which nothing was measured, and all rows, per modality; padding is neither.
    """

    clips: dict[str, int]
    bad: dict[str, int]
    unobserved: dict[str, tuple[int, int]]


def import_mmsa(path: str | Path, root: str | Path, *, name: str, language: str) -> Imported:
    """Write the content of a pickle of MMSA as a dataset of features.

    An older one is replaced as a whole, once the new one is complete.

    Parameters
    ----------
    path : path
        A file such as ``unaligned_50.pkl``, or an aligned one. Nothing in it can run.
    root : path
        Folder of the dataset, such as ``data/mosi``.
    name : str
        Of the dataset; the features' source is called after it.
    language : str
        Of the words, ISO 639 code.

    Raises
    ------
    OSError
        The file cannot be read, or the folder not be written.
    UnsafePickle
        It holds more than plain data, or is no file of MMSA.
    SetupError
        It holds no clips, or something else lies in `root`.
    """
    path, root = Path(path), Path(root)
    others = sorted({p.name for p in root.iterdir()} - PARTS) if root.exists() else []
    if others:
        raise SetupError(f"{root} holds {others[0]} already: move it away first")
    content = unpickled(path)
    found = dict(splits(content, path))
    names = Counter(clip for split in found.values() for clip in split.clip_ids())
    twice = [clip for clip, count in names.items() if count > 1]
    if twice:
        raise UnsafePickle(f"{path}: the id {twice[0]!r} is there {names[twice[0]]} times")
    if not names:
        raise SetupError(f"{path} holds no clips: there is nothing to import")
    told: dict[str, Counter[str]] = {modality: Counter() for modality in GRIDS}
    hashes = {clip: hashlib.sha256() for clip in names}
    infos = _infos(found, path, f"{_kind(content)} features of {name}")
    with replacing_folder(root) as folder:
        for modality, info in infos.items():
            schema = feature_schema(info)
            batches = _batches(found, modality, schema, told[modality], hashes)
            write_modality(batches, schema, folder / "features" / modality)
        rows = [
            row | {"sha256": hashes[row["clip_id"]].hexdigest(), "language": language}
            for split, clips in found.items()
            for row in _rows(split, clips, path)
        ]
        write_table(
            pa.Table.from_pylist(rows, schema=PRECOMPUTED_MANIFEST), folder / "manifest.parquet"
        )
    return Imported(
        {split: len(clips.ids) for split, clips in found.items()},
        {modality: count["bad"] for modality, count in told.items()},
        {modality: (count["unobserved"], count["rows"]) for modality, count in told.items()},
    )


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Temporary folder that takes the place of `folder`, old content and all, at the end.

    If the block fails, `folder` is as it was.
    """
    folder = folder.resolve()  # a link stays
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    new, old = beside / "new", beside / "old"
    try:
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        if old.exists() and not folder.exists():  # broken off between the two
            old.rename(folder)
        shutil.rmtree(beside, ignore_errors=True)


def _kind(content: dict[str, Any]) -> str:
    return "MMSA's unaligned" if "audio_lengths" in content[SPLITS[0]] else "MMSA's aligned"


def _infos(found: dict[str, Split], path: Path, source: str) -> dict[Modality, FeatureInfo]:
    """What the columns are: numbered, as the file has no names for them."""
    with path.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    infos = {}
    for modality in GRIDS:
        widths = sorted({split.grids[modality].shape[2] for split in found.values()})
        if len(widths) > 1:
            raise UnsafePickle(f"{path}: {modality} is {widths} wide in its splits, not one width")
        infos[modality] = FeatureInfo(
            modality=modality,
            names=tuple(f"{modality}_{column}" for column in range(widths[0])),
            units=("1",) * widths[0],
            fingerprint=fingerprint,
            source=source,
        )
    return infos


def _batches(
    found: dict[str, Split],
    modality: Modality,
    schema: pa.Schema,
    told: Counter[str],
    hashes: dict[str, Any],
) -> Iterator[pa.Table]:
    """The feature table in parts, while the clips' content is counted and hashed."""
    for clips in found.values():
        grid, lengths, names = clips.grids[modality], clips.lengths[modality], clips.clip_ids()
        for first in range(0, len(names), CLIPS):
            part = range(first, min(first + CLIPS, len(names)))
            matrices, flags = [], []
            for i in part:  # what is beyond the length is padding, and no row at all
                values, seen, bad = observed(grid[i, : lengths[i]])
                told.update(bad=bad, rows=len(seen), unobserved=int((~seen).sum()))
                hashes[names[i]].update(values.tobytes())
                matrices.append(values)
                flags.append(seen)
            columns = {
                "clip_id": pa.array([names[i] for i in part], pa.string()),
                "values": ragged(matrices, schema.field("values").type),
                "observed": ragged(flags, schema.field("observed").type),
                "start_s": pa.array(np.zeros(len(part))),
                "step_s": pa.array(np.zeros(len(part))),  # not known
                "warnings": pa.array([[]] * len(part), schema.field("warnings").type),
            }
            if "face" in schema.names:
                columns["face"] = pa.array([UNKNOWN] * len(part), schema.field("face").type)
            yield pa.Table.from_arrays([columns[f.name] for f in schema], schema=schema)


def _rows(split: str, clips: Split, path: Path) -> Iterator[dict[str, Any]]:
    for i, clip_id in enumerate(clips.clip_ids()):
        numbers = {column: float(values[i]) for column, values in clips.labels.items()}
        labels = {column: value for column, value in numbers.items() if np.isfinite(value)}
        yield labels | {
            "clip_id": clip_id,
            "path": path.name,
            "duration_s": 0.0,  # not known
            "has_audio": bool(clips.lengths["audio"][i]),
            "has_video": bool(clips.lengths["vision"][i]),
            "group": clip_id.partition("/")[0],
            "split": split,
            "text": clips.raw_text[i].strip(),
            "token_ids": None if clips.tokens is None else clips.tokens[i].tolist(),
        }
