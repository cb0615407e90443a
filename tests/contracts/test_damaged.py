"""Torn files, and one table in the place of another: an error with the file and what to do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.features import FeatureInfo, feature_schema, ragged, read_modality, write_modality
from contracts.files import DamagedFile, read_json
from contracts.parquet import read_table, write_table
from contracts.quarantine import read_quarantine
from contracts.schemas import MANIFEST, TRANSCRIPTS, Modality

Damage = Callable[[bytes], bytes]
TEARS: dict[str, Damage] = {
    "empty": lambda data: b"",
    "beginning": lambda data: data[:50],
    "without an end": lambda data: data[:-9],
    "end only": lambda data: data[-40:],
    "zeros in the middle": lambda data: data[:20] + bytes(len(data) - 40) + data[-20:],
    "footer of any length": lambda data: data[:-8] + b"\xff\xff\xff\x7f" + data[-4:],
    "text": lambda data: b"version https://git-lfs.github.com/spec/v1\n",
}


def audio(folder: Path, modality: Modality = "audio", width: int = 3) -> Path:
    info = FeatureInfo(modality=modality, names=tuple(f"{modality}_{i}" for i in range(width)))
    schema = feature_schema(info)
    clip = {
        "clip_id": pa.array(["a"]),
        "values": ragged([np.ones((4, width), np.float32)], schema.field("values").type),
        "observed": ragged([np.ones(4, bool)], schema.field("observed").type),
        "start_s": pa.array([0.0]),
        "step_s": pa.array([0.1]),
        "warnings": pa.array([[]], schema.field("warnings").type),
        "face": pa.array([{"chosen_by": None, "confidence": None, "faces": None}]),
    }
    table = pa.Table.from_arrays([clip[f.name].cast(f.type) for f in schema], schema=schema)
    write_modality([table], schema, folder)
    return folder / "part-0.parquet"


@pytest.mark.parametrize("tear", TEARS)
def test_torn_table_is_named_with_a_remedy(tmp_path: Path, tear: str) -> None:
    path = tmp_path / "manifest.parquet"
    write_table(pa.table({"clip_id": [f"clip {i}" for i in range(500)]}), path)
    path.write_bytes(TEARS[tear](path.read_bytes()))
    with pytest.raises(DamagedFile, match=r"manifest\.parquet is no Parquet file.*run what wrote"):
        read_table(path)


@pytest.mark.parametrize("tear", TEARS)
def test_torn_feature_table_is_named_with_a_remedy(tmp_path: Path, tear: str) -> None:
    path = audio(tmp_path / "audio")
    path.write_bytes(TEARS[tear](path.read_bytes()))
    with pytest.raises(DamagedFile, match=r"audio/part-0\.parquet is no Parquet file"):
        read_modality(tmp_path / "audio")


def test_table_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    write_table(TRANSCRIPTS.empty_table(), tmp_path / "manifest.parquet")
    with pytest.raises(DamagedFile, match=r"manifest\.parquet: its column path is of nothing"):
        read_table(tmp_path / "manifest.parquet", schema=MANIFEST)
    with pytest.raises(DamagedFile, match=r"manifest\.parquet has no column split"):
        read_table(tmp_path / "manifest.parquet", ["clip_id", "split"])


def test_column_of_another_type_is_not_cast(tmp_path: Path) -> None:
    index = MANIFEST.get_field_index("label")
    odd = MANIFEST.set(index, pa.field("label", pa.string()))
    write_table(odd.empty_table(), tmp_path / "manifest.parquet")
    with pytest.raises(DamagedFile, match="column label is of string, not of float"):
        read_table(tmp_path / "manifest.parquet", schema=MANIFEST)


def test_columns_beside_those_of_a_schema_are_kept(tmp_path: Path) -> None:
    more = MANIFEST.append(pa.field("token_ids", pa.list_(pa.int32())))
    write_table(more.empty_table(), tmp_path / "manifest.parquet")
    assert read_table(tmp_path / "manifest.parquet", schema=MANIFEST).schema.names == more.names


def test_features_of_one_modality_are_not_taken_for_another(tmp_path: Path) -> None:
    audio(tmp_path / "vision", modality="audio")
    with pytest.raises(DamagedFile, match=r"vision/part-0\.parquet holds features of audio"):
        read_modality(tmp_path / "vision")


def test_any_table_is_not_taken_for_features(tmp_path: Path) -> None:
    write_table(TRANSCRIPTS.empty_table(), tmp_path / "audio" / "part-0.parquet")
    with pytest.raises(DamagedFile, match=r"audio/part-0\.parquet: not a feature table"):
        read_modality(tmp_path / "audio")
    schema = TRANSCRIPTS.with_metadata({"features": '{"modality": "smell"}'})
    write_table(schema.empty_table(), tmp_path / "audio" / "part-0.parquet")
    with pytest.raises(DamagedFile, match="'features' is damaged"):
        read_modality(tmp_path / "audio")


def test_parts_of_other_columns_are_not_joined(tmp_path: Path) -> None:
    other = audio(tmp_path / "other" / "audio", width=2)
    audio(tmp_path / "audio")
    other.rename(tmp_path / "audio" / "part-1.parquet")
    with pytest.raises(DamagedFile, match=r"part-1\.parquet has other columns than"):
        read_modality(tmp_path / "audio")


def test_table_without_rows_of_its_schema_is_read(tmp_path: Path) -> None:
    pq.write_table(MANIFEST.empty_table(), tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet", schema=MANIFEST).num_rows == 0


def test_row_without_a_value_that_it_has_to_have_is_refused(tmp_path: Path) -> None:
    columns = {field.name: [None] for field in TRANSCRIPTS}
    nullable = pa.schema([field.with_nullable(True) for field in TRANSCRIPTS])
    write_table(pa.table(columns, schema=nullable), tmp_path / "transcripts.parquet")
    with pytest.raises(DamagedFile, match=r"transcripts\.parquet: its column clip_id lacks values"):
        read_table(tmp_path / "transcripts.parquet", schema=TRANSCRIPTS)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "clip_id,path\na,b\n",
        "clip_id,path,stage,reason\na,b,ingest\n",
        "clip_id,path,stage,reason\na,b,ingest,torn,more\n",
        'clip_id,path,stage,reason\na,b,ingest,"torn\n',
        "\0\0\0\0",
        b"\xff\xfe",
    ],
)
def test_torn_quarantine_is_named_with_a_remedy(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "ingest.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DamagedFile, match=r"ingest\.csv is no table of rejected clips.*run what"):
        read_quarantine(path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"a": 1', b"\xff", b"[" * 200_000, b"[1]", b"null", b'{"a": 1}x']
)
def test_torn_json_is_named_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"settings\.json (is damaged|holds a).*run what wrote"):
        read_json(path)


def test_missing_files_are_missing(tmp_path: Path) -> None:
    for read in (read_table, read_json):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "a")
