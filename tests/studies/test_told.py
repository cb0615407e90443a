"""Scores and comparisons in words: what is undefined is told to be."""

from dataclasses import replace

import pytest

from lnln.evaluation.comparison import Difference
from lnln.evaluation.scores import Score
from studies.told import difference, find, markdown, short, told_apart, with_interval

SCORE = Score("lnln", "random", "mae", "mean", 1.2345, 0.02, 1.0, 1.5, 0.0, 2, 60, "clip", 60)
ROW = Difference(
    "ridge", "lnln", "random", "mae", "mean", 1.3, 1.2, 0.1, 0.02, 0.18, 0.0, 0.01, 0.03, 3,
    "crossed", 2, 60, "clip", 60,
)  # fmt: skip


def test_a_score_has_its_interval_and_its_spread() -> None:
    assert with_interval(SCORE) == "1.234 (1.000 to 1.500) ± 0.020"
    assert short(SCORE) == "1.234"
    assert find([SCORE], "lnln", "mae", "mean") is SCORE


def test_what_is_undefined_is_told() -> None:
    nothing = replace(SCORE, value=None, low=None, high=None, deviation=None)
    assert with_interval(nothing) == short(nothing) == "undefined"
    assert difference(replace(ROW, difference=None, p_holm=None)) == "undefined"


@pytest.mark.parametrize(
    ("p", "told", "apart"),
    [(0.03, "p = 0.030", True), (0.0001, "p < 0.001", True), (0.051, "p = 0.051", False)],
)
def test_models_are_told_apart_by_the_corrected_p(p: float, told: str, apart: bool) -> None:
    row = replace(ROW, p_holm=p)
    assert difference(row) == f"+0.100 (+0.020 to +0.180), {told}"
    assert told_apart(row) is apart


def test_a_table_has_the_columns_of_all_rows() -> None:
    table = markdown([{"model": "a", "MAE": 1}, {"model": "b", "Corr": 2}])
    assert table.splitlines() == [
        "| model | MAE | Corr |",
        "|---|---|---|",
        "| a | 1 |  |",
        "| b |  | 2 |",
    ]
