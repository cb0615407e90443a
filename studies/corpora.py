"""The corpora of the studies: raw clips to features once, whatever is made of them afterwards.

python -m studies.corpora carrier               # stage corpus@carrier
python -m studies.corpora sample minilm-rated   # by another language encoder
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from contracts.schemas import SPLITS
from extractors import extract_dataset
from extractors.api import read_features
from extractors.datasets.labels import DatasetError
from lnln.data.features import FeatureSet
from pipeline.params import ResolvedDataset, load_datasets, load_params, resolve_dataset
from pipeline.stage import run, warn
from pipeline.stages.splits import read_split
from studies.settings import load_studies

CORPORA = Path("outputs/studies/corpora")  # one folder per corpus


class Corpus(NamedTuple):
    """A corpus in memory.

    Attributes
    ----------
    dataset : ResolvedDataset
        Its section of datasets.yaml.
    manifest : pa.Table
    train, valid, test : FeatureSet
        With labels, cut to the lengths that models read.
    """

    dataset: ResolvedDataset
    manifest: pa.Table
    train: FeatureSet
    valid: FeatureSet
    test: FeatureSet


def describe(name: str, encoder: str | None = None) -> ResolvedDataset:
    """Look a corpus up in datasets.yaml.

    Parameters
    ----------
    name : str
        Section of datasets.yaml.
    encoder : str, optional
        Language encoder; by default that of the studies.
    """
    dataset = resolve_dataset(load_params().model_copy(update={"dataset": name}))
    text = dataset.text.model_copy(update={"model": encoder or load_studies().encoder})
    return dataset.model_copy(update={"text": text})


def read(name: str, *, like: str | None = None, encoder: str | None = None) -> Corpus:
    """Read a corpus that `main` wrote.

    Parameters
    ----------
    name : str
        Folder of the corpus.
    like : str, optional
        Section of datasets.yaml, where the corpus has none of its own.
    encoder : str, optional
        Language encoder that it was written with, where that is not the one of the studies.
    """
    folder = folder_of(name, encoder)
    return read_splits(folder, describe(like or name, encoder), read_features(folder).manifest)


def folder_of(name: str, encoder: str | None = None) -> Path:
    """Return the folder of a corpus: named after its encoder, where that is another one."""
    return CORPORA / (name if encoder is None else f"{name}-{encoder}")


def read_splits(folder: Path, dataset: ResolvedDataset, manifest: pa.Table) -> Corpus:
    """Read the features in a folder by the splits of a manifest."""
    splits = {
        split: read_split(manifest, split, dataset, features=folder / "features")
        for split in SPLITS
        if split in manifest["split"].to_pylist()
    }
    return Corpus(dataset, manifest, **splits)


def main() -> None:
    """Write the features of the corpus that the command line names."""
    name, *encoder = sys.argv[1:]
    params = load_params()
    if name not in load_datasets():
        sys.exit(f"error: {name!r} is no section of datasets.yaml")
    dataset = describe(name, *encoder)
    settings = dataset.extraction().model_copy(update={"run": params.run})
    features = extract_dataset(dataset.root, settings)
    warn(features.warnings)
    features.write(folder_of(name, *encoder))
    print(f"{name}: {features.manifest.num_rows} clips, {len(features.quarantine)} set aside")


if __name__ == "__main__":
    run(main, DatasetError)
