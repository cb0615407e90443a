from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractors.datasets.cmu.preparing import prepare, read_splits
from extractors.datasets.cmu.published_splits import PUBLISHED
from extractors.datasets.labels import DatasetError
from extractors.datasets.listing import read_dataset
from extractors.errors import SetupError
from extractors.workers.session import Session

ReadLabels = Callable[[Path], list[dict[str, str]]]


def test_mosi_points_into_its_whole_videos(
    tmp_path: Path, label_csv: ReadLabels, clip_writer: Any, session: Session
) -> None:
    source = tmp_path / "Raw"
    clip_writer(source / "Video" / "Full" / "2iD-tVS8NPw.mp4", seconds=3.0)
    (source / "Transcript").mkdir()
    (source / "Transcript" / "2iD-tVS8NPw.annotprocessed").write_text(
        "1_DELIM_IT WAS GOOD\n2_DELIM_VERY GOOD, REALLY\n"
    )
    (source / "labels.csv").write_text("0.2,1.2,2iD-tVS8NPw,1,2.4\n1.5,9,2iD-tVS8NPw,2,-1\n")
    summary = prepare(source, tmp_path / "mosi", splits={"2iD-tVS8NPw": "test"})
    assert summary == (2, {"words": 0, "label": 0, "video": 0, "times": 0}, [], [])
    first, _ = label_csv(tmp_path / "mosi")
    assert (first["text"], first["label"], first["mode"]) == ("IT WAS GOOD", "2.4", "test")
    listing = read_dataset(tmp_path / "mosi", session, language="en")
    assert not listing.quarantine and not listing.warnings
    rows = listing.manifest.to_pylist()
    assert [(r["start_s"], r["end_s"]) for r in rows] == [
        (0.2, 1.2),
        (1.5, pytest.approx(3, abs=0.1)),
    ]
    assert rows[0]["duration_s"] == pytest.approx(1)
    assert rows[0]["path"] == rows[1]["path"]
    assert rows[0]["clip_id"] == "2iD-tVS8NPw/1"


def test_mosei_averages_its_annotators(tmp_path: Path, label_csv: ReadLabels) -> None:
    source = tmp_path / "Raw"
    source.mkdir()
    (source / "abc.mp4").write_bytes(b"video")
    (source / "abc.txt").write_text("abc___0___1.5___4.25___well, it is fine\n")
    (source / "labels.csv").write_text(
        "Input.VIDEO_ID,Input.CLIP,Answer.sentiment\nabc,0,1\nabc,0,2\nabc,7,3\n"
    )
    summary = prepare(source, tmp_path / "mosei", splits={})
    assert (summary.segments, summary.lacking["times"]) == (1, 1)
    (line,) = label_csv(tmp_path / "mosei")
    assert (line["label"], line["start_s"], line["end_s"]) == ("1.5", "1.5", "4.25")
    assert (tmp_path / "mosei" / "Raw" / "abc.mp4").is_symlink()


def test_published_splits_of_mosi_are_whole() -> None:
    counts = Counter(PUBLISHED["mosi"].values())
    assert counts == {"train": 52, "valid": 10, "test": 31}


def test_folder_without_segments_says_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="0 videos and 0 segments"):
        prepare(tmp_path, tmp_path / "root", splits={})


def mosei(
    source: Path, *, video: str = "abc.mp4", text: str = "abc___0___1.5___4___fine\n"
) -> Path:
    """A video, its transcript and a table of labels."""
    (source / video).parent.mkdir(parents=True, exist_ok=True)
    (source / video).write_bytes(b"video")
    (source / "abc.txt").write_text(text)
    (source / "labels.csv").write_text("video_id,clip_id,sentiment\nabc,0,2\n")
    return source


@pytest.mark.parametrize("inside", [".", "Raw", "Raw/Video"])
def test_the_dataset_s_own_folder_can_be_the_source_and_keeps_its_videos(
    tmp_path: Path, label_csv: ReadLabels, inside: str
) -> None:
    root = tmp_path / "mosei"
    source = mosei(root / inside)
    for _ in range(2):
        assert prepare(source, root, splits={}).segments == 1
        assert (source / "abc.mp4").read_bytes() == b"video"
        assert not (source / "abc.mp4").is_symlink()
        assert (root / "Raw" / "abc.mp4").read_bytes() == b"video"
        assert label_csv(root)[0]["label"] == "2"


def test_a_source_that_is_linked_as_the_dataset_keeps_its_videos(tmp_path: Path) -> None:
    source = mosei(tmp_path / "CMU" / "Raw")
    (tmp_path / "mosei").symlink_to(tmp_path / "CMU")
    for _ in range(2):
        prepare(source, tmp_path / "mosei", splits={})
        assert (source / "abc.mp4").read_bytes() == b"video"
        assert not (source / "abc.mp4").is_symlink()


def test_a_video_of_another_content_is_never_replaced(tmp_path: Path) -> None:
    source, root = mosei(tmp_path / "in"), tmp_path / "mosei"
    (root / "Raw").mkdir(parents=True)
    (root / "Raw" / "abc.mp4").write_bytes(b"other")
    with pytest.raises(SetupError, match=r"Raw/abc\.mp4 is another video than .*: move away"):
        prepare(source, root, splits={})
    assert (root / "Raw" / "abc.mp4").read_bytes() == b"other"
    assert not (root / "label.csv").exists()
    (root / "Raw" / "abc.mp4").write_bytes(b"video")
    prepare(source, root, splits={})
    assert not (root / "Raw" / "abc.mp4").is_symlink()


