"""Folders of videos made datasets: speakers by name, labels of other tables, what stays out."""

import re
from pathlib import Path

import pytest

from extractors.datasets.csv_records import DatasetError
from extractors.datasets.from_folder import arrange
from extractors.errors import SetupError
from tests.extractors.datasets.conftest import ReadLabels, videos


def clips(lines: list[dict[str, str]]) -> list[str]:
    return [f"{line['video_id']}/{line['clip_id']}" for line in lines]


def test_a_line_that_was_deleted_stays_away_until_its_file_is_moved(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    source, root = videos(tmp_path / "in", "a/1.mp4", "b/1.mp4", "c/1.mp4"), tmp_path / "root"
    arrange(source, root)
    table = root / "label.csv"
    table.write_text("".join(line for line in table.open() if not line.startswith("b,")))
    content = table.read_bytes()
    arranged = arrange(source, root)
    assert arranged.new == 0 and table.read_bytes() == content
    (warning,) = arranged.warnings
    assert "1 videos are in Raw and have no line" in warning and "b/1.mp4" in warning
    link = root / "Raw" / "b" / "1.mp4"
    copy = link.read_bytes()  # what `dvc add` makes of links
    link.unlink()
    link.write_bytes(copy)
    assert arrange(source, root).new == 0
    link.unlink()
    assert arrange(source, root).new == 1
    table.unlink()
    assert arrange(source, root).new == 3  # whoever deletes the table begins anew


def test_the_table_as_it_was_is_kept_and_its_lines_keep_order_columns_and_form(
    tmp_path: Path,
) -> None:
    source, root = videos(tmp_path / "in", "a/1.mp4", "b/1.mp4"), tmp_path / "root"
    arrange(source, root)
    table = root / "label.csv"
    before = (
        "\ufeffvideo_id;clip_id;text;label;mode;notes;\r\n"
        'b;1;"so; so";1;test;mine;\r\na;1;;nan;train;;\r\n'
    )
    table.write_bytes(before.encode())
    arranged = arrange(videos(source, "c/1.mp4"), root)
    assert arranged.old == root / "label.csv.old"
    assert (root / "label.csv.old").read_bytes() == before.encode()
    after = table.read_bytes().decode()
    assert after == before.replace(";\r\n", ";;\r\n").replace(";notes;;", ";notes;;speaker") + (
        "c;1;;;valid;;;c\r\n"
    )


def test_a_damaged_table_is_left_as_it_is_and_no_link_is_made(faults: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    content = (faults / "unbalanced_quote_label.csv").read_bytes()
    (root / "label.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"label\.csv, line 5: a double quote opens here"):
        arrange(videos(tmp_path / "in", "a/1.mp4", "b/2.mp4"), root)
    assert [path.name for path in root.iterdir()] == ["label.csv"]
    assert (root / "label.csv").read_bytes() == content


def test_speakers_are_found_in_the_names_of_files(tmp_path: Path, label_csv: ReadLabels) -> None:
    names = [f"take{take}_{who}.mp4" for who in ("ann", "bo", "cy") for take in range(4)]
    source = videos(tmp_path / "in", *names)
    arranged = arrange(source, tmp_path / "root", speaker_pattern=r"_(\w+)\.")
    assert arranged.groups == 3 and min(arranged.clips.values()) == 4 and not arranged.warnings
    pairs = {(line["speaker"], line["mode"]) for line in label_csv(tmp_path / "root")}
    assert sorted(speaker for speaker, _ in pairs) == ["ann", "bo", "cy"]
    with pytest.raises(SetupError, match=r"finds no speaker in the name 'other\.mp4'"):
        arrange(videos(source, "other.mp4"), tmp_path / "root", speaker_pattern=r"_(\w+)\.")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("talks/1.mp4", "talks/2.mp4"), "all videos count as those of one speaker.*in/talks"),
        (("ann_1.mp4", "ann_2.mp4"), "every video counts as a speaker of its own"),
    ],
)
def test_folders_that_do_not_tell_speakers_apart_are_told_of(
    tmp_path: Path, names: tuple[str, ...], told: str
) -> None:
    (warning,) = arrange(videos(tmp_path / "in", *names), tmp_path / "root").warnings
    assert re.search(told, warning) and "--speaker-pattern" in warning


