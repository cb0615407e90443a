import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.quarantine import read_quarantine
from extractors.damage import degrading
from extractors.damage.degrading import degrade
from extractors.damage.reading import read_frames
from extractors.datasets.listing import read_dataset
from extractors.errors import SetupError
from extractors.media.container import probe
from extractors.settings import RunSettings
from extractors.workers.session import Session

HEADER = "video_id,clip_id,text,label,mode,spoken"


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(RunSettings(workers=1, offline=True)) as session:
        yield session


@pytest.fixture
def dataset(tmp_path: Path, clip_writer: Any) -> Path:
    """Three clips that can be read, two that cannot, and one that has no file."""
    root = tmp_path / "source"
    lines = [
        'anna,1,"A fine, sunny day.",1.5,train,kept',
        "anna,2,It rained all night long.,-1,train,",
        "ぼく,1,,0.5,test,",
        "otto,1,a text,0,valid,",
        "otto,2,gone,0,valid,",
        "otto,3,empty,0,valid,",
    ]
    for clip, options in (("anna/1", {}), ("anna/2", {"audio": False}), ("ぼく/1", {})):
        clip_writer(root / "Raw" / f"{clip}.mp4", seconds=0.6, **options)
    (root / "Raw" / "otto").mkdir()
    (root / "Raw" / "otto" / "1.mp4").write_text("no video at all\n")
    (root / "Raw" / "otto" / "3.mp4").touch()
    (root / "label.csv").write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "label.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_of_a_dataset_a_dataset_is_made(dataset: Path, session: Session, tmp_path: Path):
    out = tmp_path / "new" / "noisy"
    done = degrade(dataset, out, {"noise": 5, "black": 0.5}, session)
    assert (out / "label.csv").read_bytes() == (dataset / "label.csv").read_bytes()
    before, after = (read_dataset(root, session, language="en") for root in (dataset, out))
    names = ["clip_id", "split", "text", "label", "has_audio", "has_video", "width", "height"]
    assert after.manifest.select(names) == before.manifest.select(names)
    assert done.clips["anna/1"]["noise"]["snr_db"] == pytest.approx(5, abs=0.01)
    assert done.clips["anna/2"]["noise"] is None and done.clips["anna/2"]["black"]
    record = json.loads((out / "damage.json").read_text("utf-8"))
    assert record["clips"] == done.clips
    assert (record["damages"], record["seed"]) == ({"noise": 5, "black": 0.5}, 0)
    assert not out.with_name("noisy.partial").exists() and not (out / "journal.jsonl").exists()


def test_clips_that_cannot_be_read_are_told_and_the_others_done(
    dataset: Path, session: Session, tmp_path: Path
):
    out = tmp_path / "out"
    done = degrade(dataset, out, {"noise": 5}, session)
    assert read_quarantine(out / "quarantine.csv") == done.quarantine
    reasons = {rejected.clip_id: rejected.reason for rejected in done.quarantine}
    assert "not a readable video" in reasons["otto/1"]
    assert "no video of this name" in reasons["otto/2"] and "empty" in reasons["otto/3"]
    assert sorted(done.clips) == ["anna/1", "anna/2", "ぼく/1"]
    assert not (out / "Raw" / "otto").exists()


def test_files_without_anything_to_damage_are_links(
    dataset: Path, session: Session, tmp_path: Path
):
    out = tmp_path / "out"
    done = degrade(dataset, out, {"noise": 5}, session, split="train")
    links = {p.relative_to(out / "Raw").as_posix() for p in out.rglob("*") if p.is_symlink()}
    assert links == {"anna/2.mp4", "ぼく/1.mp4"} and done.unchanged == 2
    assert sorted(done.clips) == ["anna/1", "anna/2"]
    for link in links:
        assert (out / "Raw" / link).samefile(dataset / "Raw" / link)


