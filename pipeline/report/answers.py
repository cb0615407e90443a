"""Answers as a file: its ending says of which kind."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.files import replacing
from contracts.parquet import write_table
from contracts.quarantine import Rejected
from pipeline.report.tables import predictions_json

if TYPE_CHECKING:  # checking an ending needs no torch
    from lnln.prediction import Prediction


def check_ending(path: Path) -> None:
    """Make sure that answers can be written to a file of this name.

    Raises
    ------
    ValueError
        Its ending is none of those known.
    """
    if path.suffix.lower() not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise ValueError(f"{path}: the ending says of which kind the file is; known: {known}")


def write_answers(
    predictions: Iterable[Prediction],
    rejected: Iterable[Rejected],
    path: Path,
    about: dict[str, Any],
) -> None:
    """Write answers as CSV, JSON, JSON lines or Parquet, as the ending of the path says.

    Parameters
    ----------
    predictions : iterable of Prediction
    rejected : iterable of Rejected
        In JSON only, as what `about` says.
    path : Path
        Replaced in one step.
    about : dict
        What is to be known of all answers, see `predictions_json`.

    Raises
    ------
    ValueError
        The ending is none of those known.
    """
    check_ending(path)
    _WRITERS[path.suffix.lower()](list(predictions), rejected, path, about)


def _parquet(predictions: list[Prediction], _: Any, path: Path, __: Any) -> None:
    from lnln.prediction_table import to_table

    write_table(to_table(predictions), path)


def _csv(predictions: list[Prediction], _: Any, path: Path, __: Any) -> None:
    from lnln.prediction_table import to_table

    table = to_table(predictions)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, table.column_names, lineterminator="\n")
        writer.writeheader()
        for row in table.to_pylist():
            lists = {name: "; ".join(v) for name, v in row.items() if isinstance(v, list)}
            writer.writerow(row | lists)


def _json(
    predictions: list[Prediction], rejected: Iterable[Rejected], path: Path, about: dict[str, Any]
) -> None:
    with replacing(path) as temporary:
        temporary.write_text(predictions_json(predictions, rejected, **about) + "\n", "utf-8")


def _json_lines(predictions: list[Prediction], _: Any, path: Path, __: Any) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for row in predictions:
            file.write(json.dumps(asdict(row), allow_nan=False) + "\n")


_WRITERS: dict[str, Callable[..., None]] = {
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _json_lines,
    ".parquet": _parquet,
}
