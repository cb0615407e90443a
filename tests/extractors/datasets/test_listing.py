import csv
import os
import shutil

import pytest

from contracts.schemas import MANIFEST
from extractors.datasets.labels import DatasetError, outside
from extractors.datasets.listing import probe_files, read_dataset
from extractors.errors import SetupError
from extractors.workers.pool import Pool

HEADER = ["video_id", "clip_id", "text", "label", "mode"]


@pytest.fixture
def dataset(tmp_path, make_clip, session):
    """Writes label.csv and reads the dataset; ``clips`` are made first, as video/clip."""

    def read(rows, clips=("v1/c1.mp4",), header=HEADER):
        source = None
        for i, clip in enumerate(clips):
            path = tmp_path / "data" / "Raw" / clip
            made = make_clip(f"data/Raw/{clip}", seconds=0.4, tone_hz=200 + 10 * i)
            assert made == path
            source = source or made
        with (tmp_path / "data" / "label.csv").open("w", newline="", encoding="utf-8-sig") as f:
            csv.writer(f).writerows([header, *rows])
        return read_dataset(tmp_path / "data", session, language="en")

    (tmp_path / "data").mkdir()
    return read


def reasons(listing):
    return {row.clip_id: row.reason for row in listing.quarantine}


def test_rows_of_label_csv_become_the_manifest(dataset):
    listing = dataset(
        [["видео", "一", "so good", "2.4", "train"], ["v1", "c1", "", "", "test"]],
        clips=("видео/一.MKV", "v1/c1.mp4"),
    )
    assert listing.manifest.schema == MANIFEST
    first, second = listing.manifest.to_pylist()
    assert first["clip_id"] == "v1/c1"
    assert first["label"] is None
    assert second["clip_id"] == "видео/一"
    assert second["path"].endswith("видео/一.MKV")
    assert second["label"] == pytest.approx(2.4)
    assert (second["text"], second["split"], second["group"]) == ("so good", "train", "видео")
    assert second["duration_s"] == pytest.approx(0.4, abs=0.1)
    assert listing.quarantine == []
    assert listing.warnings == []


def test_labels_per_modality_and_speakers_are_read_where_given(dataset):
    header = [*HEADER, "label_T", "label_A", "label_V", "speaker", "more"]
    row = ["v1", "c1", "x", "0", "train", "-1", "0.5", "", "ann", "?"]
    clip = dataset([row], header=header).manifest.to_pylist()[0]
    assert (clip["label_t"], clip["label_a"], clip["label_v"]) == (-1.0, 0.5, None)
    assert clip["group"] == "ann"


def test_nan_in_a_column_of_labels_is_a_label_that_is_not_known(dataset):
    header = [*HEADER, "label_T", "label_A", "label_V"]
    row = ["v1", "c1", "x", "1", "train", "NaN", " nan ", "0.5"]
    listing = dataset([row, ["v1", "c2", "x", "nan", "train", "", "", "NaN."]], header=header)
    (clip,) = listing.manifest.to_pylist()
    assert (clip["label"], clip["label_t"], clip["label_a"]) == (1.0, None, None)
    assert clip["label_v"] == 0.5
    assert reasons(listing) == {"v1/c2": "label_V is 'NaN.', not a number"}


def test_what_cannot_be_used_is_quarantined_with_its_reason(dataset):
    listing = dataset(
        [
            ["v1", "c1", "x", "1", "train"],
            ["../..", "passwd", "x", "1", "train"],
            ["/etc", "passwd", "x", "1", "train"],
            ["v1", "..\\c1", "x", "1", "train"],
            ["", "c1", "x", "1", "train"],
            ["v1", "twice", "x", "1", "train"],
            ["v1", "twice", "y", "1", "test"],
            ["v1", "word", "x", "good", "train"],
            ["v1", "inf", "x", "-inf", "train"],
            ["v1", "mode", "x", "1", "dev"],
            ["v1", "gone", "x", "1", "train"],
        ]
    )
    assert listing.manifest["clip_id"].to_pylist() == ["v1/c1"]
    by_clip = reasons(listing)
    for clip_id in ("../../passwd", "/etc/passwd", "v1/..\\c1", "/c1"):
        assert "out of the dataset" in by_clip[clip_id]
    assert "named 2 times" in by_clip["v1/twice"]
    assert "not a number" in by_clip["v1/word"]
    assert "finite" in by_clip["v1/inf"]
    assert "train, valid, test" in by_clip["v1/mode"]
    assert "no video of this name" in by_clip["v1/gone"]
    assert len(listing.quarantine) == 10  # one for each of the two lines of v1/twice


