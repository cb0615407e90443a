import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from extractors.assets import archives, resolving
from extractors.assets import libraries as system
from extractors.assets.resolving import AssetStatus
from pipeline.commands.main import app


def run() -> tuple[int, str]:
    result = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "1000"})
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "missing_libraries", dict)
    monkeypatch.setattr(resolving, "statuses", lambda: [AssetStatus("minilm", None, None)])
    monkeypatch.setattr(archives, "archive_statuses", lambda: [])


def test_complete_installation_is_status_0_and_names_the_device() -> None:
    status, output = run()
    assert status == 0
    assert "device: " in output
    assert "missing" not in output


def test_missing_libraries_come_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(system, "missing_libraries", lambda: {"libEGL.so.1": "libegl1"})
    status, output = run()
    assert status == 1
    assert "libEGL.so.1" in output
    assert "apt-get install -y libgl1 libegl1 libgles2 libglib2.0-0" in output


def test_missing_model_file_comes_with_the_command_that_gets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        resolving,
        "statuses",
        lambda: [AssetStatus("minilm", None, "minilm: not found [x]. Get it: pip install this")],
    )
    status, output = run()
    assert status == 1
    assert "minilm: not found [x]. Get it: pip install this" in output


@pytest.mark.parametrize("problem", [None, "hutto-icwsm-2014: not found"])
def test_rated_sentences_that_are_not_here_are_no_fault(
    monkeypatch: pytest.MonkeyPatch, problem: str | None
) -> None:
    found = [AssetStatus("hutto-icwsm-2014", None, problem)]
    monkeypatch.setattr(archives, "archive_statuses", lambda: found)
    status, output = run()
    assert status == 0
    assert "rated sentences hutto-icwsm-2014" in output
    assert ("fetched when a dataset trains with them" in " ".join(output.split())) == (
        problem is not None
    )


REMEDY = "git init && git add --all && git commit -m 'As downloaded'"


@pytest.fixture
def downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project as an archive holds it: without .git; it is the working directory."""
    for name in ("Makefile", "dvc.yaml", "pyproject.toml", "constraints.txt", "models.txt"):
        shutil.copyfile(Path(__file__).parents[3] / name, tmp_path / name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folder_without_git_comes_with_what_to_do(downloaded: Path) -> None:
    status, output = run()
    assert status == 1
    assert REMEDY in " ".join(output.split())
    subprocess.run(["git", "init", "--quiet"], check=True)
    status, output = run()
    assert status == 0
    assert f"git repository {downloaded}" in " ".join(output.split())


@pytest.mark.parametrize("target", ["repro", "studies", "doctor"])
def test_make_says_so_before_anything_is_installed(downloaded: Path, target: str) -> None:
    # The interpreter that would install answers every call with an error of its own.
    done = subprocess.run(
        ["make", target, "PYTHON=installing-has-begun"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert REMEDY in done.stderr
    assert "installing-has-begun" not in done.stdout + done.stderr


def test_outside_of_a_project_no_repository_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run()[0] == 0
