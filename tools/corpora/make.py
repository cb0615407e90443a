"""Make a bundled corpus: `python tools/corpora/make.py --help`."""

import argparse
import os
from pathlib import Path

import carrier
import sample
from broken import ENTRIES, write_broken
from face import FPS
from recording import record_all, write_labels
from voices import SAMPLE_RATE

import contracts.environment  # noqa: F401 - piper brings ONNX Runtime

DATA = Path(__file__).resolve().parents[2] / "data"


def main() -> None:
    """Write label.csv and the clips that are not there yet."""
    parser = argparse.ArgumentParser(
        description="Make a bundled corpus (label.csv and Raw/<video_id>/<clip_id>.mp4). "
        "Clips that are there already are kept: delete the folder Raw to make all of them anew."
    )
    makers = {"sample": make_sample, "carrier": make_carrier}
    parser.add_argument("corpus", choices=makers)
    parser.add_argument("--root", type=Path, help="default: data/<corpus>")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    make = makers[arguments.corpus]
    make(arguments.root or DATA / arguments.corpus, arguments.processes)


def make_sample(root: Path, processes: int) -> None:
    """The sample corpus, its broken entries last."""
    plan, recording = sample.make_plan(), sample.RECORDING
    record_all(root, plan, recording, processes)
    write_broken(root, size=recording.size, fps=FPS, sample_rate=SAMPLE_RATE, h264=recording.h264)
    rows = [u.row for u in plan] + [{"label": 0.0, **entry} for entry in ENTRIES]
    write_labels(root / "label.csv", sample.COLUMNS, rows)


def make_carrier(root: Path, processes: int) -> None:
    """The corpus of carrier sentences."""
    plan = carrier.make_plan()
    record_all(root, plan, carrier.RECORDING, processes)
    write_labels(root / "label.csv", carrier.COLUMNS, [u.row for u in plan])


if __name__ == "__main__":
    main()