def test_words_are_damaged_in_the_text_and_nowhere_else(
    dataset: Path, session: Session, tmp_path: Path
):
    out = tmp_path / "out"
    done = degrade(dataset, out, {"word_errors": 0.5}, session, split="train")
    for before, after in zip(lines(dataset), lines(out), strict=True):
        assert {**after, "text": ""} == {**before, "text": ""}
        assert (after["text"] != before["text"]) == (before["mode"] == "train")
    assert done.clips["anna/1"]["word_errors"] == {"wer": 0.5, "errors": 2.0, "words": 4.0}
    assert done.unchanged == 3


def test_the_bytes_are_the_same_whatever_the_workers(
    dataset: Path, session: Session, tmp_path: Path
):
    severities = {"noise": 0, "low_light": 2, "frozen": 0.4, "word_errors": 0.5}
    degrade(dataset, tmp_path / "one", severities, session, seed=7)
    with Session(RunSettings(workers=2, offline=True)) as two:
        degrade(dataset, tmp_path / "two", severities, two, seed=7)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    degrade(dataset, tmp_path / "other", severities, session, seed=8)
    assert contents(tmp_path / "one") != contents(tmp_path / "other")


def test_a_folder_of_clips_keeps_its_folders(dataset: Path, session: Session, tmp_path: Path):
    shutil.copyfile(dataset / "Raw" / "anna" / "1.mp4", dataset / "Raw" / "anna" / "1.mov")
    done = degrade(dataset / "Raw", tmp_path / "out", {"black": 1}, session)
    names = ["anna/1.mov", "anna/1.mp4", "anna/2", "ぼく/1"]
    assert sorted(done.clips) == names
    assert [name for name in contents(tmp_path / "out") if name.endswith(".mp4")] == [
        f"{name}.mp4" for name in names
    ]
    assert len(done.quarantine) == 2
    assert not (tmp_path / "out" / "label.csv").exists()


def test_a_clip_of_a_folder_is_damaged_as_in_its_dataset(
    dataset: Path, session: Session, tmp_path: Path
):
    degrade(dataset, tmp_path / "a", {"noise": 5}, session)
    degrade(dataset / "Raw", tmp_path / "b", {"noise": 5}, session)
    one, other = ((tmp_path / name / "anna" / "1.mp4").read_bytes() for name in ("a/Raw", "b"))
    assert one == other


def test_segments_of_a_video_lose_their_shares_and_stay_segments(
    tmp_path: Path, clip_writer: Any, session: Session
):
    root = tmp_path / "source"
    clip_writer(root / "Raw" / "v.mp4", seconds=4)
    rows = ["v,1,one,1,test,0.0,1.0", "v,2,two,1,test,2.0,4.0"]
    header = "video_id,clip_id,text,label,mode,start_s,end_s"
    (root / "label.csv").write_text("\n".join([header, *rows]) + "\n")
    done = degrade(root, tmp_path / "out", {"black": 0.5, "noise": 10}, session)
    assert sorted(done.clips) == ["v/1", "v/2"]
    black = [
        frame.time_s
        for frame in read_frames(str(tmp_path / "out" / "Raw" / "v.mp4"))
        if frame.frame.to_ndarray(format="gray").max() < 20 and frame.time_s > 0.2
    ]
    assert sum(2 <= time < 4 for time in black) == 25
    assert not any(1 <= time < 2 for time in black)


def test_a_video_of_two_splits_cannot_be_damaged_for_one(
    tmp_path: Path, clip_writer: Any, session: Session
):
    root = tmp_path / "source"
    clip_writer(root / "Raw" / "v.mp4", seconds=1)
    rows = ["v,1,one,1,test,0.0,0.5", "v,2,two,1,train,0.5,1.0"]
    header = "video_id,clip_id,text,label,mode,start_s,end_s"
    (root / "label.csv").write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(SetupError, match="clips of the splits test and train"):
        degrade(root, tmp_path / "out", {"black": 0.5}, session, split="test")


