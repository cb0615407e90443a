"""Describe feature tables: names and units of the columns, share observed, means."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contracts.features import FeatureInfo, feature_info, feature_schema
from contracts.files import REMEDY, DamagedFile
from contracts.schemas import MODALITIES

BATCH = 64  # clips in memory at a time


class Described(NamedTuple):
    """What one modality's feature table holds.

    Attributes
    ----------
    info : FeatureInfo
        Names and units of the columns, among others.
    clips, rows : int
        Rows of text do not count [CLS] and [SEP].
    observed : float
        Share of the rows that were observed, 0 to 1.
    means : ndarray, [features]
        Over the observed rows, in the units of the columns; NaN if there are none.
    """

    info: FeatureInfo
    clips: int
    rows: int
    observed: float
    means: np.ndarray


def describe_features(folder: str | Path) -> list[Described]:
    """Describe the feature tables in a folder; only some clips are in memory at a time.

    Parameters
    ----------
    folder : path
        Has some of the folders text, audio and vision, or a folder ``features`` that has them.

    Raises
    ------
    FileNotFoundError
        There is no feature table.
    DamagedFile
        One is torn, or no feature table.
    """
    folder = Path(folder)
    if (folder / "features").is_dir():
        folder = folder / "features"
    tables = [
        _described(parts)
        for parts in (sorted((folder / m).glob("part-*.parquet")) for m in MODALITIES)
        if parts
    ]
    if not tables:
        raise FileNotFoundError(f"{folder} has no features: no <modality>/part-*.parquet in it")
    return tables


def _described(parts: list[Path]) -> Described:
    try:
        return _summed(parts)
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise DamagedFile(
            f"{parts[0].parent} holds no feature table ({reason}): {REMEDY}"
        ) from error


def _summed(parts: list[Path]) -> Described:
    schema = pq.read_schema(parts[0])
    info = feature_info(schema)
    if not schema.equals(feature_schema(info), check_metadata=False):
        raise ValueError("it has other columns")
    if len(info.units) not in (0, len(info.names)):
        raise ValueError(f"{len(info.units)} units for {len(info.names)} columns")
    columns = ["values", "observed", *(["special"] if info.modality == "text" else [])]
    clips, rows, observed = 0, 0, 0
    sums = np.zeros(len(info.names))
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(BATCH, columns=columns):
            values = batch["values"].flatten().flatten().to_numpy().reshape(-1, len(info.names))
            flags = batch["observed"].flatten().to_numpy(zero_copy_only=False)
            if "special" in columns:
                content = ~batch["special"].flatten().to_numpy(zero_copy_only=False)
                values, flags = values[content], flags[content]
            clips += batch.num_rows
            rows += len(flags)
            observed += int(flags.sum())
            sums += values[flags].sum(axis=0, dtype=np.float64)
    means = sums / observed if observed else np.full(len(sums), np.nan)
    return Described(info, clips, rows, observed / rows if rows else 0.0, means)
