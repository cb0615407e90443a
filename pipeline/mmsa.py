"""`lnln import-mmsa`: the field's pickles of features."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from extractors.mmsa.unpickling import UnsafePickle
from pipeline.params import ParamsError, load_datasets
from pipeline.paths import DATASETS


def import_mmsa(
    file: Annotated[Path, typer.Argument(help="Pickle of MMSA, such as unaligned_50.pkl.")],
    dataset: Annotated[
        str, typer.Option(help="Section of datasets.yaml that it belongs to, such as mosi.")
    ],
) -> None:
    """Make a dataset of a pickle of features; `dvc exp run -S dataset=mosi` then works on it.

    Nothing in the file can run: anything but plain data in it is refused. The tables are written
    to data/<dataset>, and checked and passed on by the stages that work on clips elsewhere.

    Example: lnln import-mmsa unaligned_50.pkl --dataset mosi
    """
    from extractors.mmsa.importing import import_mmsa as read

    try:
        known = load_datasets()
        if dataset not in known:
            raise ParamsError(f"{dataset!r} is no section of {DATASETS}; known: {', '.join(known)}")
        root = Path("data") / dataset
        if (root / "label.csv").exists():
            raise ParamsError(f"{root} holds clips already: move them away first")
        found = read(file, root, name=dataset, language=known[dataset].language)
    except (OSError, ParamsError, UnsafePickle) as error:
        sys.exit(f"error: {error}")
    print("clips:", ", ".join(f"{count} {split}" for split, count in found.clips.items()))
    for modality, (unobserved, rows) in found.unobserved.items():
        print(
            f"{modality}: {unobserved} of {rows} rows unobserved, "
            f"{found.bad[modality]} infinite or NaN elements set to 0"
        )
    print(f"written to {root} (kind: features); now: dvc exp run -S dataset={dataset}")
