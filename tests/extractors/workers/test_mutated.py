"""Damaged files: the run ends by itself, says what became of each, and harms no other clip."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from contracts.schemas import MODALITIES
from extractors.datasets.listing import Listing, read_dataset
from extractors.extraction import extract_modality
from extractors.settings import (
    AudioSettings,
    RunSettings,
    SpeechSettings,
    TextSettings,
    VisionSettings,
)
from extractors.transcription import transcribe
from extractors.workers.session import Session

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
RUN = RunSettings(workers=2, offline=True)
SETTINGS = {
    "text": TextSettings(),
    "audio": AudioSettings(),
    "vision": VisionSettings(fps=2),
    "speech": SpeechSettings(),
}
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts", b"udta")


def atoms(data: bytes, begin: int, end: int) -> Iterator[int]:
    """Where the atoms of an MP4 file begin, those within others too."""
    while begin + 8 <= end:
        size = int.from_bytes(data[begin : begin + 4], "big")
        yield begin
        if size < 8:
            return
        if data[begin + 4 : begin + 8] in CONTAINERS:
            yield from atoms(data, begin + 8, min(begin + size, end))
        begin += size


def flip(data: bytearray, _: bytes, draw: random.Random) -> None:
    """A few bytes anywhere are others."""
    for _ in range(2 ** draw.randrange(9)):
        data[draw.randrange(len(data))] = draw.randrange(256)


def cut(data: bytearray, _: bytes, draw: random.Random) -> None:
    """The file ends early."""
    del data[draw.randrange(len(data)) :]


def swap(data: bytearray, other: bytes, draw: random.Random) -> None:
    """The header is that of another clip."""
    size = draw.choice((32, 200, 1000, 4000))
    data[:size] = other[:size]


def resize(data: bytearray, _: bytes, draw: random.Random) -> None:
    """An atom claims another size."""
    place = draw.choice(list(atoms(bytes(data), 0, len(data))))
    size = int.from_bytes(data[place : place + 4], "big")
    claimed = draw.choice((0, 1, 7, 8, size - 1, size + 1, 2 * size, 2**31, 2**32 - 1))
    data[place : place + 4] = (claimed % 2**32).to_bytes(4, "big")


def write_dataset(root: Path, damaged: int, whole: int) -> None:
    """Some clips of the corpus as they are, each followed by damaged copies of others."""
    draw = random.Random(20240912)
    with (SAMPLE / "label.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["text"] and row["mode"] == "train"]
    clips = [SAMPLE / "Raw" / row["video_id"] / f"{row['clip_id']}.mp4" for row in rows]
    clips = sorted(
        (clip for clip in clips if clip.is_file() and clip.stem.isdigit()),
        key=lambda clip: clip.stat().st_size,
    )
    originals = [clip.read_bytes() for clip in clips[:40]]
    table = []
    for number in range(damaged + whole):
        data = bytearray(originals[number % len(originals)])
        good = number % (damaged // whole + 1) == 0
        if not good:
            mutate = (flip, cut, swap, resize)[number % 4]
            mutate(data, draw.choice(originals), draw)
        name = f"{'good' if good else 'bad'}-{number:04d}"
        file = root / "Raw" / "v" / f"{name}.mp4"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        # Some have to be listened to.
        table.append(["v", name, "" if number % 10 == 3 else f"Clip {number}.", "0", "train"])
    with (root / "label.csv").open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([["video_id", "clip_id", "text", "label", "mode"], *table])


def extract(listing: Listing, session: Session) -> tuple[dict[str, dict], dict[str, str]]:
    """Features per modality and clip, and the clips without with the reason."""
    said = transcribe(listing.manifest, SETTINGS["speech"], session)
    rejected = [*listing.quarantine, *said.quarantine]
    features = {}
    for modality in MODALITIES:
        own = SETTINGS[modality]
        found = extract_modality(modality, listing.manifest, said.table, own, session)
        features[modality] = {row["clip_id"]: row for row in found.table().to_pylist()}
        rejected += found.quarantine
    return features, {row.clip_id: row.reason for row in rejected}


@pytest.mark.parametrize("damaged", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_files_are_extracted_or_quarantined_and_harm_no_other(tmp_path, damaged):
    write_dataset(tmp_path / "data", damaged, whole=5)
    with Session(RUN) as session:
        listing = read_dataset(tmp_path / "data", session, language="en")
        features, reasons = extract(listing, session)

    names = {file.stem for file in (tmp_path / "data").rglob("*.mp4")}
    assert len(names) == damaged + 5
    for name in names:
        clip_id = f"v/{name}"
        done = [modality for modality in MODALITIES if clip_id in features[modality]]
        assert len(done) == 3 or reasons[clip_id].strip(), clip_id
    assert len(reasons) > damaged / 10  # the damage is real

    good = [clip_id for clip_id in listing.manifest["clip_id"].to_pylist() if "good" in clip_id]
    assert len(good) == 5
    assert not reasons.keys() & set(good)
    alone = listing.manifest.filter(pc.is_in(listing.manifest["clip_id"], pa.array(good)))
    with Session(RUN) as session:
        again, _ = extract(Listing(alone, [], []), session)
    for modality in MODALITIES:
        for clip_id in good:
            assert features[modality][clip_id] == again[modality][clip_id]
