"""Make the bundled corpus: `python tools/sample_corpus/make.py --help`."""

import argparse
import csv
import os
from collections.abc import Iterable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from broken import ENTRIES, write_broken
from encode import write_clip
from face import FPS, SIZE, perform, render
from plan import INCOMPLETE, Utterance, make_plan
from tqdm import tqdm
from voices import SAMPLE_RATE, speak_all

ROOT = Path(__file__).resolve().parents[2] / "data" / "sample"
READ_BY_THE_PIPELINE = ("video_id", "clip_id", "text", "label", "mode")
HOW_IT_WAS_MADE = (
    "text_grade",
    "sarcasm",
    "flat_voice",
    "still_face",
    "incomplete",
    "broken",
    "spoken",
    "voice",
)


def main() -> None:
    """Write label.csv and the clips that are not there yet."""
    parser = argparse.ArgumentParser(
        description="Make the bundled sample corpus (label.csv and Raw/<video_id>/<clip_id>.mp4). "
        "Clips that are there already are kept: delete the folder Raw to make all of them anew."
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="default: data/sample")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()

    plan = make_plan()
    missing = [u for u in plan if not clip_path(arguments.root, u).exists()]
    spoken = speak_all(missing, arguments.processes)
    jobs = [(u, spoken[f"{u.speaker.name}/{u.clip_id}"]) for u in missing]
    with get_context("fork").Pool(arguments.processes) as pool:
        done = pool.imap_unordered(partial(film, arguments.root), jobs)
        for _ in tqdm(done, total=len(jobs), desc="clips", disable=None):
            pass
    write_broken(arguments.root, size=SIZE, fps=FPS, sample_rate=SAMPLE_RATE)
    write_labels(arguments.root / "label.csv", plan)


def clip_path(root: Path, utterance: Utterance) -> Path:
    """Where the clip of an utterance lies."""
    return root / "Raw" / utterance.speaker.name / f"{utterance.clip_id}.mp4"


def film(root: Path, job: tuple[Utterance, np.ndarray]) -> None:
    """Render and encode one utterance, without what it is meant to lack."""
    utterance, samples = job
    frames = render(utterance, perform(utterance, loudness(samples)))
    recorded: np.ndarray | None = samples
    if utterance.role == "no_audio":
        recorded = None
    elif utterance.role == "silence":
        recorded = np.zeros_like(samples)
    write_clip(
        clip_path(root, utterance), frames, recorded, size=SIZE, fps=FPS, sample_rate=SAMPLE_RATE
    )


def loudness(samples: np.ndarray) -> np.ndarray:
    """Envelope of the speech in [0, 1], one value per video frame."""
    hop = SAMPLE_RATE // FPS
    blocks = np.pad(samples, (0, -len(samples) % hop)).reshape(-1, hop)
    energy = np.sqrt(np.mean(blocks**2, axis=1))
    floor, ceiling = np.percentile(energy, [5, 95])
    return np.clip((energy - floor) / (ceiling - floor), 0, 1)


def write_labels(path: Path, plan: Iterable[Utterance]) -> None:
    """Write label.csv: one row per clip, the broken entries last."""
    rows = [
        {
            "video_id": u.speaker.name,
            "clip_id": u.clip_id,
            "text": "" if u.role == "no_transcript" else u.text,
            "label": u.label,
            "mode": u.speaker.split,
            "text_grade": u.text_grade,
            "sarcasm": int(u.role == "sarcasm"),
            "flat_voice": int(u.role == "flat_voice"),
            "still_face": int(u.role == "still_face"),
            "incomplete": u.role if u.role in INCOMPLETE else "",
            "broken": "",
            "spoken": u.text,
            "voice": u.speaker.engine,
        }
        for u in plan
    ]
    rows += [{"label": 0.0, **entry} for entry in ENTRIES]
    unfinished = path.with_suffix(".partial")
    with unfinished.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(
            lines, READ_BY_THE_PIPELINE + HOW_IT_WAS_MADE, restval="", lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)


if __name__ == "__main__":
    main()
