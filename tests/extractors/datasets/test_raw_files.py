"""The files of a dataset's clips, and which file may be meant where a clip has none."""

from pathlib import Path

import pytest

from extractors.datasets.raw_files import read_raw


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


@pytest.mark.parametrize(
    ("file", "asked", "told"),
    [
        ("v1/1.mp4", "v1/1.mp4", "there is {raw}/v1/1.mp4: its clip_id is 1"),
        ("v1/0002.mp4", "v1/2", "there is {raw}/v1/0002.mp4: its clip_id is 0002"),
        ("v1/2.mp4", "v1/0002", "there is {raw}/v1/2.mp4: its clip_id is 2"),
        ("v1/clip6.mkv", "v1/Clip6", "there is {raw}/v1/clip6.mkv: its clip_id is clip6"),
        (
            "V01/1.mp4",
            "v1/1",
            "there is {raw}/V01/1.mp4: its video_id is V01, and its clip_id 1",
        ),
        ("Talk.mp4", "talk", "there is {raw}/Talk.mp4: its video_id is Talk"),
        ("v1/1.rmvb", "v1/1", "{raw}/v1/1.rmvb does not have the extension of a video"),
    ],
)
def test_the_file_that_is_there_is_pointed_at(
    tmp_path: Path, file: str, asked: str, told: str
) -> None:
    raw = read_raw(touch(tmp_path, file))
    assert asked not in raw.clips
    reason = raw.why_missing(asked)
    assert reason == "no video of this name; " + told.format(raw=tmp_path.as_posix())
    assert raw.why_missing("v1/3").startswith("no video of this name (.mp4, .mov, ")


def test_a_link_that_leads_nowhere_is_told_with_where_it_led(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "1.mp4").symlink_to("/drive/1.mp4")
    reason = read_raw(tmp_path).why_missing("v1/1")
    assert reason.endswith("v1/1.mp4 is a link that leads nowhere (/drive/1.mp4)")


def test_hidden_files_are_no_clips_and_others_are_counted(tmp_path: Path) -> None:
    names = ("v1/1.mp4", "v1/._1.mp4", ".Trashes/2.mp4", "v1/.DS_Store", "v1/a.pdf")
    raw = read_raw(touch(tmp_path, *names))
    assert list(raw.clips) == ["v1/1"]
    hidden, others = raw.warnings
    assert "skipped, as their names begin with a dot (2): .Trashes, ._1.mp4" in hidden
    assert "skipped, as their names are not of videos (1): 1 .pdf" in others
