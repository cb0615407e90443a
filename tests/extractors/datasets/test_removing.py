from pathlib import Path

import pytest

from extractors.datasets.csv_table import read_lines
from extractors.datasets.labels import COLUMNS
from extractors.datasets.removing import raw_files, remove_files, remove_lines

HEADER = "video_id,clip_id,text,label,mode,start_s,end_s\n"


def test_every_other_byte_of_label_csv_stays(tmp_path: Path) -> None:
    table = tmp_path / "label.csv"
    before = b'\xef\xbb\xbfvideo_id,clip_id,text\r\nann,1,"said\r\n""so"", twice"\r\n'
    after = b'\r\nbob,1,  spaced\r\n\r\n"bob",2,\xc3\xa9\n'
    table.write_bytes(before + b'ann,2,"of two\r\nlines"\r\nann,3,short\r\n' + after)
    assert remove_lines(table, {"ann/2", "ann/3", "eve/1"}) == 2
    assert table.read_bytes() == before + after
    assert remove_lines(table, {"ann/2"}) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["label.csv"]  # no copy beside it


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_table_may_be_separated_otherwise(tmp_path: Path, delimiter: str) -> None:
    table = tmp_path / "label.csv"
    text = "video_id,clip_id,text\nann,1,x\nbob,1,y\n".replace(",", delimiter)
    table.write_text(text)
    assert remove_lines(table, {"ann/1"}) == 1
    assert table.read_text() == text.replace(f"ann{delimiter}1{delimiter}x\n", "")


def test_table_behind_a_link_is_changed_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text(HEADER + "ann,1,a,,train,,\n")
    (tmp_path / "label.csv").symlink_to("real.csv")
    remove_lines(tmp_path / "label.csv", {"ann/1"})
    assert (tmp_path / "label.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == HEADER


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n",
        b"",
        b"\xff\xfe\x00",
        b'video_id,clip_id,text\nbob,1,"not closed\nann,1,x\n',
        b'video_id,clip_id,text\nann,1,"not closed\nbob,1,x\nbob,2,"y"\n',
        b"video_id,clip_id,text\nann,1,Well, I hate it\n",
    ],
)
def test_other_table_is_refused_and_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "label.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"label\.csv(,| lacks| is)"):
        remove_lines(tmp_path / "label.csv", {"ann/1"})
    assert (tmp_path / "label.csv").read_bytes() == content


def test_links_files_and_whole_videos_of_the_clips_are_found(tmp_path: Path) -> None:
    raw = tmp_path / "Raw"
    (raw / "ann").mkdir(parents=True)
    (tmp_path / "original.mp4").write_bytes(b"video")
    (raw / "ann" / "1.mp4").symlink_to(tmp_path / "original.mp4")
    (raw / "ann" / "2.mkv").symlink_to(tmp_path / "gone.mkv")
    for name in ("ann/2.srt", "ann/22.mp4", "hers.mp4", "both.mp4", "other.mp4"):
        (raw / name).write_bytes(b"video")
    (tmp_path / "label.csv").write_text(
        HEADER + "ann,1,,,train,,\nann,2,,,train,,\nann,22,,,train,,\nhers,a,,,train,0,1\n"
        "both,a,,,train,0,1\nboth,b,,,train,1,2\nother,a,,,train,0,1\n"
    )
    lines = [line for _, line in read_lines(tmp_path / "label.csv", COLUMNS)]
    files = raw_files(tmp_path, {"ann/1", "ann/2", "hers/a", "both/a"}, lines)
    assert [path.name for path in files.links] == ["1.mp4", "2.mkv"]
    assert [path.name for path in files.files] == ["2.srt", "hers.mp4"]
    assert files.originals == [tmp_path / "original.mp4"]
    assert [path.name for path in files.shared] == ["both.mp4"]
    remove_files(tmp_path, files)
    remove_files(tmp_path, files)  # again, as after an interruption
    left = sorted(path.relative_to(raw).as_posix() for path in raw.rglob("*.mp4"))
    assert left == ["ann/22.mp4", "both.mp4", "other.mp4"]
    assert (tmp_path / "original.mp4").is_file()
