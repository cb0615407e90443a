"""What the import of a pickle of MMSA costs: a file in the shapes of CMU-MOSEI.

    python benchmarks/pickles.py            # a quarter of its clips; --share 1 needs 30 GB of disk

Random values are pickled in protocols 2 and 4, and `lnln import-mmsa` reads them in a process of
its own. The result is also kept in `benchmarks/results/`, by date.
"""

import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from kept import keep, machine, peak_mb

from extractors.datasets.mmsa.importing import import_mmsa

CLIPS = {"train": 16326, "valid": 1871, "test": 4659}
TEXT, AUDIO, VISION = (50, 768), (500, 74), (500, 35)


def content(clips: int, seed: int) -> dict[str, object]:
    """Make one split."""
    draw = np.random.default_rng(seed)
    bert = np.zeros((clips, 3, TEXT[0]), np.float32)
    bert[:, 0, :12] = draw.integers(1000, 30000, (clips, 12))
    bert[:, 1, :12] = 1
    grids = {
        name: draw.standard_normal((clips, *shape), np.float32)
        for name, shape in (("text", TEXT), ("audio", AUDIO), ("vision", VISION))
    }
    lengths = {
        f"{name}_lengths": draw.integers(20, 500, clips).tolist() for name in ("audio", "vision")
    }
    return {
        "raw_text": np.array(["so it goes"] * clips),
        "id": np.array([f"video{seed}{i // 7}$_${i}" for i in range(clips)]),
        "text_bert": bert,
        "regression_labels": draw.uniform(-3, 3, clips).astype(np.float32),
        **grids,
        **lengths,
    }


def read(file: Path) -> None:
    """Import, and print the seconds and the peak memory it took."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        begin = time.perf_counter()
        import_mmsa(file, folder, name="mosei", language="en")
        print(time.perf_counter() - begin, peak_mb())


def main(
    share: Annotated[float, typer.Option(help="Of MOSEI's clips, 0 to 1.")] = 0.25,
    only: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Print the table, and keep it with the machine it was made on."""
    if only is not None:
        read(only)
        return
    lines = [
        "# Import of a pickle in the shapes of CMU-MOSEI",
        "",
        machine(f"{share:.0%} of its clips"),
        "",
        "| protocol | file, MB | seconds | peak memory, MB | of the file |",
        "|---|---|---|---|---|",
    ]
    made = {
        split: content(int(share * clips), seed)
        for seed, (split, clips) in enumerate(CLIPS.items())
    }
    with tempfile.TemporaryDirectory() as folder:
        for protocol in (2, 4):
            file = Path(folder) / "unaligned.pkl"
            with file.open("wb") as out:
                pickle.dump(made, out, protocol=protocol)
            command = [sys.executable, __file__, "--only", str(file)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            seconds, peak = map(float, done.stdout.split())
            size = file.stat().st_size / 1e6
            row = (
                f"{protocol}",
                f"{size:.0f}",
                f"{seconds:.0f}",
                f"{peak:.0f}",
                f"{peak / size:.2f}",
            )
            lines.append(f"| {' | '.join(row)} |")
            print(lines[-1], file=sys.stderr)
    keep("pickles", lines)


if __name__ == "__main__":
    typer.run(main)
