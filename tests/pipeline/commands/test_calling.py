"""Names that begin with a dash, and names that would command the terminal."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.quarantine import Rejected
from extractors.workers.cache import Use
from pipeline import stage
from pipeline.commands.cache import _print as show_uses
from pipeline.commands.main import app
from pipeline.commands.problems import report
from pipeline.telling import guard

EVIL = "\x1b]0;owned\x07\u202egpj\n.mp4"
RAW = ("\x1b", "\x07", "\u202e")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for hook in ("warnings.formatwarning", "sys.excepthook"):
        module, _, name = hook.partition(".")
        monkeypatch.setattr(hook, getattr(sys.modules[module], name))
    return tmp_path


def told(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code in (1, 2)
    return " ".join(result.output.replace("│", " ").split())


@pytest.mark.parametrize("command", ["predict", "compare", "features"])
def test_a_name_that_begins_with_a_dash_gets_a_hint(command: str) -> None:
    assert f"{command} -- -3.mp4" in told(command, "-3.mp4")


def test_a_misspelt_option_gets_no_such_hint() -> None:
    assert " -- " not in told("predict", "a.mp4", "--modell", "x")


@pytest.mark.parametrize("name", ["--model=evil", "-outtake.mp4", "--json"])
def test_a_file_is_never_taken_for_an_option(elsewhere: Path, name: str) -> None:
    (elsewhere / name).touch()
    assert f"{name} is a file here" in told("predict", "a.mp4", name)


def test_what_stands_behind_two_dashes_is_a_name() -> None:
    assert "models/lnln/config.json is not there" in told("predict", "--", "-3.mp4")


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "a.mp4", "--model", EVIL),
        ("predict", "a.mp4", "--out", f"{EVIL}.xls"),
        ("features", EVIL),
        ("import-checkpoint", EVIL, "--config", "mosi"),
        ("prepare", EVIL, EVIL),
    ],
)
def test_errors_of_commands_are_printable(arguments: tuple[str, ...]) -> None:
    output = told(*arguments)
    assert "owned" in output and not any(sign in output for sign in RAW)


def test_cache_s_table_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    show_uses("kept [bold]\x1b", [Use("audio\x1b-f00d", 1, 1, 0.0, 0, 0)])
    shown = capsys.readouterr().out
    assert r"kept [bold]\x1b" in shown and r"audio\x1b" in shown and "\x1b" not in shown


def test_warnings_and_failures_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        report([Rejected(EVIL, EVIL, "ingest", f"{EVIL} is broken")], [EVIL])
    errors = capsys.readouterr().err
    assert not any(sign in errors for sign in RAW)
    assert [line.partition(":")[0] for line in errors.splitlines()] == ["warning", "error"]


def test_stages_tell_of_clips_without_what_is_not_printable(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        stage.warn([EVIL])
        stage.quarantine([Rejected(EVIL, EVIL, "ingest", EVIL)], "ingest", 1, 1.0)
        raise stage.StageError(EVIL)

    with pytest.raises(SystemExit) as end:
        stage.run(broken)
    output = capsys.readouterr()
    everything = output.out + output.err + str(end.value.code)
    assert everything.count("owned") == 5
    assert not any(sign in everything for sign in RAW)


def test_warnings_of_libraries_are_printable() -> None:
    guard()
    shown = warnings.formatwarning(UserWarning(EVIL), UserWarning, "a.py", 1, "")
    assert "owned" in shown and not any(sign in shown for sign in RAW)


def test_tracebacks_are_printable() -> None:
    script = f"from pipeline.telling import guard\nguard()\nraise ValueError({EVIL!r})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "ValueError" in done.stderr
    assert not any(sign in done.stderr for sign in RAW)


@pytest.mark.parametrize("arguments", [("--help",), ("doctor",), ("cache",)])
def test_a_full_disk_behind_the_output_is_told_in_a_line(
    elsewhere: Path, arguments: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LNLN_CACHE": "cache"},
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == ["error: [Errno 28] No space left on device"]


def test_too_little_memory_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("extractors.sentences.tables.read_table", too_large)
    Path("a.parquet").touch()
    Path("datasets.yaml").write_text("{}", "utf-8")
    monkeypatch.setattr("pipeline.commands.sentences._described", lambda *_: True)
    options = ("--name", "a", "--text", "t", "--label", "l", "--label-range", "0", "1")
    assert told("import-sentences", "a.parquet", *options) == (
        "error: this machine has not enough memory for it"
    )
