import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.quarantine import Rejected
from extractors.datasets.listing import Listing
from pipeline.commands.main import app
from pipeline.set_aside import ENDING, aside_in, give_back, set_aside
from pipeline.stages.ingest import with_reasons

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a dataset of three clips: a file, a link, and a link that leads nowhere."""
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / "data" / "custom" / "Raw" / "ann"
    raw.mkdir(parents=True)
    (tmp_path / "there.mp4").write_bytes(b"video")
    (raw / "1.mp4").write_bytes(b"clip")
    (raw / "2.mp4").symlink_to(tmp_path / "there.mp4")
    (raw / "3.v2.mp4").symlink_to(tmp_path / "drive" / "gone.mp4")
    return tmp_path / "data"


def names(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "custom" / "Raw" / "ann").iterdir())


def test_link_that_leads_nowhere_is_set_aside_and_comes_back_with_its_video(data: Path) -> None:
    dead = data / "custom" / "Raw" / "ann" / "3.v2.mp4"
    (moved,) = set_aside(data).values()
    assert names(data) == ["1.mp4", "2.mp4", f"3.v2.mp4{ENDING}"]
    assert list(moved.aside) == [dead]
    assert "gone.mp4: No such file or directory" in moved.aside[dead]
    assert set_aside(data)[data / "custom"] == moved  # again: nothing changes
    (data.parent / "drive").mkdir()
    (data.parent / "drive" / "gone.mp4").write_bytes(b"back")
    assert set_aside(data)[data / "custom"].back == [dead]
    assert dead.read_bytes() == b"back"
    assert set_aside(data) == {}


def test_link_in_a_circle_and_what_is_no_file_are_set_aside(data: Path) -> None:
    raw = data / "custom" / "Raw"
    (raw / "loop.mp4").symlink_to("loop.mp4")
    os.mkfifo(raw / "pipe.mp4")
    (data / "custom" / "Raw2").symlink_to(data.parent / "no folder")
    (data / "other").symlink_to(data.parent / "no folder")  # DVC says that it is missing
    (moved,) = set_aside(data).values()
    assert [path.name for path in moved.aside] == ["Raw2", "loop.mp4", "pipe.mp4", "3.v2.mp4"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_file_that_may_not_be_read_is_set_aside(data: Path) -> None:
    (data / "custom" / "Raw" / "ann" / "1.mp4").chmod(0)
    (moved,) = set_aside(data).values()
    assert "it may not be read" in moved.aside.values()


def test_file_that_took_the_name_of_one_set_aside_stays(data: Path) -> None:
    set_aside(data)
    new = data / "custom" / "Raw" / "ann" / "3.v2.mp4"
    new.write_bytes(b"new")
    assert set_aside(data) == {}
    give_back(data / "custom")
    assert new.read_bytes() == b"new"


def test_all_names_come_back_for_init_dataset(data: Path) -> None:
    before = names(data)
    set_aside(data)
    give_back(data / "custom")
    assert names(data) == before


def test_project_without_data_has_nothing_to_set_aside(tmp_path: Path) -> None:
    assert set_aside(tmp_path / "data") == {}


def test_doctor_names_what_it_set_aside(data: Path) -> None:
    output = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "1000"}).output
    assert "data/custom: 1 files cannot be opened, and DVC would stop at them" in output
    assert "3.v2.mp4 (a link to" in output


def test_quarantine_says_where_the_link_led(data: Path) -> None:
    set_aside(data)
    root = Path("data/custom")
    rows = [
        Rejected("ann/3.v2", "data/custom/Raw/ann/3.v2", "ingest", "no video of this name"),
        Rejected("ann/4", "data/custom/Raw/ann/4", "ingest", "no video of this name"),
    ]
    first, second = with_reasons(Listing(None, rows, []), root).quarantine
    assert "gone.mp4: No such file or directory; lnln doctor looks again" in first.reason
    assert second == rows[1]
    assert aside_in(root)


@pytest.mark.slow
def test_dvc_goes_on_after_doctor_and_sees_the_clip_when_it_is_back(data: Path) -> None:
    project = data.parent
    shutil.copyfile(ROOT / ".dvcignore", project / ".dvcignore")
    (project / "dvc.yaml").write_text(
        "stages:\n  list:\n    cmd: ls -R data > listed\n    deps: [data/custom]\n"
        "    outs: [listed]\n"
    )

    def dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
        folder = project / ".dvc" / "tmp"
        places = ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR")
        environment = os.environ | {name: str(folder / name) for name in places}
        return subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
        )

    assert dvc("init", "--no-scm", "--force").returncode == 0
    shutil.copyfile(ROOT / ".dvcignore", project / ".dvcignore")
    stopped = dvc("repro")
    assert stopped.returncode != 0
    assert "[Errno 2]" in stopped.stderr
    set_aside(data)
    assert dvc("repro").returncode == 0
    assert "up to date" in dvc("status").stdout
    (project / "drive").mkdir()
    (project / "drive" / "gone.mp4").write_bytes(b"back")
    set_aside(data)
    assert dvc("repro").returncode == 0
    assert "3.v2.mp4\n" in (project / "listed").read_text()
