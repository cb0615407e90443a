"""No library sends anything about its use, however this code is reached."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.environment import NO_TELEMETRY

SCRIPT = "import json, os, sys, {}; print(json.dumps([dict(os.environ), list(sys.modules)]))"
HEAVY = {"dvclive", "huggingface_hub", "mediapipe", "onnxruntime", "ray", "torch", "transformers"}


@pytest.mark.parametrize("package", ["extractors", "lnln", "pipeline", "studies"])
def test_telemetry_is_off_before_any_library_is_imported(package: str, tmp_path: Path) -> None:
    around = {name: value for name, value in os.environ.items() if "INDUCTOR" not in name}
    contrary = dict.fromkeys(NO_TELEMETRY, "set by the user")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(package)],
        env=around | contrary | {"XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    environment, modules = json.loads(done.stdout)
    assert NO_TELEMETRY.items() <= environment.items()
    assert environment["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "lnln" / "torchinductor")
    assert HEAVY.isdisjoint(modules)
