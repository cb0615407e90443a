"""How long it takes to plan and pack clips whose features are all in the cache.

    python benchmarks/cached.py --clips 10000

A dataset of so many different files is made in a temporary folder (each is a clip of the bundled
corpus and a few bytes that a player skips), and its cache is filled with rows of real features.
Then, in a fresh process, the list is read again and the three tables are written. The result is
also kept in `benchmarks/results/`, by date.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import pyarrow as pa
from kept import keep, machine

from contracts.features import write_modality
from contracts.schemas import MODALITIES
from extractors.datasets.listing import read_dataset
from extractors.extraction import extract_modality
from extractors.settings import ExtractorSettings
from extractors.transcription import transcribe
from extractors.workers.cache import Cache
from extractors.workers.serving import Outcome, Task
from extractors.workers.session import Session

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
SETTINGS = ExtractorSettings()


def make_dataset(root: Path, clips: int) -> None:
    """Write so many clips in the raw layout, a hundred to a folder."""
    with (SAMPLE / "label.csv").open(encoding="utf-8") as lines:
        row = next(csv.DictReader(lines))
    original = (SAMPLE / "Raw" / row["video_id"] / f"{row['clip_id']}.mp4").read_bytes()
    rows = []
    for number in range(clips):
        video, clip = f"v{number // 100:04d}", f"{number % 100:02d}"
        file = root / "Raw" / video / f"{clip}.mp4"
        file.parent.mkdir(parents=True, exist_ok=True)
        unused = f"{number:012d}".encode()
        file.write_bytes(original + (8 + len(unused)).to_bytes(4, "big") + b"free" + unused)
        rows.append([video, clip, f"{row['text']} {number}", 1.0, "train"])
    with (root / "label.csv").open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([["video_id", "clip_id", "text", "label", "mode"], *rows])


def plan_and_pack(root: Path, session: Session, out: Path) -> dict[str, float]:
    """Everything from label.csv to the feature tables; seconds per step."""
    took = {}
    begin = time.perf_counter()
    listing = read_dataset(root, session, language="en")
    took["list"] = time.perf_counter() - begin
    said = transcribe(listing.manifest, SETTINGS.speech, session)
    for modality in MODALITIES:
        start = time.perf_counter()
        own = getattr(SETTINGS, modality)
        features = extract_modality(modality, listing.manifest, said.table, own, session)
        write_modality(features.batches(), features.schema, out / modality)
        took[modality] = time.perf_counter() - start
    took["all"] = time.perf_counter() - begin
    return took


def fill(root: Path, session: Session) -> None:
    """Give every clip the features of the first."""
    listing = read_dataset(root, session, language="en")
    said = transcribe(listing.manifest, SETTINGS.speech, session).table
    for modality in MODALITIES:
        own = getattr(SETTINGS, modality)
        first = extract_modality(modality, listing.manifest.slice(0, 1), said, own, session)
        (row,) = session.cache.read(first.work.group, [first.jobs[0].key])
        copier = Copier(session.cache, first.work.group, row)
        session.place = lambda *_, copier=copier: copier
        extract_modality(modality, listing.manifest, said, own, session)
        del session.place


class Copier:
    """Stands in for the workers: every clip gets the same entry."""

    def __init__(self, cache: Cache, group: str, row: pa.Table) -> None:
        self.keep = partial(cache.write, group, table=row)
        self.tasks: Sequence[Task] = []

    def start(self, _: object, tasks: Sequence[Task]) -> Self:
        self.tasks = tasks
        return self

    def outcomes(self, _: str) -> Iterator[Outcome]:
        for task in self.tasks:
            self.keep(task.arguments[0])
            yield Outcome(None, None)


def main() -> None:
    """Print seconds per step as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        root, cache, out = options.measure
        with Session({"offline": True, "cache": cache}) as session:
            print(json.dumps(plan_and_pack(Path(root), session, Path(out))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"making {options.clips} clips and their features", file=sys.stderr)
        make_dataset(folder / "data", options.clips)
        time.sleep(2.1)  # files as young as their clock's tick are not trusted
        with Session({"offline": True, "cache": str(folder / "cache")}) as session:
            fill(folder / "data", session)
        command = [sys.executable, __file__, "--measure"]
        places = [str(folder / part) for part in ("data", "cache", "out")]
        done = subprocess.run([*command, *places], capture_output=True, text=True, check=True)
    lines = [
        f"# {options.clips} clips, all in the cache",
        "",
        machine("local disk"),
        "",
        "| step | seconds |",
        "|---|---|",
        *(f"| {step} | {seconds:.2f} |" for step, seconds in json.loads(done.stdout).items()),
    ]
    keep("cached", lines)


if __name__ == "__main__":
    main()
