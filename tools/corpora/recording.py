"""From a plan to the files of a corpus: label.csv and the clips that are not there yet."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from encode import write_clip
from face import FPS, perform, render
from tqdm import tqdm
from utterances import Utterance
from voices import SAMPLE_RATE, Quiet, speak_all


@dataclass(frozen=True)
class Recording:
    """How the clips of a corpus are recorded.

    `size` is the side of the frames in pixels, `h264` has options of the encoder (crf: higher is
    smaller and coarser), `quiet` says how much there is around the words.
    """

    size: int
    h264: Mapping[str, str]
    quiet: Quiet


def clip_path(root: Path, utterance: Utterance) -> Path:
    """Where the clip of an utterance lies."""
    return root / "Raw" / utterance.speaker.name / f"{utterance.clip_id}.mp4"


def record_all(root: Path, plan: Iterable[Utterance], recording: Recording, processes: int) -> None:
    """Speak, render and encode the clips of a plan that are not there yet."""
    missing = [u for u in plan if not clip_path(root, u).exists()]
    spoken = speak_all(missing, recording.quiet, processes)
    jobs = [(u, spoken[f"{u.speaker.name}/{u.clip_id}"]) for u in missing]
    with get_context("fork").Pool(processes) as pool:
        done = pool.imap_unordered(partial(film, root, recording), jobs)
        for _ in tqdm(done, total=len(jobs), desc="clips", disable=None):
            pass


def film(root: Path, recording: Recording, job: tuple[Utterance, np.ndarray]) -> None:
    """Render and encode one utterance, without what it is meant to lack."""
    utterance, samples = job
    frames = render(utterance, perform(utterance, loudness(samples)))
    recorded: np.ndarray | None = samples
    if utterance.incomplete == "no_audio":
        recorded = None
    elif utterance.incomplete == "silence":
        recorded = np.zeros_like(samples)
    write_clip(
        clip_path(root, utterance),
        (scaled(frame, recording.size) for frame in frames),
        recorded,
        size=recording.size,
        fps=FPS,
        sample_rate=SAMPLE_RATE,
        h264=recording.h264,
    )


def scaled(frame: np.ndarray, size: int) -> np.ndarray:
    """A square frame at another size."""
    if len(frame) == size:
        return frame
    return cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)


def loudness(samples: np.ndarray) -> np.ndarray:
    """Envelope of the speech in [0, 1], one value per video frame."""
    hop = SAMPLE_RATE // FPS
    blocks = np.pad(samples, (0, -len(samples) % hop)).reshape(-1, hop)
    energy = np.sqrt(np.mean(blocks**2, axis=1))
    floor, ceiling = np.percentile(energy, [5, 95])
    return np.clip((energy - floor) / (ceiling - floor), 0, 1)


def write_labels(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write label.csv."""
    unfinished = path.with_suffix(".partial")
    with unfinished.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)