def test_a_source_that_moved_is_linked_again(tmp_path: Path) -> None:
    root = tmp_path / "mosei"
    prepare(mosei(tmp_path / "in"), root, splits={})
    (tmp_path / "in").rename(tmp_path / "moved")
    prepare(tmp_path / "moved", root, splits={})
    assert (root / "Raw" / "abc.mp4").read_bytes() == b"video"


def test_splits_that_name_other_videos_are_refused(tmp_path: Path) -> None:
    source = mosei(tmp_path / "in")
    with pytest.raises(SetupError, match="none of the 1 videos is in the splits, such as abc"):
        prepare(source, tmp_path / "mosei", splits={"abc.mp4": "test"})
    assert not (tmp_path / "mosei").exists()
    assert prepare(source, tmp_path / "mosei", splits={"abc": "test"}).unnamed == []


def test_what_was_typed_into_label_csv_is_never_lost(tmp_path: Path) -> None:
    source, root = mosei(tmp_path / "in"), tmp_path / "mosei"
    prepare(source, root, splits={})
    prepare(source, root, splits={})  # the same again
    table = root / "label.csv"
    typed = table.read_text().replace("fine,2", "fine,1.25")
    table.write_text(typed)
    with pytest.raises(SetupError, match=r"label\.csv is there already.*move it away"):
        prepare(source, root, splits={})
    assert table.read_text() == typed


def test_lines_that_cannot_be_read_are_skipped_and_counted(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    text = "abc___0___1.5___4___fine\n" + "_" * 40 + "\nabc___1______4___no start\n"
    source = mosei(tmp_path / "in", text=text)
    (source / "labels.csv").write_text("video_id,clip_id,sentiment,start,end\nabc,0,2,,\n")
    (source / "xyz.annotprocessed").write_text("_DELIM_without a number\n")
    (source / "more.csv").write_text("1,2,abc,2,1.5\n,3,abc,3,1\n3,4,abc,4,much\n5,4,abc,5,1\n7\n")
    summary = prepare(source, tmp_path / "mosei", splits={})
    assert [place.rpartition("/")[2] for place in summary.unread] == [
        "abc.txt line 2",
        "abc.txt line 3",
        "more.csv line 2",
        "more.csv line 3",
        "more.csv line 4",
        "more.csv line 5",
        "xyz.annotprocessed line 1",
    ]
    assert [(row["clip_id"], row["label"]) for row in label_csv(tmp_path / "mosei")] == [
        ("0", "2"),
        ("2", "1.5"),
    ]


def test_the_first_line_of_a_label_table_may_be_the_odd_one(tmp_path: Path) -> None:
    source = mosei(tmp_path / "in")
    (source / "labels.csv").write_text(",1,abc,1,1\n1,2,abc,2,-1\n")
    summary = prepare(source, tmp_path / "mosei", splits={})
    assert summary.segments == 2 and summary.unread == [f"{source}/labels.csv line 1"]


def test_a_quote_in_a_label_table_that_is_not_closed_is_refused(tmp_path: Path) -> None:
    source = mosei(tmp_path / "in")
    (source / "abc.txt").write_text("abc___0___1___2___good\nabc___1___3___4___bad\n")
    (source / "labels.csv").write_text(
        'video_id,clip_id,sentiment,note\nabc,0,2,"so\nabc,1,-2,so\n'
    )
    with pytest.raises(DatasetError, match=r"labels\.csv, line 2: a double quote opens here"):
        prepare(source, tmp_path / "mosei", splits={})
    assert not (tmp_path / "mosei").exists()
    (source / "labels.csv").write_text('some,thing,else\n"so\n')  # of no concern
    assert prepare(source, tmp_path / "mosei", splits={}).segments == 2


def test_a_video_s_name_may_end_with_an_underscore(tmp_path: Path, label_csv: ReadLabels) -> None:
    source = mosei(tmp_path / "in", video="abc_.mp4", text="abc____0___1.5___4___fine\n")
    prepare(source, tmp_path / "mosei", splits={})
    (line,) = label_csv(tmp_path / "mosei")
    assert (line["video_id"], line["clip_id"], line["text"]) == ("abc_", "0", "fine")


def test_features_that_would_hide_the_clips_are_not_mixed_with_them(tmp_path: Path) -> None:
    source, root = mosei(tmp_path / "in"), tmp_path / "mosei"
    root.mkdir()
    (root / "manifest.parquet").touch()
    with pytest.raises(SetupError, match=r"move manifest\.parquet and features/ away"):
        prepare(source, root, splits={})
    assert [path.name for path in root.iterdir()] == ["manifest.parquet"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("video_id,mode\na,train\nb,dev\n", r"line 3: mode is 'dev', not train, valid, test"),
        ("video_id,mode\na,train\na,test\n", "line 3: a is train above, not test"),
        ("video,split\na,train\n", "lacks the column video_id, mode"),
        ('video_id,mode\na,"train\nb,test\n', "line 2: a double quote opens here"),
    ],
)
def test_a_table_of_splits_that_cannot_be_used_names_file_line_and_what_may_be(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "splits.csv"
    path.write_text(content)
    with pytest.raises((DatasetError, SetupError), match=rf"splits\.csv.*{message}"):
        read_splits(path)
    path.write_text("\ufeffvideo_id,mode\na, test\n", encoding="utf-8")
    assert read_splits(path) == {"a": "test"}
