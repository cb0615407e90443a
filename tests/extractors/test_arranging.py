import csv
from pathlib import Path

import pytest

from extractors.arranging import arrange, split_by_group
from extractors.errors import SetupError


def videos(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def lines(root: Path) -> list[dict[str, str]]:
    with (root / "label.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_nested_videos_of_any_name_become_a_raw_dataset_without_copies(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "ann/day 1/a b.MP4", "ann/day 2/a b.mp4", "bo/x.mov", "王.mp4")
    found = arrange(source, tmp_path / "root")
    assert (sum(found.clips.values()), found.new, found.speakers) == (4, 4, 3)
    for line in lines(tmp_path / "root"):
        (file,) = (tmp_path / "root" / "Raw" / line["video_id"]).glob(f"{line['clip_id']}.*")
        assert file.is_symlink() and file.is_file()
        assert line["text"] == line["label"] == ""
    assert {line["speaker"] for line in lines(tmp_path / "root")} == {"ann", "bo", "王"}


def test_no_speaker_is_in_two_splits_and_the_splits_are_always_the_same(tmp_path: Path) -> None:
    names = [f"s{i % 9}/{i // 18}/{i}.mp4" for i in range(90)]
    source = videos(tmp_path / "in", *names)
    first, second = arrange(source, tmp_path / "a"), arrange(source, tmp_path / "b")
    assert first == second and min(first.clips.values()) >= 10
    assert lines(tmp_path / "a") == lines(tmp_path / "b")
    pairs = {(line["speaker"], line["mode"]) for line in lines(tmp_path / "a")}
    assert len(pairs) == 9


def test_what_is_written_into_label_csv_stays_when_videos_are_added(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "a/1.mp4", "b/1.mp4", "c/1.mp4")
    arrange(source, tmp_path / "root")
    table = tmp_path / "root" / "label.csv"
    table.write_text(table.read_text().replace("a,1,,,", "a,1,hello,0.5,"))
    before = lines(tmp_path / "root")
    videos(source, "a/2.mp4", "d/1.mp4")
    assert arrange(source, tmp_path / "root").new == 2
    after = lines(tmp_path / "root")
    assert [line for line in after if line in before] == before
    modes = {(line["video_id"], line["mode"]) for line in after if line["video_id"] == "a"}
    assert len(modes) == 1


def test_three_speakers_fill_three_splits() -> None:
    assert set(split_by_group({"a": 5, "b": 1, "c": 2}, {}).values()) == {"train", "valid", "test"}


def test_same_name_with_another_extension_is_another_clip(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "a/1.mp4", "a/1.mov", "b/1.mp4")
    arrange(source, tmp_path / "root")
    assert len(list((tmp_path / "root" / "Raw" / "a").iterdir())) == 2


def test_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no video in this folder"):
        arrange(tmp_path, tmp_path / "root")
