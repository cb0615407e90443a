"""What extraction costs, and how far that is from the bare calls it cannot do without.

    python benchmarks/extraction.py FOLDER              # of videos

Everything runs on one core in this process, models loaded, nothing cached. "ours" is the work of
a worker process: the stage's extractor, its row of the table, and the entry in the cache. "floor"
is, on the same frames and samples, decoding by PyAV, inference by the landmarker, and the calls of
librosa, BERT and Whisper with the same arguments, without anything around them. Then two worker
processes are compared with one. The result is also kept in `benchmarks/results/`, by date.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import bare
import numpy as np
import torch
import typer
from kept import keep, machine
from threadpoolctl import threadpool_limits
from whole import Whole

from extractors.audio import extractor as audio
from extractors.datasets.listing import probe_files
from extractors.datasets.probing import Prober
from extractors.extraction import _entry as feature_entry
from extractors.media.container import Clip, Damage
from extractors.media.sound import sound_blocks
from extractors.media.timeline import row_count
from extractors.settings import ExtractorSettings, RunSettings
from extractors.speech.recognizer import SpeechRecognizer
from extractors.text.extractor import TextExtractor
from extractors.transcription import _entry as words_entry
from extractors.vision.extractor import VisionExtractor
from extractors.vision.frames import sample_frames
from extractors.workers.cache import Cache
from extractors.workers.pool import Pool, Task
from extractors.workers.session import Session
from extractors.workers.work import Keeper, Source, Work, clip_of

SETTINGS = ExtractorSettings()
ROUNDS = 3  # the median of so many is told
Seconds = dict[str, float]


def timed(seconds: Seconds, name: str, call: Callable[[], Any]) -> Any:
    """Add what a call takes to `seconds[name]`, and return what it returns."""
    begin = time.perf_counter()
    result = call()
    seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - begin
    return result


class Ours:
    """The extractors, as a worker process has them."""

    def __init__(self, cache: Cache) -> None:
        self.speech = SpeechRecognizer(SETTINGS.speech, offline=True)
        builds = {
            "text": lambda: TextExtractor(SETTINGS.text, offline=True),
            "audio": lambda: audio.AudioExtractor(SETTINGS.audio),
            "vision": lambda: VisionExtractor(SETTINGS.vision, offline=True),
        }
        self.keepers = {
            name: Keeper(Work(build, feature_entry, lambda: "bare", cache), "bare")
            for name, build in builds.items()
        }
        self.listener = Keeper(
            Work(lambda: self.speech, words_entry, lambda: "bare", cache), "bare"
        )

    def run(self, clip: Clip, text: str, key: str) -> Seconds:
        """Every stage on one clip."""
        seconds: Seconds = {}
        sha256, _ = timed(seconds, "probe", lambda: Prober().extract(clip.path))
        file = Source(clip.path, sha256)
        keep = {name: keeper.extract for name, keeper in self.keepers.items()}
        timed(seconds, "text", lambda: keep["text"](f"{key}-t", None, text, []))
        timed(seconds, "audio", lambda: keep["audio"](f"{key}-a", file, clip))
        timed(seconds, "vision", lambda: keep["vision"](f"{key}-v", file, clip))
        timed(seconds, "speech", lambda: self.listener.extract(f"{key}-s", file, clip, "en"))
        return seconds


class Floor:
    """The bare calls, with the models and arguments of `Ours`."""

    def __init__(self, ours: Ours) -> None:
        self.vision = ours.keepers["vision"]._extractor
        self.text = ours.keepers["text"]._extractor
        self.whisper = ours.speech._model

    def run(self, clip: Clip, text: str) -> Seconds:
        """The calls that one clip needs."""
        seconds: Seconds = {}
        step_s = 1 / SETTINGS.vision.fps
        rows = row_count(clip.duration_s, step_s)
        # Which frames, and the samples, are found beforehand: that is not part of the floor.
        side = SETTINGS.vision.max_side
        pictures = [p for p in sample_frames(clip, rows, step_s, side, Damage()) if p is not None]
        blocks = list(sound_blocks(clip, Damage(), clip.duration_s + 1))
        signal = np.concatenate([np.zeros(0, np.float32), *blocks])
        timed(
            seconds, "decode pictures", lambda: bare.decode_pictures(clip.path, SETTINGS.vision.fps)
        )
        timed(seconds, "decode sound", lambda: bare.decode_sound(clip.path))
        with timed(seconds, "create landmarker", self.vision._landmarker) as landmarker:
            timed(seconds, "landmarker", lambda: bare.landmark(landmarker, pictures, step_s))
        timed(seconds, "librosa", lambda: bare.describe_sound(signal))
        timed(seconds, "bert", lambda: bare.encode(self.text._tokenizer, self.text._model, text))
        timed(seconds, "whisper", lambda: bare.recognise(self.whisper, signal))
        return seconds


def speed_of(workers: int, clips: list[Clip], texts: list[str]) -> float:
    """Seconds of video per second, once every worker has its models."""
    run = RunSettings(workers=workers, offline=True)
    tasks = [Task((clip, text), clip.duration_s) for clip, text in zip(clips, texts, strict=True)]
    warm = 2 * workers
    begin = 0.0
    with Pool(run) as pool:
        for number, _ in enumerate(pool.run(Whole, tasks, f"{workers} workers")):
            if number + 1 == warm:
                begin = time.perf_counter()
    return sum(clip.duration_s for clip in clips[warm:]) / (time.perf_counter() - begin)


def report(ours: list[Seconds], floors: list[Seconds], video_s: float) -> list[str]:
    """Rows of the tables, medians over the rounds."""

    def median(rounds: list[Seconds], name: str) -> float:
        return statistics.median(seconds[name] for seconds in rounds) * 1000 / video_s

    lines = ["| ours | ms per s of video |", "|---|---|"]
    lines += [f"| {name} | {median(ours, name):.1f} |" for name in ours[0]]
    lines += ["", "| floor | ms per s of video |", "|---|---|"]
    lines += [f"| {name} | {median(floors, name):.1f} |" for name in floors[0]]

    def ratio(stages: list[str], calls: list[str]) -> str:
        found = [
            sum(own[name] for name in stages) / sum(floor[name] for name in calls)
            for own, floor in zip(ours, floors, strict=True)
        ]
        return f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"

    stages = ["probe", "text", "audio", "vision"]
    calls = ["decode pictures", "decode sound", "landmarker", "librosa", "bert"]
    return [
        *lines,
        "",
        f"whole extraction / floor: {ratio(stages, calls)}",
        f"the same, creating the landmarkers counted as floor: "
        f"{ratio(stages, [*calls, 'create landmarker'])}",
        f"speech recognition / floor: {ratio(['speech'], ['decode sound', 'whisper'])}",
    ]


def main(
    folder: Annotated[Path, typer.Argument(help="Videos, searched with all subfolders.")],
) -> None:
    """Print the tables, and keep them with the machine they were made on."""
    torch.set_num_threads(1)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as name:
        cache = Cache(name)
        with Session({"offline": True}) as session:
            listing = probe_files([folder], session, language="en")
        clips = [clip_of(row) for row in listing.manifest.to_pylist()]
        video_s = sum(clip.duration_s for clip in clips)
        ours = Ours(cache)
        floor = Floor(ours)
        texts = [ours.speech.extract(clip, "en").text or "nothing was said" for clip in clips]
        floor.run(clips[0], texts[0])  # compiles librosa's functions
        rounds: tuple[list[Seconds], list[Seconds]] = ([], [])
        for number in range(ROUNDS):
            sums: tuple[Seconds, Seconds] = ({}, {})
            for clip, text in zip(clips, texts, strict=True):
                key = f"{number:02d}-{clip.path.replace('/', '-')}"
                for found, seconds in zip(
                    sums, (ours.run(clip, text, key), floor.run(clip, text)), strict=True
                ):
                    for stage, value in seconds.items():
                        found[stage] = found.get(stage, 0.0) + value
            for kept, found in zip(rounds, sums, strict=True):
                kept.append(found)
    times = max(1, 90 // len(clips))
    one, two = (speed_of(count, clips * times, texts * times) for count in (1, 2))
    keep(
        f"extraction-{folder.name}",
        [
            f"# Extraction, {len(clips)} clips, {video_s:.0f} s of video, {folder.name}",
            "",
            machine(f"medians of {ROUNDS} rounds, interleaved clip by clip"),
            "",
            *report(*rounds, video_s),
            "",
            f"whole extraction, two workers / one: {two / one:.2f} "
            f"({one:.1f} and {two:.1f} s of video a second)",
        ],
    )


if __name__ == "__main__":
    typer.run(main)
