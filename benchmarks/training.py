"""What training and evaluation cost beside a direct implementation of the same arithmetic.

    python benchmarks/training.py               # about 8 minutes; --quick leaves BERT-base out

"direct" is `benchmarks/direct.py`. Both take the same steps on the same clips with the same
weights in this process, in turns; that the losses agree is asserted. The least time of the rounds
counts, as wall time and as CPU time: on a machine with other work to do only the second says much,
and that with `--threads 1`. The result is also kept in `benchmarks/results/`, by date.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import typer
from kept import keep, machine, peak_mb, reset_peak
from synthetic import Contest, Lookup, clips_of, full, language_model, like_mosi
from torch.nn import functional as F

from lnln.data.batches import in_batches
from lnln.data.features import FeatureSet
from lnln.missing.masks import evaluation_masks, training_masks
from lnln.models.lnln.settings import Variant
from lnln.settings import TrainSettings
from lnln.training.reproducible import reproducible

BATCH = 16
RATES = [r / 10 for r in range(10)]
CLIPS = (64, 128, 256)  # of the epochs whose times are compared
ROWS = (47, 94, 188, 375)  # of the sequences whose times are compared
TOLERANCE = {"official": 1e-6, "paper": 1e-5, "masked": 1e-5}  # relative, of the loss


class Case(NamedTuple):
    """One row of the table, over `batches` of 16 clips."""

    variant: Variant
    lengths: str  # full, like MOSI, or like MOSI with the modalities' lengths independent
    language: str = "none"
    finetuned: bool = False
    batches: int = 4


CASES = [
    Case("official", "full", batches=1),
    Case("paper", "full", batches=1),
    Case("paper", "like MOSI"),
    Case("paper", "independent"),
    Case("masked", "like MOSI"),
    Case("paper", "like MOSI", "MiniLM"),
    Case("paper", "like MOSI", "MiniLM", finetuned=True, batches=2),
    Case("official", "like MOSI", "MiniLM", batches=1),
]
LARGE = [
    Case("paper", "like MOSI", "BERT-base size", batches=1),
    Case("paper", "like MOSI", "BERT-base size", finetuned=True, batches=1),
]


class Cost(NamedTuple):
    """What a call took: seconds of wall time and of CPU time, and memory on top, in MB."""

    wall: float
    cpu: float
    memory: float


def measured(call: Callable[[], Any]) -> tuple[Any, Cost]:
    """Call, and say what it took."""
    reset_peak()
    before = peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    cost = Cost(time.perf_counter() - wall, time.process_time() - cpu, peak_mb() - before)
    return result, cost


def least(costs: Sequence[Cost]) -> Cost:
    """Take the least of each; the rest is other people's load."""
    return Cost(*(min(column) for column in zip(*costs, strict=True)))


def both(ours: Callable[[], Any], direct: Callable[[], Any], rounds: int, close: float) -> Any:
    """Measure two calls in turns, and make sure that they agree."""
    found: tuple[list[Cost], list[Cost]] = ([], [])
    for _ in range(rounds):
        answers = []
        for call, costs in zip((ours, direct), found, strict=True):
            answer, cost = measured(call)
            answers.append(answer)
            costs.append(cost)
        np.testing.assert_allclose(*answers, rtol=close, atol=close)
    difference = float(np.max(np.abs(np.subtract(*answers))))
    return least(found[0]), least(found[1]), difference


def lengths_of(case: Case, clips: int) -> dict[str, np.ndarray]:
    if case.lengths == "full":
        return full(clips)
    return like_mosi(clips, apart=0.8 if case.lengths == "independent" else 0.2)


def row(name: str, clips: int, ours: Cost, direct: Cost, difference: float) -> str:
    cells = [
        name,
        f"{direct.wall:.2f}",
        f"{ours.wall:.3f}",
        f"{direct.wall / ours.wall:.1f}",
        f"{direct.cpu / ours.cpu:.1f}",
        f"{clips / ours.wall:.1f}",
        f"{direct.memory:.0f}",
        f"{ours.memory:.0f}",
        f"{difference:.0e}",
    ]
    return f"| {' | '.join(cells)} |"


HEAD = [
    "direct s",
    "ours s",
    "wall ratio",
    "CPU ratio",
    "ours clips/s",
    "direct MB",
    "ours MB",
    "difference",
]


def table(first: str, rows: list[str]) -> list[str]:
    return [f"| {' | '.join([first, *HEAD])} |", f"|{'---|' * (1 + len(HEAD))}", *rows, ""]


def total(costs: Sequence[Cost]) -> Cost:
    """Add the times of several batches; the memory is that of the greatest."""
    wall, cpu, memory = zip(*costs, strict=True)
    return Cost(sum(wall), sum(cpu), max(memory))


