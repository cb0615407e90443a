"""`lnln import-mmsa` and `lnln export-mmsa`: the field's pickles of features."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.paths import DATASETS, FEATURES, MANIFEST, TRANSCRIPTS
from pipeline.telling import say, tell

if TYPE_CHECKING:
    import pyarrow as pa


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
    from extractors.datasets.mmsa.importing import import_mmsa as read
    from extractors.datasets.mmsa.plain_objects import UnsafePickle
    from extractors.errors import SetupError
    from pipeline.checking import ParamsError
    from pipeline.params import load_datasets

    try:
        known = load_datasets()
        if dataset not in known:
            raise ParamsError(f"{dataset!r} is no section of {DATASETS}; known: {', '.join(known)}")
        root = Path("data") / dataset
        imported = read(file, root, name=dataset, language=known[dataset].language)
    except FileNotFoundError:
        sys.exit(f"error: {file} is not there")
    except (OSError, ParamsError, SetupError, UnsafePickle) as error:
        sys.exit(f"error: {error}")
    say("clips:", ", ".join(f"{count} {split}" for split, count in imported.clips.items()))
    for modality, (unobserved, rows) in imported.unobserved.items():
        bad = imported.bad[modality]
        of_bad = f"; {bad} infinite or NaN elements became 0" if bad else ""
        say(
            f"{modality}: {rows} rows, of which {unobserved} are zeros and count as missing{of_bad}"
        )
    for note in imported.notes:
        tell("warning", note)
    say(f"written to {root} (kind: features); now: dvc exp run -S dataset={dataset}")


def export_mmsa(
    out: Annotated[Path, typer.Argument(help="Pickle to write.")],
) -> None:
    """Write the features in outputs/ as a pickle in the layout of MMSA.

    Sequences are padded and cut to the longest of the training split. MMSA's loader and that of
    the published LNLN code read it.

    Example: lnln export-mmsa features.pkl
    """
    from contracts.parquet import read_table
    from extractors.datasets.mmsa.exporting import export_mmsa as write
    from extractors.errors import SetupError

    try:
        manifest = spoken(read_table(MANIFEST), read_table(TRANSCRIPTS))
        exported = write(manifest, FEATURES, out)
    except (OSError, SetupError) as error:
        sys.exit(f"error: {error}")
    say("clips:", ", ".join(f"{count} {split}" for split, count in exported.clips.items()))
    for modality, rows in exported.lengths.items():
        say(f"{modality}: {rows} rows, {exported.cut[modality]} clips cut to them")
    if exported.unlabelled:
        say(f"{exported.unlabelled} clips without a label are left out")
    if exported.featureless:
        say(f"{exported.featureless} clips without features are left out")


def spoken(manifest: "pa.Table", transcripts: "pa.Table") -> "pa.Table":
    """The manifest with the words that were found, where a clip was transcribed."""
    import pyarrow as pa

    words = dict(
        zip(transcripts["clip_id"].to_pylist(), transcripts["text"].to_pylist(), strict=True)
    )
    rows = [r | {"text": words.get(r["clip_id"], r["text"])} for r in manifest.to_pylist()]
    return pa.Table.from_pylist(rows, schema=manifest.schema)
