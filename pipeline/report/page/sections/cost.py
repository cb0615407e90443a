"""Chapter: what the models cost."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from contracts.files import REMEDY, DamagedFile
from pipeline.report.page.markdown import tables
from pipeline.report.page.parts import Part, Section, Table, row
from pipeline.report.page.run import Run

_LANGUAGE = "language."  # begins the names of the weights of a BERT trained along


def cost(run: Run) -> Section:
    """Tell parameters and seconds per epoch of every model, and what a clip takes."""
    seconds = _seconds(run.findings)
    rows = []
    for name, weights in run.checkpoints().items():
        sizes = parameters(weights)
        language = sum(size for key, size in sizes.items() if key.startswith(_LANGUAGE))
        rows.append(
            row(
                name,
                f"{sum(sizes.values()) - language:,}",
                f"{language:,}" if language else "–",
                *([f"{seconds[name]:.1f}" if name in seconds else "–"] if seconds else []),
            )
        )
    columns = ["model", "parameters", "of a language model trained along"]
    note = "Counted in the weights. A language model that stays as it was is not in them."
    if seconds:
        columns.append("seconds per epoch")
        note += " Seconds as the studies measured them, on their machine and corpus."
    parts: list[Part] = [Table("Parameters", columns, rows, note)]
    kept = sorted(run.benchmarks.glob("*-predict.md"))
    if kept:
        machine = next(
            (line for line in kept[-1].read_text("utf-8").splitlines() if line[:2] == "20"), ""
        )
        for table in tables(kept[-1], "One short clip from raw video to a score"):
            parts.append(Table(table.caption, table.columns, table.rows, f"Kept: {machine}."))
    return Section("cost", "Cost", parts)


def parameters(weights: Path) -> dict[str, int]:
    """Count the numbers in each tensor of a safetensors file, from its header alone.

    The header is JSON behind its length, 8 bytes, least byte first:
    https://huggingface.co/docs/safetensors.

    Raises
    ------
    DamagedFile
        It is torn.
    """
    try:
        with weights.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header: dict[str, Any] = json.loads(file.read(min(length, weights.stat().st_size)))
        return _sizes(header)
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedFile(f"{weights} is no file of weights, or torn: {REMEDY}") from error


def _sizes(header: dict[str, Any]) -> dict[str, int]:
    sizes = {}
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        sizes[name] = 1
        for extent in tensor["shape"]:
            sizes[name] *= extent
    return sizes


def _seconds(findings: dict[str, Any]) -> dict[str, float]:
    """Seconds per epoch by model, of the first corpus that models were compared on."""
    for name, found in findings.items():
        if name.startswith("compare-"):
            return {
                model: about["seconds_per_epoch"]
                for model, about in found["about"].items()
                if about.get("seconds_per_epoch") is not None
            }
    return {}
