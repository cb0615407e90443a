"""Files are replaced whole, or not at all."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import write_modality
from contracts.files import replacing, replacing_folder
from contracts.parquet import write_table

NOISE = np.random.default_rng(0).random(10_000)
TABLE = pa.table({"x": NOISE})


def write_bytes(folder: Path) -> None:
    with replacing(folder / "part-0.parquet") as temporary:
        temporary.write_bytes(NOISE.tobytes())


def write_part(folder: Path) -> None:
    write_table(TABLE, folder / "part-0.parquet")


def write_parts(folder: Path) -> None:
    write_modality([TABLE], TABLE.schema, folder)


@pytest.mark.parametrize("write", [write_bytes, write_part, write_parts])
def test_full_disk_leaves_the_old_file_and_nothing_else(
    write: Callable[[Path], None], tmp_path: Path, full_disk: Callable[[], Any]
) -> None:
    (tmp_path / "part-0.parquet").write_text("old")
    with full_disk(), pytest.raises(OSError):
        write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["part-0.parquet"]
    assert (tmp_path / "part-0.parquet").read_text() == "old"


def killed(folder: Path, script: str) -> Path:
    """Kill a process in the midst of writing; return what it left."""
    before = {path.name for path in folder.iterdir()}
    code = f"""
import os, signal
from pathlib import Path
from contracts.files import replacing, replacing_folder
{script}
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = (path for path in folder.iterdir() if path.name not in before)
    return left


KILL = "os.kill(os.getpid(), signal.SIGKILL)"
KILLED_WRITING = f"""
with replacing(Path("a.csv")) as temporary:
    temporary.write_text("half of it")
    {KILL}
"""


def test_half_a_file_of_a_killed_process_is_deleted_by_the_next(tmp_path: Path) -> None:
    left = killed(tmp_path, KILLED_WRITING)
    other = tmp_path / ".a.csv.original"  # of a user, who likes dots
    for path in (other, tmp_path / ".b.csv.12345678.partial"):
        path.touch()
        os.utime(path, (0, 0))
    with replacing(tmp_path / "a.csv"):
        assert left.exists()  # it could be one that has just begun
    os.utime(left, (0, 0))
    with replacing(tmp_path / "a.csv") as temporary:
        assert not left.exists()
        os.utime(temporary, (0, 0))
        with replacing(tmp_path / "a.csv"):
            assert temporary.exists()  # a slow one that is at work
    assert {path.name for path in tmp_path.iterdir()} == {
        *("a.csv", ".a.csv.original", ".b.csv.12345678.partial")
    }


def test_folder_that_a_killed_process_moved_away_comes_back(tmp_path: Path) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "a").write_text("old")
    script = f"""
Path.rename = lambda path, target: os.rename(path, target) if path.name != "new" else {KILL}
with replacing_folder(Path("toy")) as new:
    (new / "a").write_text("new")
"""
    left = killed(tmp_path, script)
    assert not (tmp_path / "toy").exists()
    os.utime(left, (0, 0))
    with pytest.raises(ValueError), replacing_folder(tmp_path / "toy"):
        assert (tmp_path / "toy" / "a").read_text() == "old"
        raise ValueError
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]
    with replacing_folder(tmp_path / "toy") as new:
        (new / "a").write_text("new")
    assert (tmp_path / "toy" / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]
