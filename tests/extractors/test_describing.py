"""Feature tables as others see them: `lnln features`, pandas, polars, datasets."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from contracts.features import FeatureInfo, feature_info, feature_schema, ragged, write_modality
from contracts.files import DamagedFile
from extractors.describing import describe_features
from pipeline.commands.main import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    info = FeatureInfo(
        modality="audio",
        names=["pitch", "energy"],
        units=["Hz", "dB"],
        settings={},
        assets={},
        fingerprint="f",
    )
    schema = feature_schema(info)
    values = [np.array([[100, 1], [0, 0]], np.float32), np.array([[300, 3]], np.float32)]
    flags = [np.array([True, False]), np.array([True])]
    columns = [
        pa.array(["a/1", "b/1"]),
        ragged(values, schema.field("values").type),
        ragged(flags, schema.field("observed").type),
        pa.array([0.0, 0.0]),
        pa.array([0.04, 0.04]),
        pa.array([[], []], schema.field("warnings").type),
    ]
    write_modality([pa.Table.from_arrays(columns, schema=schema)], schema, tmp_path / "audio")
    return tmp_path


def test_means_are_over_observed_rows(folder: Path) -> None:
    (audio,) = describe_features(folder)
    assert (audio.clips, audio.rows, audio.info.units) == (2, 3, ("Hz", "dB"))
    assert audio.observed == pytest.approx(2 / 3)
    assert audio.means.tolist() == [200, 2]


def test_command_prints_names_units_shares_and_means(folder: Path) -> None:
    shown = CliRunner().invoke(app, ["features", str(folder)])
    assert shown.exit_code == 0, shown.output
    for text in ("audio: 2 clips, 3 rows, 66.7% observed", "pitch", "Hz", "200", "energy", "dB"):
        assert text in shown.output
    empty = CliRunner().invoke(app, ["features", str(folder / "audio")])
    assert empty.exit_code == 1 and "has no features" in empty.output


@pytest.mark.parametrize(("units", "status"), [((), 0), (("Hz",), 1)])
def test_units_that_are_not_told_are_left_empty(
    folder: Path, units: tuple[str, ...], status: int
) -> None:
    path = folder / "audio" / "part-0.parquet"
    table = pq.read_table(path, partitioning=None)
    info = feature_info(table).model_copy(update={"units": units})
    pq.write_table(table.replace_schema_metadata(feature_schema(info).metadata), path)
    shown = CliRunner().invoke(app, ["features", str(folder)])
    assert shown.exit_code == status, shown.output
    assert ("pitch" if not status else "1 units for 2 columns") in shown.output


@pytest.mark.parametrize("content", [b"", b"PAR1torn", b"\xff" * 500])
def test_torn_table_is_told_by_name(folder: Path, content: bytes) -> None:
    path = folder / "audio" / "part-0.parquet"
    whole = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match="audio holds no feature table"):
        describe_features(folder)
    path.write_bytes(whole)
    pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["observed"]), path)
    with pytest.raises(DamagedFile, match="it has other columns"):
        describe_features(folder)


def test_pandas_polars_and_datasets_read_the_tables(folder: Path) -> None:
    import datasets
    import pandas
    import polars

    path = str(folder / "audio" / "part-0.parquet")
    first = pandas.read_parquet(path)["values"][0]
    assert np.stack(first).tolist() == [[100, 1], [0, 0]]
    frame = polars.read_parquet(path)
    assert frame["values"][1].to_list() == [[300, 3]]
    assert frame["observed"].to_list() == [[True, False], [True]]
    cache = str(folder / "cache")
    table = datasets.load_dataset("parquet", data_files=path, split="train", cache_dir=cache)
    assert table[0]["values"] == [[100, 1], [0, 0]]
    assert table["clip_id"][:] == ["a/1", "b/1"]
