"""Entries of the cache that are whole but not what belongs there are made anew."""

import os
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import FeatureInfo, feature_row, feature_schema
from extractors.workers.cache import Cache, key_of

GROUP = "audio-f00"
INFO = FeatureInfo(modality="audio", names=("a", "b", "c"))
SCHEMA = pa.schema(list(feature_schema(INFO))[1:])


class Features(NamedTuple):
    values: np.ndarray
    observed: np.ndarray
    step_s: float
    warnings: tuple[str, ...] = ()


def row(rows: int = 4, width: int = 3) -> pa.Table:
    info = INFO.model_copy(update={"names": tuple("abcdefg"[:width])})
    features = Features(np.ones((rows, width), np.float32), np.ones(rows, bool), 0.1)
    return feature_row(info, features)


def flags(table: pa.Table, flags: list[bool]) -> pa.Table:
    field = table.schema.field("observed")
    return table.set_column(1, field, pa.array([flags], field.type))


WRONG = {
    "no row": lambda: row().slice(0, 0),
    "two rows": lambda: pa.concat_tables([row(), row()]),
    "another width": lambda: row(width=2),
    "a column less": lambda: row().drop_columns(["step_s"]),
    "a column more": lambda: row().append_column("x", pa.array([1])),
    "another name": lambda: row().rename_columns(["v", *row().column_names[1:]]),
    "another type": lambda: row().set_column(2, "start_s", pa.array(["0"])),
    "fewer flags than rows": lambda: flags(row(), [True]),
    "another table": lambda: pa.table({"x": [1]}),
}


def test_entry_of_the_schema_is_read(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    cache.write(GROUP, key_of(1), row())
    (entry,) = cache.read(GROUP, [key_of(1)], SCHEMA)
    assert entry is not None
    assert entry.equals(row())


@pytest.mark.parametrize("kind", WRONG)
def test_entry_with_a_right_sum_and_other_content_is_removed(tmp_path: Path, kind: str) -> None:
    cache = Cache(str(tmp_path))
    cache.write(GROUP, key_of(1), WRONG[kind]())
    assert list(cache.read(GROUP, [key_of(1)], SCHEMA)) == [None]
    assert cache.present(GROUP, [key_of(1)]) == set()


@pytest.mark.parametrize(
    "content", [b"no arrow at all", b"\xff" * 100, b"ARROW1\x00\x00" + bytes(64)]
)
def test_entry_with_a_right_sum_and_no_table_is_removed(tmp_path: Path, content: bytes) -> None:
    cache = Cache(str(tmp_path))
    cache.write(GROUP, key_of(1), row())
    (file,) = tmp_path.rglob("*.arrow")
    file.write_bytes(zlib.crc32(content).to_bytes(4, "big") + content)
    assert list(cache.read(GROUP, [key_of(1)], SCHEMA)) == [None]
    assert cache.present(GROUP, [key_of(1)]) == set()


def test_entry_of_changed_bytes_is_a_row_or_removed(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    cache.write(GROUP, key_of(1), row())
    (file,) = tmp_path.rglob("*.arrow")
    whole = file.read_bytes()[4:]
    removed = 0
    for place in range(0, len(whole), 3):
        data = whole[:place] + b"\xff\xff\xff\x7f"[: len(whole) - place] + whole[place + 4 :]
        file.write_bytes(zlib.crc32(data).to_bytes(4, "big") + data)
        (entry,) = cache.read(GROUP, [key_of(1)], SCHEMA)
        removed += entry is None
        assert entry is None or entry.schema.equals(SCHEMA)
    assert removed > 50


def test_half_an_entry_is_removed_with_its_clip(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    folder = tmp_path / "audio-f00" / "ab"
    folder.mkdir(parents=True)
    left = folder / f".{'ab' * 32}.arrow.12345678.partial"
    left.write_bytes(b"half of what a face shows")
    os.utime(left, (0, 0))
    assert cache.remove("audio-f00", ["cd" * 32]) == 0
    assert left.exists()
    assert cache.remove("audio-f00", ["ab" * 32]) == 0
    assert not left.exists()
