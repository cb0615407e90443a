"""What is taken for a video, what is skipped, and how both are told."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from extractors.datasets.listing import find_videos, probe_files
from extractors.datasets.searching import EXTENSIONS, search, skipped
from extractors.datasets.transcripts.finding import find_transcripts


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_names_that_begin_with_a_dot_are_skipped_and_told(tmp_path: Path) -> None:
    names = ("a.mp4", "._a.mp4", ".DS_Store", ".Trashes/b.mp4", "in/.c.mov", "in/d.MTS")
    folder = touch(tmp_path / ".videos", *names)  # a folder that is named is searched
    found = search(folder)
    assert [path.name for path in found.videos] == ["a.mp4", "d.MTS"]
    assert [path.name for path in found.hidden] == [".Trashes", "._a.mp4", ".c.mov"]
    assert skipped("here", found.hidden, found.others) == [
        "here: skipped, as their names begin with a dot (3): .Trashes, ._a.mp4, .c.mov"
    ]


def test_files_that_are_no_videos_are_counted_by_kind(tmp_path: Path) -> None:
    names = ("a.mp4", "a.srt", "a.txt", "label.csv", "b.WAV", "c.wav", "d.jpg", "README")
    found = search(touch(tmp_path, *names))
    assert found.others == Counter({".wav": 2, ".jpg": 1, "": 1})
    assert skipped("here", [], found.others) == [
        "here: skipped, as their names are not of videos (4): 2 .wav, 1 without extension, 1 .jpg"
    ]


def test_new_videos_of_a_folder_come_with_what_was_skipped(
    tmp_path: Path, make_clip: Callable[..., Path], session: Any
) -> None:
    for name in ("a.m4v", "b.ts", "c.3gp"):
        make_clip(f"in/{name}", seconds=0.2)
    touch(tmp_path / "in", "._a.m4v", "notes.docx")
    listing = probe_files([tmp_path / "in"], session, language="en")
    assert listing.manifest["clip_id"].to_pylist() == ["a.m4v", "b.ts", "c.3gp"]
    assert listing.quarantine == []
    first, second = listing.warnings
    assert "skipped, as their names begin with a dot (1): ._a.m4v" in first
    assert "skipped, as their names are not of videos (1): 1 .docx" in second


@pytest.mark.parametrize("extension", [".m4v", ".MTS", ".m2ts", ".ts", ".wmv", ".3gp", ".ogv"])
def test_every_known_extension_is_found_in_any_case(tmp_path: Path, extension: str) -> None:
    touch(tmp_path, f"a{extension}")
    assert find_videos([tmp_path]) == [(tmp_path / f"a{extension}").as_posix()]
    assert extension.lower() in EXTENSIONS


def test_storages_are_searched_as_folders_are() -> None:
    files = fsspec.filesystem("memory")
    for name in ("a.mpeg", "._a.mpeg", ".Trashes/b.mp4", "in/c.mp4", "d.pdf"):
        files.pipe(f"/clips/{name}", b"x")
    assert find_videos(["memory://clips"]) == ["memory:///clips/a.mpeg", "memory:///clips/in/c.mp4"]


def test_hidden_transcripts_are_of_no_video(tmp_path: Path) -> None:
    folder = touch(tmp_path, "a.txt", "._a.txt", ".old/a.txt")
    assert [str(found.name) for found in find_transcripts(folder, [])] == ["a"]
    beside = find_transcripts("beside", [str(tmp_path / "a.mp4")])
    assert [found.name.name for found in beside] == ["a"]
