"""Chapter: which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnln.evaluation.by_model import ModelAnswers
from lnln.evaluation.metrics import Grading, gradings
from lnln.settings import MetricSet
from pipeline.report.page.names import TITLES
from pipeline.report.page.parts import Cell, Part, Section, Table, Text
from pipeline.report.page.run import Run

_MOSI = ("−3", "−2", "−1", "0", "1", "2", "3")
_SIMS = ("negative", "weakly negative", "neutral", "weakly positive", "positive")
CLASSES: dict[MetricSet, tuple[tuple[int, str], ...]] = {  # of the finest grading
    "mosi": tuple(zip(range(-3, 4), _MOSI, strict=True)),
    "sims": tuple(enumerate(_SIMS)),
}


def confusion(run: Run) -> Section:
    """Tabulate true and predicted classes of the main model, complete and at `missing_rate`."""
    pattern = run.about.patterns[0]
    parts: list[Part] = []
    grading = gradings(run.about.metric_set)[0]
    for rate in dict.fromkeys((0.0, run.about.missing_rate)):
        model = run.at_headline(rate)
        if model is not None:
            parts.append(_table(model, grading, run.about.metric_set, rate))
    if not parts:
        parts.append(Text([f"{run.about.model} was not asked under the pattern {pattern}."]))
    return Section("confusion", f"Confusion of classes, {TITLES[grading.accuracy]}", parts)


def _table(model: ModelAnswers, grading: Grading, metric_set: MetricSet, rate: float) -> Table:
    answers = model.prediction.reshape(-1, len(model.label))
    label = model.label
    if metric_set == "sims":
        answers, label = np.clip(answers, -1, 1), np.clip(label, -1, 1)
    truth, said = grading.classes(label), grading.classes(answers.ravel())
    said = said.reshape(answers.shape)
    rows: list[Sequence[Cell]] = []
    for of_row, name in CLASSES[metric_set]:
        own = said[:, truth == of_row]
        cells = [Cell(name, _clips(int((truth == of_row).sum())))]
        for of_column, _ in CLASSES[metric_set]:
            if own.size:
                share = float((own == of_column).mean())
                cells.append(Cell(f"{share:.0%}", share=share))
            else:
                cells.append(Cell("–"))
        rows.append(cells)
    return Table(
        f"{model.name} at the missing rate {rate:g}: true class (rows) and predicted class "
        "(columns)",
        ["true", *(name for _, name in CLASSES[metric_set])],
        rows,
        f"Shares of each row, over {len(answers)} answers to each clip (seeds and draws of masks).",
    )


def _clips(count: int) -> str:
    return f"{count} clip" + ("" if count == 1 else "s")
