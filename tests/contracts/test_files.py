"""Files are replaced whole, or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import write_modality
from contracts.files import replacing
from contracts.parquet import write_table

NOISE = np.random.default_rng(0).random(10_000)
TABLE = pa.table({"x": NOISE})


def write_bytes(folder: Path) -> None:
    with replacing(folder / "part-0.parquet") as temporary:
        temporary.write_bytes(NOISE.tobytes())


def write_part(folder: Path) -> None:
    write_table(TABLE, folder / "part-0.parquet")


def write_parts(folder: Path) -> None:
    write_modality([TABLE], TABLE.schema, folder)


@pytest.mark.parametrize("write", [write_bytes, write_part, write_parts])
def test_full_disk_leaves_the_old_file_and_nothing_else(
    write: Callable[[Path], None], tmp_path: Path, full_disk: Callable[[], Any]
) -> None:
    (tmp_path / "part-0.parquet").write_text("old")
    with full_disk(), pytest.raises(OSError):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["part-0.parquet"]
    assert (tmp_path / "part-0.parquet").read_text() == "old"
