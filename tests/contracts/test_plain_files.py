"""Pipes and devices in place of files are refused, not waited for."""

import os
from pathlib import Path

import pytest

from contracts.plain_files import NoPlainFile, plain
from extractors.datasets.cmu.annotations import read_annotations
from extractors.datasets.csv_table import read_csv
from extractors.datasets.mmsa.restricted_unpickler import unpickled
from extractors.datasets.transcripts.reading import read_transcript
from extractors.errors import TranscriptError
from lnln.checkpoints.importing import read_published


def test_a_file_and_a_link_to_one_are_plain(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch()
    link.symlink_to(file)
    assert plain(file) == file and plain(link) == link
    with pytest.raises(NoPlainFile, match="is a folder"):
        plain(tmp_path)
    with pytest.raises(FileNotFoundError):
        plain(tmp_path / "nothing")


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("label.csv", lambda path: read_csv(path, ("file",))),
        ("a.srt", read_transcript),
        ("mosi.pkl", unpickled),
        ("best.pth", read_published),
        ("labels.csv", lambda path: read_annotations([path])),
        ("words.txt", lambda path: read_annotations([path])),
    ],
)
def test_what_has_no_end_is_not_read(tmp_path: Path, kind: str, name: str, read: object) -> None:
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)  # nobody writes to it: opening it would wait for ever
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises((OSError, TranscriptError), match="a pipe or a device"):
        read(path)  # type: ignore[operator]
