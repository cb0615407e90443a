"""Datasets of features that are torn, or not what was written: told by name, never a traceback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.schemas import TRANSCRIPTS
from extractors.datasets.precomputed import read_precomputed, read_precomputed_modality
from extractors.errors import SetupError

Edit = Callable[[pa.Table], pa.Table]


@pytest.fixture
def root(tmp_path: Path, content: dict[str, Any], imported: Callable[..., Any]) -> Path:
    imported(content)
    return tmp_path / "toy"


def edit(path: Path, change: Edit) -> None:
    pq.write_table(change(pq.read_table(path, partitioning=None)), path)


def read_audio(root: Path) -> pa.Table:
    manifest = read_precomputed(root)
    rows = [
        {"clip_id": clip, "text": "", "source": "none", "words": []}
        for clip in manifest["clip_id"].to_pylist()
    ]
    transcripts = pa.Table.from_pylist(rows, schema=TRANSCRIPTS)
    return pa.concat_tables(read_precomputed_modality(manifest, transcripts, "audio").batches)


def nulls(table: pa.Table, name: str) -> pa.Table:
    """The table without values in the first row of a column."""
    index = table.schema.get_field_index(name)
    values = [None, *table[name].to_pylist()[1:]]
    field = table.schema.field(name).with_nullable(True)
    return table.set_column(index, field, pa.array(values, field.type))


def test_whole_dataset_is_read(root: Path) -> None:
    assert read_audio(root).num_rows == read_precomputed(root).num_rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: nulls(t, "clip_id"), "column clip_id lacks values"),
        (lambda t: nulls(t, "split"), "column split lacks values"),
        (lambda t: t.drop_columns(["label"]), "column label is of nothing"),
        (lambda t: t.set_column(0, "clip_id", pa.array(range(len(t)))), "column clip_id is of int"),
        (lambda t: pa.concat_tables([t, t]), "names a clip more than once"),
        (lambda t: t.slice(0, 0), "holds no clips"),
        (lambda t: t.replace_schema_metadata(None), "is no manifest of a dataset of features"),
    ],
)
def test_manifest_that_is_not_what_was_written_is_refused(
    root: Path, change: Edit, message: str
) -> None:
    edit(root / "manifest.parquet", change)
    with pytest.raises((SetupError, OSError), match=rf"manifest\.parquet.*{message}"):
        read_precomputed(root)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns(["observed"]), "has other columns"),
        (lambda t: t.replace_schema_metadata(None), "not a feature table"),
        (lambda t: t.slice(1), r"has features of \d+ of the \d+ clips"),
        (lambda t: pa.concat_tables([t.slice(1), t.slice(1, 1)]), "of a clip more than once"),
    ],
)
def test_features_that_are_not_what_was_written_are_refused(
    root: Path, change: Edit, message: str
) -> None:
    edit(root / "features" / "audio" / "part-0.parquet", change)
    with pytest.raises(SetupError, match=rf"part-0\.parquet:? .*{message}"):
        read_audio(root)


@pytest.mark.parametrize(
    "tear",
    [
        lambda data: b"",
        lambda data: data[:200],
        lambda data: data[:-9],
        lambda data: data[:20] + bytes(len(data) // 2) + data[20 + len(data) // 2 :],
        lambda data: b"version https://git-lfs.github.com/spec/v1\n",
    ],
)
def test_torn_features_are_told_with_a_remedy(root: Path, tear: Callable[[bytes], bytes]) -> None:
    path = root / "features" / "audio" / "part-0.parquet"
    path.write_bytes(tear(path.read_bytes()))
    with pytest.raises(SetupError, match=r"part-0\.parquet is no feature table, or torn"):
        read_audio(root)
