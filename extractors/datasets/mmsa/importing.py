"""Make a dataset of precomputed features of a pickle of MMSA.

See `extractors.datasets.precomputed` for what such a dataset holds.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from contracts.features import FeatureInfo, feature_schema, ragged, write_modality
from contracts.files import replacing_folder
from contracts.parquet import write_table
from contracts.schemas import SPLITS, Modality
from extractors.datasets.mmsa.layout import GRIDS, Split, read_splits
from extractors.datasets.mmsa.plain_objects import UnsafePickle, named
from extractors.datasets.mmsa.restricted_unpickler import unpickled
from extractors.datasets.mmsa.rows import clean_rows
from extractors.datasets.precomputed import CLIPS, PRECOMPUTED_MANIFEST
from extractors.errors import SetupError

PARTS = {"manifest.parquet", "features"}  # of a dataset of precomputed features
UNKNOWN_FACE = {"chosen_by": None, "confidence": None, "faces": None}


class Imported(NamedTuple):
    """What `import_mmsa` read from a pickle.

    Attributes
    ----------
    clips : dict
        Clips per split.
    bad : dict
        Infinite or NaN elements, which were set to 0, per modality.
    unobserved : dict
        Number of rows in which nothing was measured, and of all rows, per modality. Padding does
        not count.
    notes : list of str
        What was odd in the file, and how it was read.
    """

    clips: dict[str, int]
    bad: dict[str, int]
    unobserved: dict[str, tuple[int, int]]
    notes: list[str]


def import_mmsa(path: str | Path, root: str | Path, *, name: str, language: str) -> Imported:
    """Write the content of a pickle of MMSA as a dataset of precomputed features.

    A dataset of features that is already there is replaced, once the new one is complete.

    Parameters
    ----------
    path : path
        A file such as ``unaligned_50.pkl`` or ``aligned_50.pkl``. No code in it can run.
    root : path
        Folder of the dataset, such as ``data/mosi``.
    name : str
        Of the dataset, for the description of the features.
    language : str
        Spoken in the clips, ISO 639 code.

    Raises
    ------
    OSError
        The file cannot be read, or the folder cannot be written.
    UnsafePickle
        The file holds more than plain data, or is not a pickle of MMSA.
    SetupError
        The file holds no clips, or `root` holds something else than features.
    """
    path, root = Path(path), Path(root)
    others = sorted({p.name for p in root.iterdir()} - PARTS) if root.exists() else []
    if others:
        raise SetupError(
            f"{root} holds {others[0]} already: move it away first (a folder of features holds "
            "nothing else)"
        )
    content = unpickled(path)
    splits = dict(read_splits(content, path))
    names = Counter(clip for split in splits.values() for clip in split.clip_ids())
    twice = [clip for clip, count in names.items() if count > 1]
    if twice:
        raise UnsafePickle(f"{path}: the id '{named(twice[0])}' is there {names[twice[0]]} times")
    if not names:
        raise SetupError(f"{path} holds no clips: there is nothing to import")
    counts: dict[str, Counter[str]] = {modality: Counter() for modality in GRIDS}
    hashes = {clip: hashlib.sha256() for clip in names}
    infos = _infos(splits, path, f"{_kind(content)} features of {name}")
    with replacing_folder(root) as folder:
        for modality, info in infos.items():
            schema = feature_schema(info)
            batches = _batches(splits, modality, schema, counts[modality], hashes)
            write_modality(batches, schema, folder / "features" / modality)
        rows = [
            row | {"sha256": hashes[row["clip_id"]].hexdigest(), "language": language}
            for split, clips in splits.items()
            for row in _rows(split, clips, path)
        ]
        write_table(
            pa.Table.from_pylist(rows, schema=PRECOMPUTED_MANIFEST), folder / "manifest.parquet"
        )
    return Imported(
        {split: len(clips.ids) for split, clips in splits.items()},
        {modality: count["bad"] for modality, count in counts.items()},
        {modality: (count["unobserved"], count["rows"]) for modality, count in counts.items()},
        _told(splits),
    )


def _told(splits: dict[str, Split]) -> list[str]:
    """What was odd, once, with all places where it was."""
    places: dict[str, list[str]] = {}
    for name, split in splits.items():
        for what, where in split.notes:
            places.setdefault(what, []).append(f"{name}: {where}")
    return [f"{what} ({'; '.join(where)})" for what, where in places.items()]


def _kind(content: dict[str, Any]) -> str:
    return "MMSA's unaligned" if "audio_lengths" in content[SPLITS[0]] else "MMSA's aligned"


def _infos(splits: dict[str, Split], path: Path, source: str) -> dict[Modality, FeatureInfo]:
    """Descriptions of the feature tables; columns are numbered, as pickles do not name them."""
    with path.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
    infos = {}
    for modality in GRIDS:
        widths = sorted({split.grids[modality].shape[2] for split in splits.values()})
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
    splits: dict[str, Split],
    modality: Modality,
    schema: pa.Schema,
    counts: Counter[str],
    hashes: dict[str, Any],
) -> Iterator[pa.Table]:
    """The feature table in batches; counts rows and hashes the clips' values on the way."""
    for clips in splits.values():
        grid, names = clips.grids[modality], clips.clip_ids()
        starts = clips.starts[modality]
        stops = starts + clips.lengths[modality]
        for first in range(0, len(names), CLIPS):
            part = range(first, min(first + CLIPS, len(names)))
            matrices, flags = [], []
            for i in part:
                rows = grid[i, starts[i] : stops[i]]  # without the padding
                values, observed, bad = clean_rows(rows)
                counts.update(bad=bad, rows=len(observed), unobserved=int((~observed).sum()))
                hashes[names[i]].update(values.tobytes())
                matrices.append(values)
                flags.append(observed)
            columns = {
                "clip_id": pa.array([names[i] for i in part], pa.string()),
                "values": ragged(matrices, schema.field("values").type),
                "observed": ragged(flags, schema.field("observed").type),
                "start_s": pa.array(np.zeros(len(part))),
                "step_s": pa.array(np.zeros(len(part))),  # not known
                "warnings": pa.array([[]] * len(part), schema.field("warnings").type),
            }
            if "face" in schema.names:
                columns["face"] = pa.array([UNKNOWN_FACE] * len(part), schema.field("face").type)
            yield pa.Table.from_arrays([columns[f.name] for f in schema], schema=schema)


def _rows(split: str, clips: Split, path: Path) -> Iterator[dict[str, Any]]:
    """Rows of the manifest."""
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
