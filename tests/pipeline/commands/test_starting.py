"""The command line says what it can do without importing what does it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.commands.main import COMMANDS, app

ROOT = Path(__file__).parents[3]
HEAVY = ("torch", "transformers", "numpy", "pyarrow", "pydantic", "sklearn", "av", "fsspec")
SCRIPT = """
import json, sys
from typer.testing import CliRunner
from pipeline.commands.main import app

result = CliRunner().invoke(app, sys.argv[1:])
print(json.dumps([result.exit_code, result.output, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("command", [[], ["predict"], ["compare"], ["cache", "prune"]])
def test_help_imports_no_library_that_does_work(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *command, "--help"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    status, output, modules = json.loads(done.stdout)
    assert status == 0
    assert "Usage: " in output
    # By pydantic, typer itself reads the arguments that a command has.
    allowed = {"pydantic"} if command else set()
    assert set(HEAVY) & set(modules) - allowed == set()


@pytest.mark.parametrize("command", [each.__name__.replace("_", "-") for each in COMMANDS])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example: lnln {command}" in result.output
