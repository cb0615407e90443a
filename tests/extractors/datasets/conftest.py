"""What tests of datasets share: reading label.csv, and importing small pickles of MMSA."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import clip_values, read_modality
from extractors.datasets.mmsa.importing import Imported, import_mmsa
from extractors.datasets.precomputed import read_precomputed

WORDS = ("good", "bad", "film")
ReadLabels = Callable[[Path], list[dict[str, str]]]


def videos(folder: Path, *names: str) -> Path:
    """Write files with the names of videos into a folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.fsencode(name))
    return folder


@pytest.fixture(scope="session")
def label_csv() -> ReadLabels:
    """Reads the lines of a dataset's label.csv."""

    def read(root: Path) -> list[dict[str, str]]:
        with (root / "label.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture
def content(mmsa: Any) -> dict[str, Any]:
    """The content of an unaligned pickle: 6 clips to train, 3 to validate, 3 to test."""
    content: dict[str, Any] = mmsa(WORDS)
    return content


@pytest.fixture
def aligned(mmsa: Any) -> dict[str, Any]:
    """The content of an aligned pickle: no lengths, and a row of every modality per token."""
    content: dict[str, Any] = mmsa(WORDS, audio=(10, 5), vision=(10, 4))
    for split in content.values():
        del split["audio_lengths"], split["vision_lengths"]
    return content


@pytest.fixture
def imported(
    tmp_path: Path, write_pickle: Callable[..., Path]
) -> Callable[[dict[str, Any]], tuple[pa.Table, Imported]]:
    """Imports a pickle's content into the folder `toy`, and reads its manifest."""

    def import_content(content: dict[str, Any]) -> tuple[pa.Table, Imported]:
        summary = import_mmsa(write_pickle(content), tmp_path / "toy", name="toy", language="en")
        return read_precomputed(tmp_path / "toy"), summary

    return import_content


@pytest.fixture
def rows_of(tmp_path: Path) -> Callable[[str, str], tuple[np.ndarray, list[bool]]]:
    """Reads values and flags of one clip of the dataset `toy`: `rows_of(modality, clip_id)`."""

    def read(modality: str, clip_id: str) -> tuple[np.ndarray, list[bool]]:
        table = read_modality(tmp_path / "toy" / "features" / modality)
        index = table["clip_id"].to_pylist().index(clip_id)
        return clip_values(table, index), table["observed"][index].as_py()

    return read
