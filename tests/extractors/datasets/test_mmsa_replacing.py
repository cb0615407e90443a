"""An import replaces a dataset of features as a whole, or leaves all as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contracts.features import (
    read_modality,
)
from contracts.parquet import write_table
from extractors.datasets.mmsa import importing
from extractors.datasets.mmsa.importing import Imported
from extractors.datasets.precomputed import PRECOMPUTED_MANIFEST, read_precomputed
from extractors.errors import SetupError

Import = Callable[[dict[str, Any]], tuple[pa.Table, Imported]]


def test_pickle_without_clips_is_told_at_import(
    tmp_path: Path, content: dict[str, Any], imported: Import
) -> None:
    empty = {
        name: {field: values[:0] for field, values in split.items()}
        for name, split in content.items()
    }
    with pytest.raises(SetupError, match=r"unaligned\.pkl holds no clips"):
        imported(empty)
    write_table(PRECOMPUTED_MANIFEST.empty_table(), tmp_path / "old" / "manifest.parquet")
    with pytest.raises(SetupError, match="holds no clips"):
        read_precomputed(tmp_path / "old")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_import_that_breaks_half_way_leaves_the_old_dataset_whole(
    tmp_path: Path,
    content: dict[str, Any],
    mmsa: Any,
    imported: Import,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    larger = mmsa(("good", "bad"), train=9)
    imported(content)
    before = contents(tmp_path / "toy")

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    for name in ("write_table", "_rows"):
        with monkeypatch.context() as patch:
            patch.setattr(importing, name, full)
            with pytest.raises(OSError, match="no space left"):
                imported(larger)
    assert contents(tmp_path / "toy") == before
    rename = Path.rename

    def fail(path: Path, target: Path) -> Path:
        return full() if path.name == "new" else rename(path, target)  # type: ignore[func-returns-value]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(OSError, match="no space left"):
            imported(larger)
    assert contents(tmp_path / "toy") == before
    assert {path.name for path in tmp_path.iterdir()} == {"toy", "unaligned.pkl"}
    assert imported(larger)[1].clips["train"] == 9
    assert len(read_modality(tmp_path / "toy" / "features" / "audio")) == 15
    assert {path.name for path in tmp_path.iterdir()} == {"toy", "unaligned.pkl"}


def test_linked_dataset_stays_where_it_is_linked_to(
    tmp_path: Path, content: dict[str, Any], imported: Import
) -> None:
    (tmp_path / "disk" / "toy").mkdir(parents=True)
    (tmp_path / "toy").symlink_to(tmp_path / "disk" / "toy")
    imported(content)
    assert (tmp_path / "toy").is_symlink()
    assert (tmp_path / "disk" / "toy" / "manifest.parquet").is_file()


@pytest.mark.parametrize("name", ["label.csv", "unaligned_50.pkl", "Raw"])
def test_what_is_no_dataset_of_features_is_not_replaced(
    tmp_path: Path, content: dict[str, Any], imported: Import, name: str
) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / name).write_text("mine", "utf-8")
    with pytest.raises(SetupError, match=f"toy holds {name} already: move it away first"):
        imported(content)
    assert (tmp_path / "toy" / name).read_text("utf-8") == "mine"