def test_an_interrupted_call_goes_on_where_it_was(
    dataset: Path, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    severities = {"noise": 3, "frozen": 0.5}
    degrade(dataset, tmp_path / "whole", severities, session)
    done: list[str] = []
    place = session.place

    def counted(tasks: int, few: int) -> Any:
        done.append(str(tasks))
        return place(tasks, few)

    def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "place", counted)
    with monkeypatch.context() as patch:
        patch.setattr(degrading, "_link_others", interrupted)
        with pytest.raises(KeyboardInterrupt):
            degrade(dataset, tmp_path / "out", severities, session)
    assert not (tmp_path / "out").exists(), "nothing is half written"
    journal = tmp_path / "out.partial" / "journal.jsonl"
    text = journal.read_text("utf-8").splitlines(keepends=True)
    journal.write_text("".join(text[:-1]) + text[-1][:9], "utf-8")
    done.clear()
    degrade(dataset, tmp_path / "out", severities, session)
    assert done[-1] == "1", "only the file whose line was cut off is done again"
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_what_was_begun_for_something_else_is_not_used(
    dataset: Path, session: Session, tmp_path: Path
):
    partial = tmp_path / "out.partial"
    (partial / "Raw").mkdir(parents=True)
    (partial / "journal.jsonl").write_text('{"source": "another"}\n{"file": "Raw/anna/1"}\n')
    (partial / "Raw" / "stale.mp4").touch()
    done = degrade(dataset, tmp_path / "out", {"black": 1}, session)
    assert done.clips["anna/1"] and not (tmp_path / "out" / "Raw" / "stale.mp4").exists()


def test_a_folder_that_is_not_ours_is_never_replaced(
    dataset: Path, session: Session, tmp_path: Path
):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for replace in (False, True):
        with pytest.raises(SetupError, match="not the work of an earlier call"):
            degrade(dataset, out, {"black": 1}, session, replace=replace)
    partial = tmp_path / "other.partial"
    partial.mkdir()
    with pytest.raises(SetupError, match="in the way: delete it"):
        degrade(dataset, tmp_path / "other", {"black": 1}, session)
    assert contents(out) == {"thesis.txt": b"years of work"}


def test_a_folder_of_ours_is_replaced_when_asked(dataset: Path, session: Session, tmp_path: Path):
    out = tmp_path / "out"
    degrade(dataset, out, {"black": 1}, session)
    with pytest.raises(SetupError, match="--force replaces it"):
        degrade(dataset, out, {"black": 0}, session)
    done = degrade(dataset, out, {"black": 0}, session, replace=True)
    assert done.clips["anna/1"] == {"black": {"share": 0.0}}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "source"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda root: {"source": root / "gone"}, "no such file or folder"),
        (lambda root: {"out": root / "Raw" / "new"}, "lie one in the other"),
        (lambda root: {"out": root.parent}, "lie one in the other"),
        (lambda root: {"source": root / "Raw", "split": "test"}, "leave out --split"),
        (lambda root: {"split": "dev"}, "not one of train, valid, test"),
        (lambda root: {"source": root / "Raw", "damages": {"word_errors": 0.1}}, "no words for"),
        (lambda root: {"damages": {"black": 2.0}}, "out of its range"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_written(
    dataset: Path,
    session: Session,
    tmp_path: Path,
    change: Callable[[Path], dict[str, Any]],
    told: str,
):
    asked: dict[str, Any] = {"source": dataset, "out": tmp_path / "out", "damages": {"black": 1}}
    asked |= change(dataset)
    source, out, damages = (asked.pop(name) for name in ("source", "out", "damages"))
    with pytest.raises(SetupError, match=told):
        degrade(source, out, damages, session, **asked)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_features_have_no_clips_to_damage(session: Session, tmp_path: Path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "manifest.parquet").touch()
    with pytest.raises(SetupError, match="dataset of features"):
        degrade(tmp_path / "source", tmp_path / "out", {"black": 1}, session)


def test_one_clip_can_be_damaged(dataset: Path, session: Session, tmp_path: Path):
    done = degrade(dataset / "Raw" / "ぼく" / "1.mp4", tmp_path / "out", {"music": 0}, session)
    assert list(done.clips) == ["1"] and probe(str(tmp_path / "out" / "1.mp4")).has_video
