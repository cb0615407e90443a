"""What a very large dataset asks of one machine, before any clip is looked at.

    lnln extract data/sample/Raw/adam --out outputs/adam
    python benchmarks/scale.py outputs/adam

The manifest is simulated: a million rows of made-up clips, written, read, filtered, joined and
turned into dictionaries as the stages do. The features are those of real clips (any folder that
`lnln extract` wrote), repeated where speed is measured, so that sizes are of distinct clips. The
result is also kept in `benchmarks/results/`, by date, and `benchmarks/cost.py` reads it.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import typer
from kept import keep, machine, peak_mb, reset_peak

from contracts.features import read_modality, write_modality
from contracts.parquet import read_table, sorted_rows, write_table
from contracts.schemas import MANIFEST, MODALITIES
from extractors.datasets.listing import leakage

REPEATED = 4000  # clips that are written and read where speed is measured


def manifest(rows: int) -> pa.Table:
    """A manifest of made-up clips: a hundred to a group, sha256 as long as real ones."""
    number = np.arange(rows)
    names = [f"video{n // 100:08d}/{n % 100:04d}" for n in number]
    digest = np.random.default_rng(0).integers(0, 256, (rows, 32), np.uint8)
    same: dict[str, Any] = {
        "duration_s": 5.0,
        "width": 640,
        "height": 360,
        "fps": 25.0,
        "has_audio": True,
        "has_video": True,
        "language": "en",
    }
    own: dict[str, Any] = {
        "clip_id": names,
        "path": [f"data/custom/Raw/{name}.mp4" for name in names],
        "sha256": [row.tobytes().hex() for row in digest],
        "group": [f"video{n // 100:08d}" for n in number],
        "split": np.array(["train", "train", "train", "valid", "test"])[number // 100 % 5],
        "text": [f"twelve words that somebody said, in the clip number {n}" for n in number],
        "label": np.round(np.random.default_rng(1).uniform(-3, 3, rows), 1),
    }
    columns = []
    for field in MANIFEST:
        value = own.get(field.name, same.get(field.name))
        if field.name in own:
            columns.append(pa.array(value).cast(field.type))
        else:
            columns.append(pa.repeat(pa.scalar(value, field.type), rows))
    return pa.Table.from_arrays(columns, schema=MANIFEST)


def measured(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """What a call returns, its seconds, and how far the memory rose meanwhile, MB."""
    reset_peak()
    before, begin = peak_mb(), time.perf_counter()
    result = call()
    return result, time.perf_counter() - begin, peak_mb() - before


def manifest_lines(rows: int, folder: Path) -> Iterator[str]:
    """Rows of the manifest's table."""
    table = manifest(rows)
    path = folder / "manifest.parquet"
    scores = pa.table({"clip_id": table["clip_id"], "prediction": table["label"]})
    steps: dict[str, Callable[[], Any]] = {
        "write": lambda: write_table(table, path),
        "read": lambda: read_table(path),
        "filter by split": lambda: table.filter(pc.equal(table["split"], "train")),
        "join with predictions": lambda: table.join(scores, "clip_id"),
        "rows as dictionaries": lambda: sorted_rows(table),
        "look for leakage": lambda: leakage(table),
    }
    for step, call in steps.items():
        _, seconds, memory = measured(call)
        yield f"| {step} | {seconds:.2f} | {memory:.0f} |"
    yield f"| its size in memory | | {table.nbytes / 1e6:.0f} |"
    yield f"| its size on disk | | {path.stat().st_size / 1e6:.0f} |"


def feature_lines(folder: Path, out: Path) -> Iterator[str]:
    """One row per modality: sizes per second of video, speed of writing and reading."""
    duration = pc.sum(read_table(folder / "manifest.parquet", ["duration_s"])["duration_s"]).as_py()
    for modality in MODALITIES:
        table = read_modality(folder / "features" / modality)
        write_modality([table], table.schema, out / "once" / modality)
        on_disk = (out / "once" / modality / "part-0.parquet").stat().st_size
        rows = pc.sum(pc.list_value_length(table["values"])).as_py()
        batches = [table] * max(1, REPEATED // len(table))
        clips = len(table) * len(batches)
        target = out / "repeated" / modality
        begin = time.perf_counter()
        write_modality(batches, table.schema, target)
        written = time.perf_counter() - begin
        begin = time.perf_counter()
        read_modality(target)
        read = time.perf_counter() - begin
        yield (
            f"| {modality} | {rows / duration:.1f} | {table.nbytes / duration:.0f} "
            f"| {on_disk / duration:.0f} | {clips / written:.0f} | {clips / read:.0f} |"
        )


def main(
    features: Annotated[Path, typer.Argument(help="A folder that `lnln extract` wrote.")],
    rows: Annotated[int, typer.Option(help="Rows of the simulated manifest.")] = 1_000_000,
) -> None:
    """Print the tables, and keep them with the machine they were made on."""
    clips = read_table(features / "manifest.parquet", ["duration_s"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [
            f"# A manifest of {rows} simulated rows, and features of {len(clips)} clips",
            "",
            machine("local disk"),
            "",
            "| manifest | seconds | MB |",
            "|---|---|---|",
            *manifest_lines(rows, folder),
            "",
            "| features | rows a second of video | bytes in memory | bytes on disk "
            "| clips written a second | clips read a second |",
            "|---|---|---|---|---|---|",
            *feature_lines(features, folder),
            "",
            "Bytes are per second of video.",
        ]
    keep("scale", lines)


if __name__ == "__main__":
    typer.run(main)
