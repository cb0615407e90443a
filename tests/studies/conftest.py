"""A corpus of tiny features, in a project's folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from lnln.data.features import FeatureSet, Lengths
from studies.corpora import Corpus, describe
from tests.lnln.conftest import bert, language, lengths, make_manifest, make_set, make_tables

__all__ = ["bert", "language", "lengths", "make_manifest", "make_set", "make_tables"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with the params.yaml and datasets.yaml of the repository."""
    (tmp_path / "studies").mkdir()
    for name in ("params.yaml", "datasets.yaml", "studies/params.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def corpus(
    project: Path,
    make_set: Callable[..., FeatureSet],
    make_manifest: Callable[..., pa.Table],
    bert: Path,
    lengths: Lengths,
) -> Corpus:
    splits = {split: make_set(split, clips) for split, clips in (("train", 16), ("valid", 6))}
    splits["test"] = make_set("test", 6)
    dataset = describe("sample")
    text = dataset.text.model_copy(update={"model": str(bert), "max_tokens": lengths.text})
    most = dataset.lengths.model_copy(update={"audio": lengths.audio, "vision": lengths.vision})
    dataset = dataset.model_copy(update={"text": text, "lengths": most})
    return Corpus(dataset, make_manifest(splits["test"]), **splits)