def test_broken_files_are_quarantined_and_the_others_go_on(dataset, tmp_path):
    raw = tmp_path / "data" / "Raw" / "v1"
    raw.mkdir(parents=True)
    (raw / "empty.mp4").touch()
    (raw / "text.mp4").write_text("not a video\n" * 50)
    rows = [["v1", name, "x", "1", "train"] for name in ("c1", "empty", "text")]
    listing = dataset(rows)
    assert listing.manifest["clip_id"].to_pylist() == ["v1/c1"]
    assert "empty" in reasons(listing)["v1/empty"]
    assert "not a readable video" in reasons(listing)["v1/text"]
    assert {row.stage for row in listing.quarantine} == {"ingest"}


def test_same_bytes_and_same_group_in_two_splits_are_leakage(dataset, tmp_path, session):
    clips = ("v1/c1.mp4", "v2/c1.mp4", "v2/c2.mp4")
    rows = [
        ["v1", "c1", "x", "1", "train"],
        ["v2", "c1", "x", "1", "test"],
        ["v2", "c2", "x", "1", "valid"],
    ]
    dataset(rows, clips=clips)
    raw = tmp_path / "data" / "Raw"
    shutil.copyfile(raw / "v1" / "c1.mp4", raw / "v2" / "c1.mp4")
    messages = read_dataset(tmp_path / "data", session, language="en").warnings
    assert len(messages) == 2
    assert "the same bytes" in messages[0]
    assert "v1/c1, v2/c1" in messages[0]
    assert "the same group (v2) in test and valid" in messages[1]


def test_files_without_a_line_in_label_csv_are_counted(dataset):
    listing = dataset([["v1", "c1", "x", "1", "train"]], clips=("v1/c1.mp4", "v1/c9.mp4"))
    assert any("1 files under" in warning for warning in listing.warnings)


def test_dataset_without_labels_says_what_is_needed(tmp_path, session):
    with pytest.raises(DatasetError, match=r"label\.csv not found"):
        read_dataset(tmp_path, session, language="en")
    (tmp_path / "label.csv").write_text("video_id,clip_id,text\n")
    with pytest.raises(DatasetError, match="label, mode"):
        read_dataset(tmp_path, session, language="en")
    (tmp_path / "label.csv").write_text("video_id;clip_id;text;mode;label;label\n")
    with pytest.raises(DatasetError, match=r"has 2 columns 'label': rename all but one"):
        read_dataset(tmp_path, session, language="en")
    (tmp_path / "label.csv").write_bytes("video_id,clip_id,text,label,mode\né".encode("latin-1"))
    with pytest.raises(DatasetError, match="UTF-8"):
        read_dataset(tmp_path, session, language="en")


def test_new_videos_are_named_by_as_much_as_tells_them_apart(make_clip, tmp_path, session):
    make_clip("in/a/x.mp4", seconds=0.2)
    make_clip("in/b/x.mp4", seconds=0.2)
    make_clip("in/b/y.avi", seconds=0.2, video_codec="mpeg4")
    make_clip("in/b/odd.mp4", seconds=0.2).rename(tmp_path / "in/b/odd.dat")
    (tmp_path / "nothing").mkdir()
    paths = [
        tmp_path / "in",
        tmp_path / "in/b/odd.dat",
        tmp_path / "in/b/x.mp4",
        tmp_path / "no.mp4",
        tmp_path / "nothing",
    ]
    listing = probe_files(paths, session, language="en")
    assert listing.manifest["clip_id"].to_pylist() == ["a/x.mp4", "b/x.mp4", "odd.dat", "y.avi"]
    assert set(listing.manifest["split"].to_pylist()) == {"new"}
    assert reasons(listing) == {"no.mp4": "no such file"}
    assert "no video in this folder" in listing.warnings[0]


def test_a_file_given_twice_is_listed_once(tmp_path, make_clip, session, monkeypatch):
    make_clip("clips/a.mp4", seconds=0.4)
    monkeypatch.chdir(tmp_path)
    paths = ["clips/a.mp4", tmp_path / "clips", "clips"]
    listing = probe_files(paths, session, language="en")
    assert listing.manifest["clip_id"].to_pylist() == ["a.mp4"]


def test_a_name_that_is_not_utf8_costs_its_own_file(tmp_path, make_clip, session):
    good = make_clip("good.mp4", seconds=0.4)
    bad = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4")
    shutil.copyfile(good, bad)
    listing = probe_files([good, bad], session, language="en")
    assert listing.manifest["clip_id"].to_pylist() == ["good.mp4"]
    assert "not UTF-8" in listing.quarantine[0].reason


