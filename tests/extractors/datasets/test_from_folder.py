import os
import shutil
from pathlib import Path

import pytest

from extractors.datasets.from_folder import arrange
from extractors.datasets.labels import DatasetError, read_labels
from extractors.datasets.new_lines import split_by_group
from extractors.errors import SetupError
from tests.extractors.datasets.conftest import ReadLabels, videos


def test_nested_videos_of_any_name_become_a_raw_dataset_without_copies(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    source = videos(tmp_path / "in", "ann/day 1/a b.MP4", "ann/day 2/a b.mp4", "bo/x.mov", "王.mp4")
    arranged = arrange(source, tmp_path / "root")
    assert (sum(arranged.clips.values()), arranged.new, arranged.groups) == (4, 4, 3)
    for line in label_csv(tmp_path / "root"):
        (file,) = (tmp_path / "root" / "Raw" / line["video_id"]).glob(f"{line['clip_id']}.*")
        assert file.is_symlink() and file.is_file()
        assert line["text"] == line["label"] == ""
    assert {line["speaker"] for line in label_csv(tmp_path / "root")} == {"ann", "bo", "王"}


def test_no_speaker_is_in_two_splits_and_the_splits_are_always_the_same(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    names = [f"s{i % 9}/{i // 18}/{i}.mp4" for i in range(90)]
    source = videos(tmp_path / "in", *names)
    first, second = arrange(source, tmp_path / "a"), arrange(source, tmp_path / "b")
    assert first == second and min(first.clips.values()) >= 10
    assert label_csv(tmp_path / "a") == label_csv(tmp_path / "b")
    pairs = {(line["speaker"], line["mode"]) for line in label_csv(tmp_path / "a")}
    assert len(pairs) == 9


def test_what_is_written_into_label_csv_stays_when_videos_are_added(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    source = videos(tmp_path / "in", "a/1.mp4", "b/1.mp4", "c/1.mp4")
    arrange(source, tmp_path / "root")
    table = tmp_path / "root" / "label.csv"
    table.write_text(table.read_text().replace("a,1,,,", "a,1,hello,0.5,"))
    before = label_csv(tmp_path / "root")
    videos(source, "a/2.mp4", "d/1.mp4")
    assert arrange(source, tmp_path / "root").new == 2
    after = label_csv(tmp_path / "root")
    assert [line for line in after if line in before] == before
    modes = {(line["video_id"], line["mode"]) for line in after if line["video_id"] == "a"}
    assert len(modes) == 1


def test_a_link_that_leads_nowhere_keeps_its_clip_and_its_label(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    root = tmp_path / "root"
    arrange(videos(tmp_path / "one", "a/1.mp4", "b/1.mp4"), root)
    shutil.rmtree(tmp_path / "one")
    arranged = arrange(videos(tmp_path / "two", "a/1.mov", "b/1.mp4"), root)
    assert (arranged.new, arranged.relinked) == (1, ["b/1"])  # another kind of file is another clip
    assert not (root / "Raw" / "a" / "1.mp4").exists()
    assert len(label_csv(root)) == 3


def test_deep_folders_and_links_to_folders_are_arranged(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "/".join(["日本語の長い名前のフォルダ" * 2] * 4) + "/1.mp4")
    (source / "linked").symlink_to(videos(tmp_path / "other", "x.mp4"))
    assert sum(arrange(source, tmp_path / "root").clips.values()) == 2
    assert arrange(source, tmp_path / "root").new == 0


def test_three_speakers_fill_three_splits() -> None:
    assert set(split_by_group({"a": 5, "b": 1, "c": 2}, {}).values()) == {"train", "valid", "test"}


def test_same_name_with_another_extension_is_another_clip(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "a/1.mp4", "a/1.mov", "b/1.mp4")
    arrange(source, tmp_path / "root")
    assert len(list((tmp_path / "root" / "Raw" / "a").iterdir())) == 2


def test_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no video in this folder"):
        arrange(tmp_path, tmp_path / "root")
    with pytest.raises(SetupError, match="elsewhere is not there"):
        arrange(tmp_path / "elsewhere", tmp_path / "root")
    (tmp_path / "a.mp4").touch()
    with pytest.raises(SetupError, match=r"a\.mp4 is no folder"):
        arrange(tmp_path / "a.mp4", tmp_path / "root")


def test_a_speaker_is_a_folder_of_the_one_named_however_few_there_are(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    source = videos(tmp_path / "in", "anna/1.mp4", "anna/2.mp4", "anna/day 2/3.mp4")
    assert arrange(source, tmp_path / "root").groups == 1
    before = label_csv(tmp_path / "root")
    assert {(line["speaker"], line["mode"]) for line in before} == {("anna", before[0]["mode"])}
    videos(source, "bo/1.mp4", "anna/4.mp4")
    arranged = arrange(source, tmp_path / "root")
    assert (arranged.new, sum(arranged.clips.values()), arranged.groups) == (2, 5, 2)
    assert [line for line in label_csv(tmp_path / "root") if line in before] == before
    pairs = {(line["speaker"], line["mode"]) for line in label_csv(tmp_path / "root")}
    assert {speaker for speaker, _ in pairs} == {"anna", "bo"} and len(pairs) == 2


def test_clips_are_recognised_by_their_links_whatever_they_are_named(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    source = videos(tmp_path / "in", "anna/1.mp4", "anna/2.mp4")
    raw = tmp_path / "root" / "Raw"
    for clip in "12":  # as a folder was named of which anna was all there was
        (raw / clip).mkdir(parents=True)
        (raw / clip / f"{clip}.mp4").symlink_to(source / "anna" / f"{clip}.mp4")
    table = tmp_path / "root" / "label.csv"
    rows = "1,1,hello,0.5,train,1\n2,2,,,valid,2\n"
    table.write_text(f"video_id,clip_id,text,label,mode,speaker\n{rows}")
    before = table.read_bytes()
    assert arrange(source, tmp_path / "root").new == 0
    assert table.read_bytes() == before
    videos(source, "anna/3.mp4", "bo/1.mp4")
    assert arrange(source, tmp_path / "root").new == 2
    after = {(r["video_id"], r["clip_id"]): r["speaker"] for r in label_csv(tmp_path / "root")}
    assert after == {("1", "1"): "1", ("2", "2"): "2", ("anna", "3"): "anna", ("bo", "1"): "bo"}


def test_new_clips_join_the_speaker_that_the_others_of_their_folder_were_given(
    tmp_path: Path,
    label_csv: ReadLabels,
) -> None:
    source = videos(tmp_path / "in", "a/1.mp4", "b/1.mp4", "c/1.mp4")
    arrange(source, tmp_path / "root")
    table = tmp_path / "root" / "label.csv"
    table.write_text(table.read_text().replace(",a\n", ",Ann\n"))
    arrange(videos(source, "a/2.mp4"), tmp_path / "root")
    pairs = {
        (r["speaker"], r["mode"]) for r in label_csv(tmp_path / "root") if r["video_id"] == "a"
    }
    assert len(pairs) == 1 and pairs.pop()[0] == "Ann"


def test_another_folder_s_video_of_the_same_name_is_another_clip(tmp_path: Path) -> None:
    arrange(videos(tmp_path / "one", "a/1.mp4"), tmp_path / "root")
    other = videos(tmp_path / "two", "a/1.mp4")
    (other / "a" / "1.mp4").write_bytes(b"another")
    assert [arrange(other, tmp_path / "root").new for _ in range(2)] == [1, 0]
    assert len({f.resolve() for f in (tmp_path / "root" / "Raw" / "a").iterdir()}) == 2


def test_a_folder_that_moved_is_linked_again_and_not_listed_again(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "a/1.mp4", "a/1.mov", "b/1.mp4")
    arrange(source, tmp_path / "root")
    shutil.move(source, tmp_path / "moved")
    assert arrange(tmp_path / "moved", tmp_path / "root").new == 0
    assert all(f.is_file() for f in (tmp_path / "root" / "Raw").glob("*/*"))


def test_videos_that_lie_in_raw_are_listed_and_stay_files(tmp_path: Path) -> None:
    raw = videos(tmp_path / "root" / "Raw", "ann/1.mp4", "bo.mp4")
    assert [arrange(raw, tmp_path / "root").new for _ in range(2)] == [2, 0]
    assert (raw / "bo.mp4").read_bytes() == b"bo.mp4" and not (raw / "bo.mp4").is_symlink()
    with pytest.raises(SetupError, match="the dataset itself: name the folder of videos"):
        arrange(tmp_path, tmp_path / "root")


def test_every_line_that_is_written_is_one_that_label_csv_may_have(tmp_path: Path) -> None:
    odd = (
        "a\\b/ c .mp4",
        " /x.mp4",
        "e\u0301/e\u0301.mp4",
        'q,"/n\n.mp4',
        os.fsdecode(b"\xff.mp4"),
    )
    source = videos(tmp_path / "in", *odd)
    arrange(source, tmp_path / "root")
    rows, rejected, _ = read_labels(tmp_path / "root", "en")
    assert not rejected
    raw = tmp_path / "root" / "Raw"
    assert all((raw / f"{row['clip_id']}.mp4").is_file() for row in rows) and len(rows) == len(odd)


def test_a_table_that_cannot_be_read_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "a/1.mp4")
    table = tmp_path / "root" / "label.csv"
    table.parent.mkdir()
    header = "video_id,clip_id,text,label,mode\n"
    for content, message in (
        (header.encode() + "b,1,café,1,train\n".encode("cp1252"), r"label\.csv is not UTF-8"),
        (header.replace("mode", "split").encode(), "lacks the column mode"),
        (f"{header}b,1,well, yes,1,train\n".encode(), r"label\.csv, line 2: more fields"),
    ):
        table.write_bytes(content)
        with pytest.raises((DatasetError, SetupError), match=message):
            arrange(source, tmp_path / "root")
        assert table.read_bytes() == content and not (tmp_path / "root" / "Raw").exists()


def test_clips_are_not_listed_beside_features_that_would_hide_them(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "a/1.mp4")
    videos(tmp_path / "root", "manifest.parquet")
    with pytest.raises(SetupError, match=r"move manifest\.parquet and features/ away"):
        arrange(source, tmp_path / "root")
    assert len(list((tmp_path / "root").iterdir())) == 1
