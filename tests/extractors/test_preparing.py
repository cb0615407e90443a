import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from extractors.cache import Cache
from extractors.errors import SetupError
from extractors.folds import PUBLISHED
from extractors.manifest import read_dataset
from extractors.preparing import prepare
from extractors.settings import RunSettings


def lines(root: Path) -> list[dict[str, str]]:
    with (root / "label.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_mosi_points_into_its_whole_videos(
    tmp_path: Path, clip_writer: Any, one_worker: RunSettings
) -> None:
    source = tmp_path / "Raw"
    clip_writer(source / "Video" / "Full" / "2iD-tVS8NPw.mp4", seconds=3.0)
    (source / "Transcript").mkdir()
    (source / "Transcript" / "2iD-tVS8NPw.annotprocessed").write_text(
        "1_DELIM_IT WAS GOOD\n2_DELIM_VERY GOOD, REALLY\n"
    )
    (source / "labels.csv").write_text("0.2,1.2,2iD-tVS8NPw,1,2.4\n1.5,9,2iD-tVS8NPw,2,-1\n")
    found = prepare(source, tmp_path / "mosi", modes={"2iD-tVS8NPw": "test"})
    assert found == {"segments": 2, "words": 0, "label": 0, "video": 0, "times": 0}
    first, _ = lines(tmp_path / "mosi")
    assert (first["text"], first["label"], first["mode"]) == ("IT WAS GOOD", "2.4", "test")
    listing = read_dataset(
        tmp_path / "mosi", language="en", run=one_worker, cache=Cache(str(tmp_path / "kept"))
    )
    assert not listing.quarantine and not listing.warnings
    rows = listing.manifest.to_pylist()
    assert [(r["start_s"], r["end_s"]) for r in rows] == [
        (0.2, 1.2),
        (1.5, pytest.approx(3, abs=0.1)),
    ]
    assert rows[0]["duration_s"] == pytest.approx(1)
    assert rows[0]["path"] == rows[1]["path"]
    assert rows[0]["clip_id"] == "2iD-tVS8NPw/1"


def test_mosei_averages_its_annotators(tmp_path: Path) -> None:
    source = tmp_path / "Raw"
    source.mkdir()
    (source / "abc.mp4").write_bytes(b"video")
    (source / "abc.txt").write_text("abc___0___1.5___4.25___well, it is fine\n")
    (source / "labels.csv").write_text(
        "Input.VIDEO_ID,Input.CLIP,Answer.sentiment\nabc,0,1\nabc,0,2\nabc,7,3\n"
    )
    found = prepare(source, tmp_path / "mosei", modes={})
    assert (found["segments"], found["times"]) == (1, 1)
    (line,) = lines(tmp_path / "mosei")
    assert (line["label"], line["start_s"], line["end_s"]) == ("1.5", "1.5", "4.25")
    assert (tmp_path / "mosei" / "Raw" / "abc.mp4").is_symlink()


def test_published_splits_of_mosi_are_whole() -> None:
    counts = Counter(PUBLISHED["mosi"].values())
    assert counts == {"train": 52, "valid": 10, "test": 31}


def test_folder_without_segments_says_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="0 videos and 0 segments"):
        prepare(tmp_path, tmp_path / "root", modes={})
