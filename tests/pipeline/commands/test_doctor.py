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
    assert ("fetched when a dataset trains with them" in output) == (problem is not None)
