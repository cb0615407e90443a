"""Does a model answer, or does it say the same whatever it is shown?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lnln.evaluation.by_model import ModelAnswers

# Of the standard deviation of the labels. A calibrated model whose answers vary by a share s of it
# has correlation s with the labels and explains s^2 of their variance: 0.25 % at this limit. 95 %
# of such answers lie within a tenth of that deviation of their mean: on MOSI, whose labels vary by
# about 1.6 between -3 and 3, within 0.16. No test split is large enough to tell it from a constant.
LIMIT = 0.05


@dataclass(frozen=True)
class Collapse:
    """How far the answers of a model at one missing rate are from a constant.

    Attributes
    ----------
    model, pattern : str
    rate : float
    spread : float
        Standard deviation of the answers over the clips, a mean over draws and seeds.
    relative_spread : float or None
        The same over that of the labels; None where all labels are the same.
    mae : float
    mae_ratio : float or None
        The MAE over that of the median of these very labels, the best of all constants: about 1 of
        a constant, less of a model that knows something. None where that is 0.
    collapsed : bool
        Whether the relative spread is less than `LIMIT`: the model answers a constant. False
        where it is None.
    collapsed_seeds : tuple of int
        The seeds of training of which that holds by themselves.
    """

    model: str
    pattern: str
    rate: float
    spread: float
    relative_spread: float | None
    mae: float
    mae_ratio: float | None
    collapsed: bool
    collapsed_seeds: tuple[int, ...]


def collapses(models: Sequence[ModelAnswers]) -> list[Collapse]:
    """Check every model at every missing rate, in this order."""
    return [_at(model, rate) for model in models for rate in model.rates]


def collapsed_rates(checked: Sequence[Collapse]) -> dict[str, list[float]]:
    """Return the missing rates at which each model has collapsed, ascending."""
    rates: dict[str, list[float]] = {row.model: [] for row in checked}
    for row in checked:
        if row.collapsed:
            rates[row.model].append(row.rate)
    return {model: sorted(at) for model, at in rates.items()}


def _at(model: ModelAnswers, rate: float) -> Collapse:
    draws = [place for place, (r, _) in enumerate(model.conditions) if r == rate]
    answers = model.prediction[:, draws]  # [seeds, draws, clips]
    spreads = answers.std(axis=-1).mean(axis=1)  # [seeds]
    of_labels = float(model.label.std())
    mae = float(np.abs(answers - model.label).mean())
    of_median = float(np.abs(model.label - np.median(model.label)).mean())
    limit = LIMIT * of_labels
    return Collapse(
        model=model.name,
        pattern=model.pattern,
        rate=rate,
        spread=float(spreads.mean()),
        relative_spread=float(spreads.mean()) / of_labels if of_labels else None,
        mae=mae,
        mae_ratio=mae / of_median if of_median else None,
        collapsed=bool(spreads.mean() < limit),
        collapsed_seeds=tuple(
            seed for seed, spread in zip(model.seeds, spreads, strict=True) if spread < limit
        ),
    )
