"""Datasets of precomputed features, which have no clips to extract them from.

The root of such a dataset holds ``manifest.parquet``, whose metadata says ``kind: features``, and
the feature tables ``features/audio`` and ``features/vision``. A further column of the manifest,
``token_ids``, has the word pieces of each clip; the features of text are computed from them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contracts.features import FeatureInfo, feature_info, feature_schema
from contracts.parquet import read_table
from contracts.schemas import MANIFEST, SPLITS, Modality
from extractors.errors import SetupError

TOKENS = pa.field("token_ids", pa.list_(pa.field("element", pa.int32(), nullable=False)))
PRECOMPUTED_MANIFEST = pa.schema([*MANIFEST, TOKENS], metadata={b"kind": b"features"})
CLIPS = 256  # in memory at a time


class PrecomputedFeatures(NamedTuple):
    """One modality's feature table: its schema, and its rows in batches."""

    schema: pa.Schema
    batches: Iterable[pa.Table]


def is_precomputed(manifest: pa.Table) -> bool:
    """Whether a manifest is that of a dataset of precomputed features (`kind: features`)."""
    return (manifest.schema.metadata or {}).get(b"kind") == b"features"


def read_precomputed(root: str | Path) -> pa.Table:
    """Read and check the manifest of a dataset of precomputed features.

    Returns
    -------
    pa.Table
        As `PRECOMPUTED_MANIFEST`, sorted by clip_id; ``path`` is the root.

    Raises
    ------
    SetupError
        The file is damaged or another table, or the dataset has clips as well.
    """
    path = Path(root) / "manifest.parquet"
    clips = [str(p) for p in (Path(root) / "label.csv", Path(root) / "Raw") if p.exists()]
    if clips:
        raise SetupError(
            f"{root} has features ({path}) and clips ({', '.join(clips)}): move away what is not "
            f"to be used, which is manifest.parquet and features/, or {' and '.join(clips)}"
        )
    manifest = read_table(path, schema=PRECOMPUTED_MANIFEST)
    if not is_precomputed(manifest) or manifest.schema.names != PRECOMPUTED_MANIFEST.names:
        raise SetupError(f"{path} is no manifest of a dataset of features: write it again")
    names = manifest["clip_id"].to_pylist()
    if not names:
        raise SetupError(f"{path} holds no clips: write it again")
    if len(set(names)) < len(names):
        raise SetupError(f"{path} names a clip more than once: write it again")
    odd = set(manifest["split"].to_pylist()) - set(SPLITS)
    if odd:
        raise SetupError(f"{path} has the split {min(odd)!r}, not only {', '.join(SPLITS)}")
    roots = pa.array([Path(root).as_posix()] * len(names), pa.string())
    column = manifest.schema.get_field_index("path")
    return manifest.set_column(column, MANIFEST.field("path"), roots).sort_by("clip_id")


def read_precomputed_modality(
    manifest: pa.Table, transcripts: pa.Table, modality: Modality
) -> PrecomputedFeatures:
    """Read one modality's features of the clips that have a transcript.

    Parameters
    ----------
    manifest : pa.Table
        As `read_precomputed` returns it.
    transcripts : pa.Table
        As `contracts.schemas.TRANSCRIPTS`.
    modality : {"audio", "vision"}

    Returns
    -------
    PrecomputedFeatures
        Batches are checked while they are read; they raise SetupError where a value is not finite,
        an unobserved row is not 0, or a clip is missing.

    Raises
    ------
    SetupError
        The table is missing or has other columns than a feature table.
    """
    (root,) = set(manifest["path"].to_pylist())
    path = Path(root) / "features" / modality / "part-0.parquet"
    if not path.is_file():
        raise SetupError(f"{path} is not there: import the features again")
    try:
        file = pq.ParquetFile(path)
        info = feature_info(file.schema_arrow)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise _torn(path, error) from error
    schema = feature_schema(info)
    if not file.schema_arrow.equals(schema):
        raise SetupError(f"{path} has other columns than a table of {modality}")
    wanted = pa.array(sorted(transcripts["clip_id"].to_pylist()), pa.string())
    return PrecomputedFeatures(schema, _checked(file, schema, info, wanted, path))


def _torn(path: Path, error: Exception) -> SetupError:
    reason = str(error).partition("\n")[0][:200]
    return SetupError(f"{path} is no feature table, or torn ({reason}): import the features again")


def _checked(
    file: pq.ParquetFile, schema: pa.Schema, info: FeatureInfo, wanted: pa.Array, path: Path
) -> Iterator[pa.Table]:
    found: list[str] = []
    for batch in _batches(file, path):
        table = pa.Table.from_batches([batch]).cast(schema)
        table = table.filter(pc.is_in(table["clip_id"], wanted)).combine_chunks()
        found += table["clip_id"].to_pylist()
        for chunk in range(table["values"].num_chunks):
            values, flags = table["values"].chunk(chunk), table["observed"].chunk(chunk)
            rows = values.flatten().flatten().to_numpy().reshape(-1, len(info.names))
            observed = flags.flatten().to_numpy(zero_copy_only=False)
            if len(rows) != len(observed) or not values.offsets.equals(flags.offsets):
                raise SetupError(f"{path}: values and observed have other numbers of rows")
            if not np.isfinite(rows).all() or rows[~observed].any():
                raise SetupError(f"{path}: a value is not finite, or an unobserved row is not 0")
        yield table
    if len(set(found)) < len(found):
        raise SetupError(f"{path} has features of a clip more than once: import them again")
    if len(found) < len(wanted):
        raise SetupError(f"{path} has features of {len(found)} of the {len(wanted)} clips")


def _batches(file: pq.ParquetFile, path: Path) -> Iterator[pa.RecordBatch]:
    """The table in parts, each checked for lists that end elsewhere and values that lack."""
    try:
        for batch in file.iter_batches(CLIPS):
            batch.validate(full=True)
            for name in ("clip_id", "values", "observed"):
                column = batch[name]
                while column is not None:
                    if column.null_count:
                        raise ValueError(f"its column {name} lacks values")
                    column = getattr(column, "flatten", lambda: None)()
            yield batch
    except (pa.ArrowException, ValueError, OSError) as error:
        raise _torn(path, error) from error