def training_row(case: Case, rounds: int) -> str:
    """Time some training steps: masks applied, forward, backward, AdamW."""
    contest = Contest(case.variant, language_model(case.language, case.finetuned), case.finetuned)
    count = BATCH * case.batches
    clips = clips_of(lengths_of(case, count), contest.language)
    masks, _ = training_masks(clips, seed=1, epoch=1)
    found = []
    for batch in in_batches(range(count), BATCH):
        some = clips.take(batch)
        found.append(
            both(
                lambda some=some: contest.our_step(some, masks),
                lambda some=some: contest.direct_step(some, masks),
                rounds,
                TOLERANCE[case.variant],
            )
        )
    ours, direct, differences = zip(*found, strict=True)
    tuned = "" if case.language == "none" else ", fine-tuned" if case.finetuned else ", frozen"
    name = f"{case.variant}, {case.lengths}, BERT: {case.language}{tuned}"
    return row(name, count, total(ours), total(direct), max(differences))


def evaluation_row(language: str, clips: int) -> str:
    """Time the scores of a test split at ten missing rates."""
    contest = Contest("paper", language_model(language, finetuned=False), finetuned=False)
    split = clips_of(like_mosi(clips, apart=0.2), contest.language)
    masks = [evaluation_masks(split, rate, seed=1, purpose="test") for rate in RATES]
    costs = both(
        lambda: contest.our_scores(split, masks),
        lambda: contest.direct_scores(split, masks),
        rounds=1,
        close=1e-4,
    )
    name = f"{clips} clips at {len(RATES)} rates, paper, like MOSI, BERT: {language}"
    return row(name, clips * len(RATES), *costs)


def growth_with_clips() -> list[str]:
    """Time an epoch's steps over more and more clips."""
    contest = Contest("paper", Lookup(), finetuned=False)
    lines = ["| clips | CPU s an epoch | ms a clip |", "|---|---|---|"]
    for count in CLIPS:
        clips = clips_of(like_mosi(count, apart=0.2), contest.language)
        masks, _ = training_masks(clips, seed=1, epoch=1)

        def epoch(clips: FeatureSet = clips, masks: Any = masks) -> None:
            for batch in in_batches(range(len(clips)), BATCH):
                contest.our_step(clips.take(batch), masks)

        seconds = least([measured(epoch)[1] for _ in range(2)]).cpu
        lines.append(f"| {count} | {seconds:.2f} | {1000 * seconds / count:.1f} |")
    return [*lines, ""]


def growth_with_length() -> list[str]:
    """Time a step at growing lengths beside the two fused attentions that it cannot do without."""
    contest = Contest("paper", Lookup(), finetuned=False)
    lines = [
        "| rows of audio and of vision | CPU s a step | fused attention alone |",
        "|---|---|---|",
    ]
    for rows in ROWS:
        counts = {m: np.full(BATCH, 16 if m == "text" else rows) for m in full(1)}
        clips = clips_of(counts, contest.language)
        masks = evaluation_masks(clips, 0.5, seed=1, purpose="train")
        qkv = [torch.randn(BATCH, 8, 8 + rows, 64, requires_grad=True) for _ in range(3)]

        def attention(qkv: list[torch.Tensor] = qkv) -> None:
            for _ in WIDTHS:
                F.scaled_dot_product_attention(*qkv).sum().backward()
                with torch.no_grad():  # of the complete inputs
                    F.scaled_dot_product_attention(*qkv)

        def step(clips: FeatureSet = clips, masks: Any = masks) -> None:
            contest.our_step(clips, masks)

        seconds = [least([measured(f)[1] for _ in range(4)]).cpu for f in (step, attention)]
        lines.append(f"| {rows} | {seconds[0]:.3f} | {seconds[1]:.3f} |")
    return [*lines, ""]


WIDTHS = ("audio", "vision")


def main(
    threads: Annotated[int, typer.Option(help="Of torch; 0: one per core.")] = 0,
    quick: Annotated[bool, typer.Option(help="Leave out BERT-base, which takes long.")] = False,
    rounds: Annotated[int, typer.Option(help="How often each batch is timed.")] = 3,
    clips: Annotated[int, typer.Option(help="Of the test split.")] = 64,
) -> None:
    """Print the tables, and keep them with the machine they were made on."""
    torch.set_num_threads(threads or os.cpu_count() or 1)
    rows = []
    with reproducible(TrainSettings()):  # as training runs
        for case in CASES + ([] if quick else LARGE):
            rows.append(training_row(case, rounds))
            print(rows[-1], flush=True)
        evaluated = []
        for language in ("none", "MiniLM"):
            evaluated.append(evaluation_row(language, clips))
            print(evaluated[-1], flush=True)
        keep(
            "training",
            [
                "# Training and evaluation beside a direct implementation",
                "",
                machine(
                    f"torch {torch.__version__} with {torch.get_num_threads()} threads",
                    f"batches of {BATCH}, fp32",
                ),
                "",
                f"Least of {rounds} rounds.",
                "",
                *table("training steps", rows),
                "One round.",
                "",
                *table("evaluation", evaluated),
                "Least of 2 rounds.",
                "",
                *growth_with_clips(),
                "Least of 4 rounds.",
                "",
                *growth_with_length(),
            ],
        )


if __name__ == "__main__":
    typer.run(main)
