import json
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.parquet import read_table
from contracts.quarantine import read_quarantine
from extractors.datasets.labels import DatasetError
from extractors.errors import SetupError
from pipeline.stage import StageError, run
from pipeline.stages import dataset, ingest

Write = Callable[..., None]


@pytest.fixture(autouse=True)
def one_worker(change: Callable[..., None]) -> None:
    change("run.workers", 1)


def test_too_many_broken_clips_stop_the_run_and_are_listed(
    project: Path, write_dataset: Write
) -> None:
    write_dataset(
        [("a", "1", "hello", "1", "train"), ("a", "2", "", "1", "train")], {"a/1": "joe/001"}
    )
    dataset.main()
    with pytest.raises(StageError, match=r"1 of 2 clips .* share 0\.1 .* raise it in params\.yaml"):
        ingest.main()
    (row,) = read_quarantine(project / "outputs" / "quarantine" / "ingest.csv")
    assert (row.clip_id, row.stage) == ("a/2", "ingest")
    assert "no video of this name" in row.reason
    assert not (project / "outputs" / "listed" / "manifest.parquet").exists()


@pytest.mark.parametrize("beside", ["label.csv", "Raw"])
def test_clips_beside_features_are_refused_instead_of_ignored(project: Path, beside: str) -> None:
    root = project / "data" / "sample"
    root.mkdir(parents=True)
    (root / "manifest.parquet").touch()
    dataset.main()
    (root / beside).touch()
    with pytest.raises(SetupError, match=rf"manifest\.parquet.*sample/{beside}.*: move away"):
        ingest.main()


def test_the_same_bytes_in_two_splits_are_reported_as_leakage(
    project: Path, write_dataset: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset(
        [("a", "1", "hello", "1", "train"), ("b", "1", "hello", "1", "test")],
        {"a/1": "joe/001", "b/1": "joe/001"},
    )
    dataset.main()
    ingest.main()
    assert "leakage: the same bytes" in capsys.readouterr().err
    counts = json.loads((project / "metrics" / "ingest.json").read_text())
    assert counts["listed"] == {"train": 1, "valid": 0, "test": 1}
    assert (counts["quarantined"], counts["leaks"], counts["odd_labels"]) == (0, 1, 0)
    assert read_table(project / "outputs" / "listed" / "manifest.parquet")[
        "clip_id"
    ].to_pylist() == [
        "a/1",
        "b/1",
    ]


def test_the_same_speaker_in_two_splits_is_reported_as_leakage(
    project: Path, write_dataset: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset(
        [("a", "1", "hello", "1", "train"), ("a", "2", "hello", "1", "valid")],
        {"a/1": "joe/001", "a/2": "joe/002"},
    )
    dataset.main()
    ingest.main()
    assert "leakage: the same group (a) in train and valid" in capsys.readouterr().err


def test_the_labels_that_are_filled_are_counted(
    project: Path, write_dataset: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset(
        [("a", "1", "hello", "1", "train"), ("b", "1", "N/A", "", "test")],
        {"a/1": "joe/001", "b/1": "joe/002"},
    )
    dataset.main()
    ingest.main()
    told = capsys.readouterr()
    assert "labels: 1 of 1 train, 0 of 0 valid, 0 of 1 test" in told.out
    assert "1 texts in data/sample/label.csv are placeholders (N/A)" in told.err


def test_label_csv_without_a_column_is_one_message(project: Path, write_dataset: Write) -> None:
    write_dataset([("a", "1", "hello", "1")], {}, header="video_id,clip_id,text,label")
    dataset.main()
    with pytest.raises(SystemExit, match=r"error: data/sample/label\.csv lacks the column mode"):
        run(ingest.main, DatasetError)
