"""How metrics are called in the report."""

from lnln.evaluation.metrics import LOWER_IS_BETTER, metric_names
from lnln.evaluation.summary import SPREAD
from lnln.settings import MetricSet

TITLES = {
    "acc7": "Acc-7",
    "acc5": "Acc-5",
    "acc3": "Acc-3",
    "acc2": "Acc-2",
    "f1": "F1",
    "acc2_with_zero": "Acc-2, with 0",
    "f1_with_zero": "F1, with 0",
    "acc2_without_zero": "Acc-2, without 0",
    "f1_without_zero": "F1, without 0",
    "mae": "MAE",
    "corr": "Corr",
}


def metrics_in_order(metric_set: MetricSet) -> list[str]:
    """Name the metrics of a set, those that hardly depend on classes first."""
    return [*SPREAD, *(name for name in metric_names(metric_set) if name not in SPREAD)]


def title(metric: str) -> str:
    """Name a metric, with an arrow to where it is better."""
    return f"{TITLES[metric]} {'↓' if metric in LOWER_IS_BETTER else '↑'}"
