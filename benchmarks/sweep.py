"""What the full evaluation of one checkpoint takes: 11 rates, 5 draws, 7 patterns.

    python benchmarks/sweep.py --model lnln

Run after `dvc repro`, in the project's folder, on an idle machine. The result is also kept in
`benchmarks/results/`, by date.
"""

import time
from typing import Annotated

import torch
import typer
from kept import keep, machine

from lnln.checkpoints.checkpoint import load
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.sweep import conditions, sweep
from lnln.missing import dropping
from pipeline.params import load_dataset, load_params
from pipeline.paths import TRAINED, run_name
from pipeline.stages.splits import load_language, read_manifest, read_split

PATTERNS = ("random", "unequal", "bursts", "block", "synchronous", "no_text", "no_audio")
RATES = [round(0.1 * step, 1) for step in range(11)]
DRAWS = 5


def main(
    model: Annotated[str, typer.Option(help="one that `dvc repro` trained")] = "lnln",
    seed: Annotated[int, typer.Option(help="that it was trained with")] = 1111,
) -> None:
    """Sweep the test split, and tell how much of the time the language encoder takes."""
    params, dataset = load_params(), load_dataset()
    manifest = read_manifest()
    clips = read_split(manifest, "test", dataset)
    language = load_language(model, dataset, offline=params.run.offline)
    assert language is None or isinstance(language, FrozenLanguageEncoder)
    checkpoint = load(TRAINED / run_name(model, seed), language)
    asked = conditions(PATTERNS, RATES, DRAWS)
    encoded = [0.0, 0]
    encode = dropping.encode

    def timed(*args: object) -> object:
        began = time.perf_counter()
        states = encode(*args)  # type: ignore[arg-type]
        encoded[0] += time.perf_counter() - began
        encoded[1] += len(states)
        return states

    dropping.encode = timed  # type: ignore[assignment]
    began = time.perf_counter()
    table = sweep(
        checkpoint,
        clips,
        manifest,
        model=model,
        train_seed=seed,
        conditions=asked,
        masks_seed=params.masks.seed,
        language=language,
    )
    seconds = time.perf_counter() - began
    keep(
        f"sweep-{model}",
        [
            f"# Full evaluation of one checkpoint: {model} on {dataset.name}",
            "",
            f"{machine(f'torch {torch.__version__}', f'{torch.get_num_threads()} threads')}.",
            "",
            "| what | |",
            "|---|---|",
            f"| conditions | {len(asked)} ({len(PATTERNS)} patterns, {len(RATES)} rates, up to "
            f"{DRAWS} draws) |",
            f"| predictions | {table.num_rows:,} of {len(clips)} clips |",
            f"| seconds | {seconds:.1f} |",
            f"| of these, encoding {encoded[1]:,} masked sentences | {encoded[0]:.1f} |",
        ],
    )


if __name__ == "__main__":
    typer.run(main)