def test_unchanged_file_is_not_read_again(dataset, tmp_path, monkeypatch):
    rows = [["v1", "c1", "x", "1", "train"], ["v1", "c2", "x", "1", "train"]]
    clips = [tmp_path / "data" / "Raw" / "v1" / f"{name}.mp4" for name in ("c1", "c2")]
    dataset(rows, clips=("v1/c1.mp4", "v1/c2.mp4"))
    for clip in clips:  # a file as young as its clock's tick is not trusted
        os.utime(clip, (1_000_000_000, 1_000_000_000))
    first = dataset(rows, clips=())
    read = []
    start = Pool.start

    def listen(pool, build, tasks):
        read.extend(tasks)
        return start(pool, build, tasks)

    monkeypatch.setattr(Pool, "start", listen)
    assert dataset(rows, clips=()).manifest.equals(first.manifest)
    assert read == []
    clips[1].write_bytes(clips[1].read_bytes() + b"more")
    os.utime(clips[1], (1_000_000_000, 1_000_000_000))
    dataset(rows, clips=())
    assert [task.arguments[2] for task in read] == [clips[1].as_posix()]


def test_label_beyond_the_range_is_reported(dataset):
    rows = [["v1", "c1", "x", "3", "train"], ["v1", "c2", "x", "-3.5", "train"]]
    manifest = dataset(rows, clips=("v1/c1.mp4", "v1/c2.mp4")).manifest
    assert outside(manifest, (-4, 4)) == []
    (message,) = outside(manifest, (-3, 3))
    assert message.endswith("label_range: v1/c2 (-3.5)")


def test_one_name_in_two_spellings_is_named_twice(dataset):
    composed, apart = "caf\u00e9", "cafe\u0301"
    listing = dataset(
        [[composed, "1", "", "1", "train"], [apart, "1", "", "-1", "train"]],
        clips=(f"{composed}/1.mp4",),
    )
    assert listing.manifest.num_rows == 0
    assert [row.reason for row in listing.quarantine] == ["named 2 times in label.csv"] * 2


def test_label_that_the_manifest_cannot_hold_is_quarantined(dataset):
    listing = dataset([["v1", "c1", "", "1e39", "train"], ["v1", "c2", "", "1_0", "train"]])
    assert reasons(listing) == {
        "v1/c1": "label is '1e39', not a finite number",
        "v1/c2": "label is '1_0', not a number",
    }


def test_second_file_of_a_clip_is_told_of(dataset):
    listing = dataset([["v1", "c1", "", "1", "train"]], clips=("v1/c1.mp4", "v1/c1.mkv"))
    (clip,) = listing.manifest.to_pylist()
    assert clip["path"].endswith("c1.mp4")
    (warning,) = listing.warnings
    assert "1 clips have a second file" in warning
    assert warning.endswith("v1/c1.mkv")


def test_impossible_names_and_dangling_links_cost_themselves_only(make_clip, tmp_path, session):
    good = make_clip("real/good.mp4", seconds=0.4)
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "linked").symlink_to(good.parent)
    (folder / "linked" / "round").symlink_to(folder)
    (folder / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    listing = probe_files([folder, tmp_path / f"{'a' * 300}.mp4"], session, language="en")
    assert listing.manifest["clip_id"].to_pylist() == ["good.mp4"]
    by_clip = reasons(listing)
    assert by_clip.pop("gone.mp4") == "no such file"
    (reason,) = by_clip.values()
    assert "too long" in reason or reason == "no such file"


def test_storage_out_of_reach_is_one_clear_error(monkeypatch, session):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(SetupError, match="cannot be reached"):
        probe_files(["s3://bucket/a.mp4"], session, language="en")


def test_placeholders_are_no_words_and_are_counted(dataset):
    rows = [["v1", "c1", "nan", "1", "train"], ["v1", "c2", "\u200b", "None", "train"]]
    rows += [["v1", "c3", "none", "", "train"], ["", "", "", "", ""]]
    listing = dataset(rows, clips=("v1/c1.mp4", "v1/c2.mp4", "v1/c3.mp4"))
    assert listing.manifest["text"].to_pylist() == ["", "", "none"]
    assert listing.manifest["label"].to_pylist() == [1, None, None]
    (warning,) = listing.warnings
    assert warning.startswith("2 texts in ") and warning.endswith(
        "label.csv are placeholders (invisible characters, nan) and count as empty, the first in "
        "line 2"
    )
    assert listing.quarantine == []  # an empty line is none