def test_videos_and_folders_are_excluded_by_pattern(tmp_path: Path, label_csv: ReadLabels) -> None:
    names = ("a/1.mp4", "a/1_test.mp4", "b/old/1.mp4", "b/2.mp4", "b/c/2.mp4", "b/._2.mp4")
    source = videos(tmp_path / "in", *names)
    exclude = ["*_test.mp4", "old/", "b/c", "nope"]
    arranged = arrange(source, tmp_path / "root", exclude=exclude)
    assert clips(label_csv(tmp_path / "root")) == ["a/1", "b/2"]
    none, some, hidden = arranged.warnings
    assert none == "'nope' excludes none of the videos"
    assert some == "3 videos are excluded, as asked for"
    assert "skipped, as their names begin with a dot (1): ._2.mp4" in hidden
    with pytest.raises(SetupError, match=r"no video in this folder.*; 5 videos are excluded"):
        arrange(source, tmp_path / "root", exclude=["*"])


def test_another_table_fills_what_is_empty_and_nothing_else(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    source, root = videos(tmp_path / "in", "a/1.mp4", "a/2.mp4", "b/1.mp4"), tmp_path / "root"
    other = tmp_path / "other.csv"
    other.write_text(
        "file;text;label;speaker;mode\n"
        "a/1.mp4;Well, yes;1;Ann;test\na/2;nan;N/A;Ann;test\nz.mp4;;0;;\n"
    )
    arranged = arrange(source, root, labels=other)
    first, second, third = label_csv(root)
    assert (first["text"], first["label"], first["speaker"]) == ("Well, yes", "1", "Ann")
    assert (second["text"], second["label"], second["mode"]) == ("", "", "test")
    assert (third["text"], third["speaker"]) == ("", "b")
    unused, without = arranged.warnings
    assert "1 of 3 lines in" in unused and "of z.mp4" in unused
    assert "1 of 3 videos are not in" in without and "b/1.mp4" in without
    other.write_text("video_id,clip_id,label,label_T\na,1,2,-1\na,2,2,-1\nb,1,2,\n")
    arranged = arrange(source, root, labels=other)
    assert [line["label"] for line in label_csv(root)] == ["1", "2", "2"]
    assert [line["label_T"] for line in label_csv(root)] == ["-1", "-1", ""]
    assert "1 fields of label.csv say something else" in arranged.warnings[-1]
    assert arranged.old == root / "label.csv.old"


def test_rows_that_are_too_short_are_told_of_in_both_tables(tmp_path: Path) -> None:
    source, root = videos(tmp_path / "in", "a/1.mp4", "b/1.mp4", "c/1.mp4"), tmp_path / "root"
    arrange(source, root)
    lines = (root / "label.csv").read_text().splitlines()
    (root / "label.csv").write_text("\n".join([*lines[:-1], lines[-1].rpartition(",")[0]]))
    (tmp_path / "other.csv").write_text("file,label\na/1,1\nb/1\n")
    told = arrange(source, root, labels=tmp_path / "other.csv").warnings
    assert any("label.csv: 1 of 3 rows have fewer fields" in warning for warning in told)
    assert any("other.csv: 1 of 2 rows have fewer fields" in warning for warning in told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("file,label\n1,1\n", r"line 2: 1 fits 2 videos: name their folders"),
        ("file,label\na/1,1\na/1.mp4,2\n", "line 2 and .*line 3 are both of .*a/1.mp4"),
        ("file,label\na/1,good\n", "line 2: label is 'good', not a number"),
        ("file;label\na/1;1,5\n", r"line 2: label is '1,5', not a number; is it 1\.5\?"),
        ("file,mode\na/1,dev\n", "line 2: mode is 'dev'"),
        ("file,label\n,1\n", "line 2: file is empty"),
        ("file,emotion\na/1,sad\n", "has none of the columns text, label"),
        ('file,text\na/1,"Oh no\nb/1,x\n', "line 2: a double quote opens here"),
    ],
)
def test_another_table_that_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, content: str, told: str
) -> None:
    source = videos(tmp_path / "in", "a/1.mp4", "b/1.mp4")
    (tmp_path / "other.csv").write_text(content)
    with pytest.raises(DatasetError, match=rf"other\.csv.*{told}"):
        arrange(source, tmp_path / "root", labels=tmp_path / "other.csv")
    assert not (tmp_path / "root").exists()
