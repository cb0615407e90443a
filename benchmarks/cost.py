"""What a million clips cost, computed from the kept results of the other benchmarks.

    python benchmarks/cost.py          # writes docs/tables/cost.md

Nothing is measured here. Of each benchmark the newest file in `benchmarks/results/` is read. The
page docs/scale.md includes the tables, and a test fails when they are not those of the files.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from kept import FOLDER

from contracts.files import replacing

PAGE = Path(__file__).parents[1] / "docs" / "tables" / "cost.md"
SIZES = (10**6, 10**8)  # clips
SECONDS = 5  # of video in a clip
MEMORY_GB = 64  # of the machine whose limits are told
TRAINING = "paper, like MOSI, BERT: MiniLM, frozen"  # row of the training benchmark
EVALUATION = "64 clips at 10 rates, paper, like MOSI, BERT: MiniLM"  # likewise
MODALITIES = ("text", "audio", "vision")
ARRAY_ROWS = 2**31  # Arrow's list offsets have 32 bits


class Result(NamedTuple):
    """A kept result: its file, title and machine, and its tables' numbers by first column."""

    file: Path
    title: str
    machine: str
    rows: dict[str, list[float]]


class Cost(NamedTuple):
    """What one clip costs of something, and what that is called."""

    name: str
    each: float  # core seconds or bytes
    note: str = ""


def newest(name: str) -> Result:
    """Read the newest kept result of a benchmark.

    Raises
    ------
    FileNotFoundError
        There is none.
    """
    files = sorted(FOLDER.glob(f"????-??-??-{name}.md"))
    if not files:
        raise FileNotFoundError(
            f"{FOLDER}: no result named {name}; run the benchmark that keeps it"
        )
    lines = files[-1].read_text("utf-8").splitlines()
    rows = {}
    for line in lines:
        if line.startswith("| "):
            first, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[first] = [float(c) for c in cells if re.fullmatch(r"\d[\d.]*(e[-+]\d+)?", c)]
    return Result(files[-1], lines[0].lstrip("# "), lines[2], rows)


def _text(name: str) -> str:
    return newest(name).file.read_text("utf-8")


def shared_work() -> list[Cost]:
    """Core seconds of what any number of processes and machines can share."""
    rows = newest("extraction-grid").rows  # ms per second of video
    names = {
        "probe": "opening and hashing the files",
        **{kind: f"extracting {kind}" for kind in MODALITIES},
        "speech": "recognizing speech, where there is no transcript",
    }
    return [Cost(name, rows[key][0] / 1e3 * SECONDS) for key, name in names.items()]


def speed_of_two() -> str:
    """How many times the work of one worker two of them did, on two cores."""
    (ratio,) = re.findall(r"two workers / one: ([\d.]+)", _text("extraction-grid"))
    return str(ratio)


def work_of_one_process() -> list[Cost]:
    """Seconds of what one process does."""
    cached, scale, training = newest("cached"), newest("scale"), newest("training")
    clips, rows = float(cached.title.split()[0]), float(scale.title.split()[3])
    packing = sum(cached.rows[kind][0] for kind in MODALITIES)
    (threads,) = re.findall(r"with (\d+) threads", training.machine)
    cores = f"{threads} cores"
    return [
        Cost("listing, every file known", cached.rows["list"][0] / clips, "1 core"),
        Cost("looking for leakage, simulated", scale.rows["look for leakage"][0] / rows, "1 core"),
        Cost("packing features that are known", packing / clips, "1 core"),
        Cost("training, one epoch", 1 / training.rows[TRAINING][4], cores),
        Cost("evaluation at ten missing rates, one draw", 10 / training.rows[EVALUATION][4], cores),
    ]


def stored() -> list[Cost]:
    """Bytes on disk."""
    scale = newest("scale")
    manifest = scale.rows["its size on disk"][0] * 1e6 / float(scale.title.split()[3])
    return [
        Cost("manifest, simulated", manifest),
        *(Cost(f"features, {kind}", scale.rows[kind][2] * SECONDS) for kind in MODALITIES),
    ]


def held() -> list[Cost]:
    """Bytes that one process has in memory at once."""
    scale = newest("scale")
    mb = 1e6 / float(scale.title.split()[3])
    features = sum(scale.rows[kind][1] for kind in MODALITIES) * SECONDS
    return [
        Cost("manifest as a table, simulated", scale.rows["its size in memory"][0] * mb),
        Cost("manifest as dictionaries, simulated", scale.rows["rows as dictionaries"][1] * mb),
        Cost("training input, all features once", features),
    ]


def figure(value: float) -> str:
    """Two digits that count: 0.0051, 3.2, 190, 19,000."""
    if value == 0:
        return "0"
    digits = 1 - int(f"{value:.1e}".partition("e")[2])
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def table(head: str, costs: Iterable[Cost], unit: float, last: str = "") -> list[str]:
    """Lines of a table with a column per size; `last` heads one for the notes."""
    sizes = [f"10^{len(str(size)) - 1}^ clips" for size in SIZES]
    lines = [
        "| " + " | ".join([head, *sizes, *([last] if last else [])]) + " |",
        "|---|" + "---:|" * len(sizes) + ("---|" if last else ""),
    ]
    for cost in costs:
        figures = [figure(cost.each * size / unit) for size in SIZES]
        cells = [cost.name, *figures, *([cost.note] if last else [])]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def page() -> str:
    """The tables, as the page includes them."""
    limits = [
        cost._replace(note=f"{figure(MEMORY_GB * 1e9 / cost.each / 1e6)} million")
        for cost in held()
    ]
    audio = newest("scale").rows["audio"][0] * SECONDS
    workers = max(row[1] for row in newest("memory").rows.values() if row)
    names = ("extraction-grid", "cached", "training", "memory", "scale")
    lines = [
        f"All clips are {SECONDS} s long.",
        "",
        *table("Core hours, on as many machines as there are", shared_work(), 3600),
        "",
        f"Two workers did {speed_of_two()} times the work of one.",
        "",
        *table("Hours of one process", work_of_one_process(), 3600, "On"),
        "",
        *table("Gigabytes on disk", stored(), 1e9),
        "",
        *table("Gigabytes in memory at once", limits, 1e9, f"Clips that fit {MEMORY_GB} GB"),
        "",
        f"Rows are counted in 32 bits, which {figure(ARRAY_ROWS / audio / 1e6)} million clips of "
        f"audio exhaust. Extraction adds at most {workers:.0f} MB per worker, however long a clip "
        "is.",
        "",
        "Computed from these files in `benchmarks/results/`:",
        "",
        *(f"- `{r.file.name}`: {r.title}. {r.machine}" for r in map(newest, names)),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    with replacing(PAGE) as temporary:
        temporary.write_text(page(), "utf-8")
    print(page())
