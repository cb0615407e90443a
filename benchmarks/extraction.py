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

import av
import librosa
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
from extractors.media.sound import SAMPLE_RATE, sound_blocks
from extractors.media.timeline import row_count
from extractors.settings import ExtractorSettings, RunSettings
from extractors.speech.recognizer import SpeechRecognizer
from extractors.text.extractor import TextExtractor
from extractors.transcription import _entry as words_entry
from extractors.vision.extractor import VisionExtractor
from extractors.vision.frames import sample_frames
from extractors.workers.cache import Cache
from extractors.workers.cached_map import Keeper, Source, Work, clip_of
from extractors.workers.pool import Task, run_tasks

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
        timed(seconds, "decode pictures", lambda: decode_pictures(clip, len(pictures)))
        timed(seconds, "decode sound", lambda: decode_sound(clip))
        with timed(seconds, "create landmarker", self.vision._landmarker) as landmarker:
            timed(seconds, "landmarker", lambda: landmark(landmarker, pictures, step_s))
        timed(seconds, "librosa", lambda: describe_sound(signal))
        timed(seconds, "bert", lambda: self.encode(text))
        timed(seconds, "whisper", lambda: self.recognise(signal))
        return seconds

    def encode(self, text: str) -> None:
        ids = torch.tensor([self.text._tokenizer(text)["input_ids"]])
        with torch.inference_mode():
            self.text._model(input_ids=ids, attention_mask=torch.ones_like(ids))

    def recognise(self, signal: np.ndarray) -> None:
        segments, _ = self.whisper.transcribe(
            signal,
            language="en",
            beam_size=SETTINGS.speech.beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=True,
        )
        list(segments)


def decode_pictures(clip: Clip, wanted: int) -> None:
    """Decode every frame, and turn as many as are looked at into RGB."""
    with av.open(clip.path) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number < wanted:
                frame.to_ndarray(format="rgb24")


def decode_sound(clip: Clip) -> None:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    with av.open(clip.path) as container:
        if container.streams.audio:
            for frame in container.decode(audio=0):
                for part in resampler.resample(frame):
                    part.to_ndarray()


def landmark(landmarker: Any, pictures: list[np.ndarray], step_s: float) -> None:
    import mediapipe as mp

    for number, picture in enumerate(pictures):
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
        landmarker.detect_for_video(image, round(number * step_s * 1000))


def describe_sound(signal: np.ndarray) -> None:
    """The calls of `extractors.audio`."""
    hop, window = audio.HOP, audio._WINDOW
    librosa.feature.rms(y=signal, frame_length=window, hop_length=hop)
    spectrum = np.abs(librosa.stft(signal, n_fft=window, hop_length=hop))
    mel = librosa.feature.melspectrogram(S=spectrum**2, sr=SAMPLE_RATE, n_mels=64)
    librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None), n_mfcc=20)
    librosa.feature.chroma_stft(S=spectrum**2, sr=SAMPLE_RATE, tuning=0.0)
    librosa.feature.zero_crossing_rate(signal, frame_length=window, hop_length=hop)
    librosa.feature.spectral_centroid(S=spectrum, sr=SAMPLE_RATE)
    librosa.feature.spectral_rolloff(S=spectrum, sr=SAMPLE_RATE)
    librosa.pyin(
        signal,
        fmin=SETTINGS.audio.pitch_min_hz,
        fmax=SETTINGS.audio.pitch_max_hz,
        sr=SAMPLE_RATE,
        frame_length=audio._PITCH_WINDOW,
        hop_length=hop,
    )


def speed_of(workers: int, clips: list[Clip], texts: list[str]) -> float:
    """Seconds of video per second, once every worker has its models."""
    run = RunSettings(workers=workers, offline=True)
    tasks = [Task((clip, text), clip.duration_s) for clip, text in zip(clips, texts, strict=True)]
    warm = 2 * workers
    begin = 0.0
    for number, _ in enumerate(run_tasks(Whole, tasks, run, f"{workers} workers")):
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
        run = RunSettings(offline=True)
        listing = probe_files([folder], language="en", run=run, cache=cache)
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
