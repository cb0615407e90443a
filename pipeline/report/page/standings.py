"""How models stand to each other under one pattern: scores, and which best is one beyond doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lnln.evaluation.by_model import ModelAnswers, check_comparable
from lnln.evaluation.comparison import Difference, compare_curves
from lnln.evaluation.curves import Over, curves
from lnln.evaluation.metrics import better
from lnln.evaluation.resampling import bootstrap_weights, units
from lnln.evaluation.scores import Score, score_curves
from pipeline.report.page.names import metrics_in_order
from pipeline.report.page.run import About

LEVEL = 0.05  # of the paired tests


@dataclass(frozen=True)
class Standings:
    """Scores of several models.

    Attributes
    ----------
    models : list of ModelAnswers
    metrics : list of str
    scores : dict of (model, metric, over) to Score
    differences : dict of (metric, over) to list of Difference
        Of every pair.
    """

    models: list[ModelAnswers]
    metrics: list[str]
    scores: dict[tuple[str, str, Over], Score]
    differences: dict[tuple[str, Over], list[Difference]]

    def curve(self, model: str, metric: str) -> list[Score]:
        """Scores of one model at every missing rate, ascending."""
        rates = next(m.rates for m in self.models if m.name == model)
        return [self.scores[model, metric, rate] for rate in rates]

    def best(self, metric: str, over: Over) -> str | None:
        """Name the best model if the paired test tells it from every other, else None."""
        reached = {m.name: self.scores[m.name, metric, over].value for m in self.models}
        first: str | None = None
        for name, value in reached.items():
            if better(metric, value, reached[first] if first is not None else None):
                first = name
        if first is None:
            return None
        against = {d.b if d.a == first else d.a: d for d in self.pairs(metric, over, first)}
        rivals = [name for name, value in reached.items() if value is not None and name != first]
        apart = bool(rivals) and all(r in against and told_apart(against[r]) for r in rivals)
        return first if apart else None

    def pairs(self, metric: str, over: Over, model: str) -> list[Difference]:
        """Return the comparisons of one model with the others."""
        return [d for d in self.differences.get((metric, over), []) if model in (d.a, d.b)]


def told_apart(difference: Difference) -> bool:
    """Whether the paired test, corrected for all comparisons of its metric, tells two apart."""
    return difference.p_holm is not None and difference.p_holm < LEVEL


def standings(
    models: list[ModelAnswers], about: About, over: Sequence[Over], at_rates: bool
) -> Standings:
    """Score models, and compare every pair by every metric.

    Parameters
    ----------
    models : list of ModelAnswers
        One or more.
    about : About
    over : sequence of "mean", "area", "high" or float
        How curves are summed up, for scores and comparisons.
    at_rates : bool
        Whether scores at every single missing rate are wanted, too.
    """
    singly: tuple[Over, ...] = models[0].rates if at_rates else ()
    check_comparable(models)
    weights = bootstrap_weights(units(models[0].group), about.resamples, about.seed)
    metrics = metrics_in_order(about.metric_set)
    computed = [curves(model, weights, about.metric_set) for model in models]
    reached = [
        score
        for model, of_model in zip(models, computed, strict=True)
        for score in score_curves(model, of_model, list(dict.fromkeys((*over, *singly))))
    ]
    differences: dict[tuple[str, Over], list[Difference]] = {}
    for metric in metrics:
        of_metric = [of_model[metric] for of_model in computed]
        for found in compare_curves(
            models, of_metric, about.metric_set, seed=about.seed, over=over
        ):
            differences.setdefault((metric, found.over), []).append(found)
    return Standings(
        models, metrics, {(s.model, s.metric, s.over): s for s in reached}, differences
    )
