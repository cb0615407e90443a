from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractors.datasets.javanese import prepare
from extractors.datasets.listing import read_dataset
from extractors.errors import SetupError
from extractors.workers.session import Session

ReadLabels = Callable[[Path], list[dict[str, str]]]


def videos(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def test_names_of_files_say_speaker_sentence_and_label(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    names = [f"{s:02}-02-{e:02}_01.mp4" for s in (1, 2, 3) for e in range(1, 7)]
    prepared = prepare(videos(tmp_path / "in", *names), tmp_path / "root", splits={})
    assert prepared == (18, 3, [], ["01", "02", "03"])
    lines = label_csv(tmp_path / "root")
    assert [line["emotion"] for line in lines[:6]] == [
        "neutral",
        "sad",
        "happy",
        "surprised",
        "fearful",
        "angry",
    ]
    assert [line["label"] for line in lines[:6]] == ["0", "-2", "2", "2", "-2", "-2"]
    assert {line["text"] for line in lines} == {"sentence 2"}
    for line in lines:
        assert line["speaker"] == line["video_id"] == line["clip_id"][:2]
        link = tmp_path / "root" / "Raw" / line["video_id"] / f"{line['clip_id']}.mp4"
        assert link.is_symlink() and link.is_file()
    assert len({(line["speaker"], line["mode"]) for line in lines}) == 3
    assert {line["mode"] for line in lines} == {"train", "valid", "test"}


def test_groups_of_the_manifest_are_the_speakers(
    tmp_path: Path, clip_writer: Any, session: Session
) -> None:
    for speaker in ("01", "02", "03"):
        clip_writer(tmp_path / "in" / f"{speaker}-01-03_01.mp4", seconds=1.0)
    prepare(tmp_path / "in", tmp_path / "root", splits={})
    listing = read_dataset(tmp_path / "root", session, language="jv")
    assert not listing.quarantine
    assert not [warning for warning in listing.warnings if "group" in warning]
    assert listing.manifest["group"].to_pylist() == ["01", "02", "03"]


def test_splits_that_are_asked_for_are_used_and_other_speakers_told(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    source = videos(tmp_path / "in", *(f"0{s}-01-01_01.mp4" for s in range(1, 5)))
    splits = {"01": "test", "02": "train", "03": "valid"}
    assert prepare(source, tmp_path / "root", splits=splits).unnamed == ["04"]
    modes = {line["speaker"]: line["mode"] for line in label_csv(tmp_path / "root")}
    assert modes.items() >= splits.items()


def test_videos_of_other_names_are_left_out_and_told(tmp_path: Path) -> None:
    source = videos(
        tmp_path / "in", "a/01-01-02_01.mp4", "b/01-01-02_01_output.mp4", "01-01-07_01.mp4"
    )
    videos(tmp_path / "in", "02-01-02-03.mp4")  # as the README spells the names
    (tmp_path / "in" / "01-02-02_01.mp4").symlink_to("nowhere")
    prepared = prepare(source, tmp_path / "root", splits={})
    assert (prepared.clips, prepared.speakers) == (2, 2)
    assert {f.name for f in prepared.others} == {"01-01-02_01_output.mp4", "01-01-07_01.mp4"}


def test_nothing_is_written_where_no_video_is_named_as_published(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"in: of 1 videos none is named <actor>-<sentence>"):
        prepare(videos(tmp_path / "in", "bbaf2n.mpg"), tmp_path / "root", splits={})
    assert not (tmp_path / "root").exists()


def test_two_sizes_of_one_clip_are_refused_and_copies_are_not(tmp_path: Path) -> None:
    source = videos(tmp_path / "in", "small/01-01-02_01.mp4", "large/01-01-02_01.mp4")
    with pytest.raises(SetupError, match=r"have one name and are not the same video"):
        prepare(source, tmp_path / "root", splits={})
    (source / "large" / "01-01-02_01.mp4").write_bytes(b"small/01-01-02_01.mp4")
    assert prepare(source, tmp_path / "root", splits={}).clips == 1


def test_it_can_be_run_again_and_replaces_only_links_that_lead_nowhere(
    tmp_path: Path, label_csv: ReadLabels
) -> None:
    root = tmp_path / "root"
    before = prepare(videos(tmp_path / "in", "01-01-02_01.mp4"), root, splits={})
    (tmp_path / "in").rename(tmp_path / "moved")
    assert prepare(tmp_path / "moved", root, splits={}) == before
    link = root / "Raw" / "01" / "01-01-02_01.mp4"
    assert link.read_bytes() == b"01-01-02_01.mp4"
    link.unlink()
    link.write_bytes(b"another")
    with pytest.raises(SetupError, match=r"01-01-02_01\.mp4 is another video than"):
        prepare(tmp_path / "moved", root, splits={})
    assert link.read_bytes() == b"another"


def test_a_table_that_somebody_edited_stays(tmp_path: Path) -> None:
    source, root = videos(tmp_path / "in", "01-01-02_01.mp4"), tmp_path / "root"
    prepare(source, root, splits={})
    (root / "label.csv").write_text("mine")
    videos(source, "01-01-03_01.mp4")
    with pytest.raises(SetupError, match=r"label\.csv is there already"):
        prepare(source, root, splits={})
    assert (root / "label.csv").read_text() == "mine"
    assert not (root / "Raw" / "01" / "01-01-03_01.mp4").exists()
