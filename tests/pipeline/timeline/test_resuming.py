"""A timeline that was interrupted goes on where it was, and is the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from pipeline.timeline.writing import NAMES
from tests.pipeline.untrained import CLIP, write_untrained

ROOT = Path(__file__).parents[3]
CLIPS = 6  # one after the other in the recording

pytestmark = pytest.mark.slow


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """The sound of a clip several times over."""
    path = tmp_path / "talk.wav"
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for _ in range(CLIPS):
            with av.open(str(CLIP)) as clip:
                for decoded in clip.decode(audio=0):
                    for frame in resampler.resample(decoded):
                        frame.pts = None
                        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def begin(talk: Path, out: Path, model: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline", "timeline", str(talk), "--out", str(out)]
    environment = {name: value for name, value in os.environ.items() if name != "LNLN_CACHE"}
    return subprocess.Popen(
        [*command, "--model", str(model), "--offline", "--no-speech", "--workers", "1"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def entries(out: Path) -> dict[str, int]:
    """What is done of each utterance's sound, and when it was."""
    found = {}
    for path in (out / ".unfinished").glob("audio-*/*/*.arrow"):
        try:
            found[path.name] = path.stat().st_mtime_ns
        except FileNotFoundError:  # all is done, and they are deleted
            return {}
    return found


def watched(process: subprocess.Popen[bytes], out: Path, until: int) -> dict[str, int]:
    """Wait until so many utterances are done, or the process ends; what was done at last."""
    done: dict[str, int] = {}
    deadline = time.monotonic() + 300
    while len(done) < until and process.poll() is None:
        assert time.monotonic() < deadline
        done |= entries(out)
        time.sleep(0.005)
    return done


def test_timeline_that_was_killed_goes_on_and_is_the_same(talk: Path, tmp_path: Path) -> None:
    model = write_untrained(tmp_path / "model")
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert begin(talk, whole, model).wait(300) == 0

    killed = begin(talk, out, model)
    watched(killed, out, until=2)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait(60) == -signal.SIGKILL
    time.sleep(1)  # the worker notices that nobody is there
    done = entries(out)
    assert len(done) >= 2
    assert [path.name for path in out.iterdir()] == [".unfinished"]

    resumed = begin(talk, out, model)
    seen = watched(resumed, out, until=10**6)
    assert resumed.wait(300) == 0
    assert len(seen) > len(done)  # it was killed in the middle
    assert {name: seen.get(name) for name in done} == done  # and what was done was not done again
    assert sorted(path.name for path in out.iterdir()) == sorted(NAMES)
    for name in NAMES:
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
