"""Peak memory of a worker on a short and a long video: it should not grow with the length.

    python benchmarks/memory.py ten_minutes.mp4 an_hour.mp4

Each extractor does each video in a fresh process, with the environment that workers have. The
result is also kept in `benchmarks/results/`, by date.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from kept import keep, machine, peak_mb

from contracts.features import feature_row
from extractors.audio.extractor import AudioExtractor
from extractors.listening import parts_of
from extractors.media.container import Clip, probe
from extractors.settings import ExtractorSettings
from extractors.speech.activity import VoiceActivity
from extractors.speech.recognizer import SpeechRecognizer
from extractors.vision.extractor import VisionExtractor
from extractors.workers.cache import key_of
from extractors.workers.opening import opened
from extractors.workers.worker import environment

SETTINGS = ExtractorSettings()


def work(kind: str, path: str) -> None:
    """Do one video, and print the peak of this process in MB."""
    clip = Clip(path, 0.0, probe(path).duration_s)
    if kind in ("audio", "vision"):
        extractor = (
            AudioExtractor(SETTINGS.audio)
            if kind == "audio"
            else VisionExtractor(SETTINGS.vision, offline=True)
        )
        row = feature_row(extractor.info(), extractor.extract(clip))
        with opened("") as cache:  # kept like a worker keeps it
            cache.write(kind, key_of(path), row)
    elif kind == "speech":
        recognizer = SpeechRecognizer(SETTINGS.speech, offline=True)
        heard = VoiceActivity().extract(clip).probabilities
        for span in parts_of(heard, clip.duration_s):
            part = Clip(path, span.start_s, span.end_s - span.start_s)
            recognizer.extract(part, "en")
    print(peak_mb())


def peak_of(kind: str, path: Path) -> float:
    """Peak resident memory of a fresh process, MB."""
    done = subprocess.run(
        [sys.executable, __file__, str(path), "--only", kind],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main(
    short: Annotated[Path, typer.Argument(help="A video, say of ten minutes.")],
    long: Annotated[Path | None, typer.Argument(help="One that is several times longer.")] = None,
    only: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Print the table, and keep it with the machine it was made on."""
    if only:
        work(only, str(short))
        return
    if long is None:
        raise typer.BadParameter("two videos are needed")
    lengths = [probe(str(path)).duration_s / 60 for path in (short, long)]
    lines = [
        "# Peak memory of a worker",
        "",
        machine(f"videos of {lengths[0]:.0f} and {lengths[1]:.0f} minutes"),
        "",
        "| | short, MB | long, MB | more | seconds for the long one |",
        "|---|---|---|---|---|",
    ]
    for kind in ("probe", "audio", "vision", "speech"):
        few = peak_of(kind, short)
        begin = time.perf_counter()
        many = peak_of(kind, long)
        took = time.perf_counter() - begin
        lines.append(f"| {kind} | {few:.0f} | {many:.0f} | {many / few - 1:.1%} | {took:.0f} |")
        print(lines[-1], file=sys.stderr)
    keep("memory", lines)


if __name__ == "__main__":
    typer.run(main)
