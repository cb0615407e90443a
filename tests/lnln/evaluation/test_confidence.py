"""Intervals are compared with labels, and the answers that are kept with those left out."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pytest

from lnln.evaluation.confidence import Confidence, confidences, kept
from lnln.evaluation.summary import by_condition, results
from lnln.evaluation.table import join, slices

MakeRows = Callable[..., pa.Table]
LABELS = [-2.0, 0.0, 1.0, 3.0]


@pytest.fixture
def table(make_rows: MakeRows) -> pa.Table:
    """At r = 0 all labels are inside; at 0.5, in two draws, three of four, then one of four."""

    def rows() -> Iterator[pa.Table]:
        for model, half in (("sure", 1.0), ("none", None)):
            for rate, draw, off in (
                (0.0, 0, [0, 0, 0, 0]),
                (0.5, 0, [0, 0, 0, 2]),
                (0.5, 1, [0, 2, 2, 2]),
            ):
                said = np.array(LABELS) + off
                ends = None if half is None else (said - half, said + half, 0.9)
                yield make_rows(
                    LABELS, said, model=model, condition=("random", rate, draw), intervals=ends
                )

    return join(rows())


def found(table: pa.Table, resamples: int = 50) -> list[Confidence]:
    return confidences(slices(table), "random", [0.0, 0.5], seed=1, resamples=resamples)


def test_share_of_labels_inside_is_a_mean_over_draws(table: pa.Table) -> None:
    (only,) = found(table)  # a model without intervals has no place here
    assert (only.model, only.level) == ("sure", 0.9)
    assert [(at.rate, at.covered, at.width) for at in only.rates] == [
        (0.0, 1.0, 2.0),
        (0.5, 0.5, 2.0),
    ]
    low, high = only.rates[1].covered_interval or (0, 0)
    assert low <= 0.5 <= high and low < high
    assert only.asdict()["covered"] == 0.75


def test_without_resamples_there_is_no_interval_of_the_share(table: pa.Table) -> None:
    assert [at.covered_interval for at in found(table, resamples=0)[0].rates] == [None, None]


def test_clip_with_nothing_left_does_not_count(make_rows: MakeRows) -> None:
    ends = (np.array([0.0, 5.0]), np.array([2.0, 6.0]), 0.8)
    own = {"condition": ("random", 0.0, 0), "intervals": ends}
    rows = make_rows([1.0, 1.0], [1.0, 5.5], observed=[True, False], **own)
    nothing = make_rows(
        [1.0, 1.0], [1.0, 5.5], observed=[False, False], **own | {"condition": ("random", 0.5, 0)}
    )
    (only,) = found(join([rows, nothing]))
    assert [(at.rate, at.covered) for at in only.rates] == [(0.0, 1.0)]
    assert only.kept[0].mae == 0


def test_least_confident_answers_go_first() -> None:
    width, error = np.array([4.0, 1.0, 2.0, 3.0]), np.array([8.0, 1.0, 2.0, 5.0])
    inside = np.array([0.0, 1.0, 1.0, 1.0])
    rows = kept(width, error, inside, np.ones(4), [1.0, 0.75, 0.5, 0.25])
    assert [row.mae for row in rows] == pytest.approx([4, 8 / 3, 1.5, 1])
    assert [row.covered for row in rows] == pytest.approx([0.75, 1, 1, 1])
    assert [row.width for row in rows] == [4, 3, 2, 1]


def test_order_of_equally_wide_intervals_does_not_count() -> None:
    width, error = np.array([2.0, 2.0, 2.0, 5.0]), np.array([0.0, 3.0, 6.0, 9.0])
    for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
        rows = kept(width[order], error[order], np.ones(4), np.ones(4), [0.75, 0.25])
        assert [row.mae for row in rows] == pytest.approx([3, 3])


def test_every_rate_counts_the_same_whatever_the_draws(table: pa.Table) -> None:
    (only,) = found(table)
    # r = 0: no error. r = 0.5: 2 of one of four, then of three of four, a mean of 1.
    assert only.kept[0].mae == pytest.approx(0.5)


def test_results_have_it_by_model(table: pa.Table) -> None:
    answers = list(slices(table))
    told = results(
        answers,
        by_condition(answers, "mosi"),
        "mosi",
        pattern="random",
        missing_rate=0.5,
        rates=[0.0, 0.5],
        seed=0,
        resamples=10,
    )["confidence"]
    assert list(told) == ["sure"]
    assert told["sure"]["level"] == 0.9 and told["sure"]["width"] == 2
    assert [row["rate"] for row in told["sure"]["rates"]] == [0.0, 0.5]
