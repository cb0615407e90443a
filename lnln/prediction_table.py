"""Predictions as a table, one row per clip, to be written as a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from contracts.schemas import MODALITIES
from lnln.explaining.explanation import Explanation
from lnln.prediction import Prediction

TABLE = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        ("path", pa.string()),
        ("duration_s", pa.float64()),
        ("prediction", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("confidence", pa.float64()),
        ("w", pa.float64()),
        *((f"observed_{m}", pa.float64()) for m in MODALITIES),
        *((f"read_{m}_s", pa.float64()) for m in MODALITIES),
        ("text", pa.string()),
        ("text_source", pa.string()),
        ("doubted", pa.string()),
        ("language", pa.string()),
        ("warnings", pa.list_(pa.string())),
    ]
)


EXPLAINED = (  # columns behind those of `TABLE`, where answers are explained
    *(pa.field(f"contribution_{m}", pa.float64()) for m in MODALITIES),
    pa.field("strongest_words", pa.list_(pa.string())),
)


def to_table(predictions: Iterable[Prediction]) -> pa.Table:
    """Return predictions as `TABLE`, one row per clip, to be written as Parquet.

    Where one of them is explained, the columns `EXPLAINED` stand behind the others.
    """
    predictions = list(predictions)
    schema = TABLE
    if any(p.explanation is not None for p in predictions):
        schema = pa.schema([*TABLE, *EXPLAINED])
    rows = [
        {
            "clip_id": p.clip_id,
            "path": p.path,
            "duration_s": p.duration_s,
            "prediction": p.prediction,
            "low": p.low,
            "high": p.high,
            "confidence": p.confidence,
            "w": p.w,
            "text": p.text,
            "text_source": p.text_source,
            "doubted": p.doubted,
            "language": p.language,
            "warnings": p.warnings,
        }
        | {f"observed_{m}": p.observed[m] for m in MODALITIES}
        | {f"read_{m}_s": p.read_s.get(m) for m in MODALITIES}
        | _explained(p.explanation)
        for p in predictions
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def _explained(explanation: Explanation | None) -> dict[str, Any]:
    if explanation is None:
        return {}
    shares = {f"contribution_{m}": share for m, share in explanation.modalities.items()}
    words = [f"{word.text} {word.contribution:+.2f}" for word in explanation.strongest_words()]
    return shares | {"strongest_words": words}
