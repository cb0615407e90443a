"""Nothing is sent anywhere: neither by this program nor by the libraries below it.

`run` of conftest.py fails whenever a command tries to reach anybody, or leaves something in the
temporary folder: every test here that runs a command tests that, training and DVC included.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT, WATCHED, own_network

Run = Callable[..., subprocess.CompletedProcess[str]]
ATTEMPTS = """
import contextlib, os, signal, socket, time
for family, place in ((socket.AF_INET, "192.0.2.7"), (socket.AF_INET6, "2001:db8::7")):
    with contextlib.suppress(OSError), socket.socket(family) as one:
        one.settimeout(0.1)
        one.connect((place, 443))
if child := os.fork():
    time.sleep(0.5)
    os.kill(child, signal.SIGKILL)  # nobody answers it
else:
    socket.getaddrinfo("collector.example", 443)
"""
NEIGHBOURS = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
"""
VOICE_ACTIVITY = "from faster_whisper.vad import get_vad_model; get_vad_model()"


@pytest.fixture
def reached_by(tmp_path: Path) -> Callable[[str], list[str]]:
    """Whom a script tries to reach."""
    if not own_network():
        pytest.skip("processes cannot have a network of their own here")

    def watch(script: str) -> list[str]:
        report = tmp_path / "reached.json"
        watched = (sys.executable, str(WATCHED), str(report))
        subprocess.run([*own_network(), *watched, sys.executable, "-c", script], check=True)
        return json.loads(report.read_text("utf-8"))

    return watch


def test_every_attempt_to_reach_somebody_is_seen(reached_by: Callable[[str], list[str]]) -> None:
    seen = reached_by(ATTEMPTS)
    for attempt in ("192.0.2.7 port 443", "2001:db8::7 port 443"):
        assert attempt in seen
    assert any(name.startswith("name server: collector.example") for name in seen)


def test_processes_that_talk_to_each_other_reach_nobody(
    reached_by: Callable[[str], list[str]],
) -> None:
    assert reached_by(NEIGHBOURS) == []


@pytest.mark.parametrize(
    ("before", "traces"), [("", {".ses", "cache"}), ("import extractors; ", {"cache"})]
)
def test_voice_activity_detection_leaves_what_it_would_send_without_us_only(
    before: str, traces: set[str], tmp_path: Path
) -> None:
    around = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    around |= {"TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    script = before + VOICE_ACTIVITY
    subprocess.run([sys.executable, "-c", script], env=around, cwd=ROOT, check=True)
    assert {path.name for path in tmp_path.iterdir()} == traces
    kept = tmp_path / "cache" / "Microsoft" / "DeveloperTools" / ".onnxruntime"
    assert kept.is_dir() == (not before)


def test_extracting_as_users_do_reaches_nobody(project: Path, run: Run, tmp_path: Path) -> None:
    clip = "data/sample/Raw/adam/004.mp4"
    done = run(project, "pipeline", "extract", clip, "--out", str(tmp_path / "features"))
    assert done.returncode == 0, done.stderr
