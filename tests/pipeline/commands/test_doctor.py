import pytest
from typer.testing import CliRunner

from extractors.assets import libraries as system
from extractors.assets.resolving import AssetStatus
from pipeline.commands import doctor
from pipeline.commands.main import app


def run() -> tuple[int, str]:
    result = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "1000"})
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "missing_libraries", dict)
    monkeypatch.setattr(doctor, "statuses", lambda: [AssetStatus("minilm", None, None)])


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
        doctor,
        "statuses",
        lambda: [AssetStatus("minilm", None, "minilm: not found [x]. Get it: pip install this")],
    )
    status, output = run()
    assert status == 1
    assert "minilm: not found [x]. Get it: pip install this" in output
