"""Interrupted work goes on where it was: what is done is kept, whatever the end."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import extractors
from extractors.datasets.listing import read_dataset
from extractors.extraction import extract_modality
from extractors.settings import AudioSettings, RunSettings, SpeechSettings
from extractors.transcription import transcribe
from extractors.workers.cache import Cache
from extractors.workers.session import Session

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
RUN = RunSettings(workers=2, offline=True)
CLIPS = 40
SCRIPT = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests run in background
from pathlib import Path
from test_interrupted import extract
extract(Path(sys.argv[1]))
"""


def extract(folder: Path) -> list[str]:
    """Audio features of the dataset in a folder; the clips that have them."""
    with Session(RUN.model_copy(update={"cache": str(folder / "cache")})) as session:
        manifest = read_dataset(folder / "data", session, language="en").manifest
        said = transcribe(manifest, SpeechSettings(), session).table
        found = extract_modality("audio", manifest, said, AudioSettings(), session)
        return found.table()["clip_id"].to_pylist()


def entries(folder: Path) -> int:
    return len(list((folder / "cache").glob("audio-*/*/*.arrow")))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    with (SAMPLE / "label.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["text"] and row["mode"] == "train"]
    rows = [row for row in rows if row["clip_id"].isdigit()][:CLIPS]
    for row in rows:
        link = tmp_path / "data" / "Raw" / row["video_id"] / f"{row['clip_id']}.mp4"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(SAMPLE / "Raw" / row["video_id"] / f"{row['clip_id']}.mp4")
    with (tmp_path / "data" / "label.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


@pytest.mark.parametrize(
    "kill",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_after_an_interruption_only_what_is_not_done_is_worked_on(dataset: Path, kill: int) -> None:
    places = [str(Path(extractors.__file__).parents[1]), str(Path(__file__).parent)]
    driver = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(dataset)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 120
    while entries(dataset) < 5:
        assert driver.poll() is None, driver.stderr.read().decode()
        assert time.monotonic() < until
        time.sleep(0.02)
    driver.send_signal(kill)
    driver.communicate(timeout=60)
    assert driver.returncode != 0
    steady, before = entries(dataset), -1
    while steady != before:  # workers may end their clip
        assert time.monotonic() < until, "workers go on without their driver"
        time.sleep(1.5)
        steady, before = entries(dataset), steady
    assert 5 <= steady < CLIPS

    assert len(extract(dataset)) == CLIPS
    (use,) = [use for use in Cache(str(dataset / "cache")).uses() if use.group.startswith("audio")]
    assert (use.asked, use.hits) == (2 * CLIPS, steady)  # by both runs; the first had none
    assert list((dataset / "cache").rglob(".*")) == []  # and no half-written file is left
