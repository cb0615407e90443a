"""What feature tables hold: names and units of the columns, shares observed, means."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from contracts.features import FeatureInfo, feature_info
from contracts.schemas import MODALITIES

BATCH = 64  # clips read at a time


class Described(NamedTuple):
    """One modality's table.

    Attributes
    ----------
    info : FeatureInfo
        With the names and units of the columns.
    clips, rows : int
    observed : float
        Share of the rows; of text, of those that are no [CLS] or [SEP]. 0 to 1.
    means : ndarray, [features]
        Over the observed rows, in the columns' units; NaN where there are none.
    """

    info: FeatureInfo
    clips: int
    rows: int
    observed: float
    means: np.ndarray


def describe_features(folder: str | Path) -> list[Described]:
    """Describe the feature tables in a folder, one modality after another, in little memory.

    Parameters
    ----------
    folder : path
        Has the folders text, audio and vision, or some of them; or a folder ``features`` that has.

    Raises
    ------
    FileNotFoundError
        There is no feature table.
    """
    folder = Path(folder)
    if (folder / "features").is_dir():
        folder = folder / "features"
    found = [
        _described(parts)
        for parts in (sorted((folder / m).glob("part-*.parquet")) for m in MODALITIES)
        if parts
    ]
    if not found:
        raise FileNotFoundError(f"{folder} has no features: no <modality>/part-*.parquet in it")
    return found


def _described(parts: list[Path]) -> Described:
    info = feature_info(pq.read_schema(parts[0]))
    columns = ["values", "observed", *(["special"] if info.modality == "text" else [])]
    clips, rows, seen = 0, 0, 0
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
            seen += int(flags.sum())
            sums += values[flags].sum(axis=0, dtype=np.float64)
    means = sums / seen if seen else np.full(len(sums), np.nan)
    return Described(info, clips, rows, seen / rows if rows else 0.0, means)
