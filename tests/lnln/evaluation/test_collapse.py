"""A model that answers a constant is told from one that answers."""

from collections.abc import Callable

import numpy as np
import pytest

from lnln.evaluation.by_model import ModelAnswers
from lnln.evaluation.collapse import LIMIT, Collapse, collapsed_rates, collapses

MakeAnswers = Callable[..., ModelAnswers]


def check(model: ModelAnswers) -> dict[float, Collapse]:
    return {row.rate: row for row in collapses([model])}


def test_good_model_is_not_marked_and_its_spread_is_that_of_its_answers(
    make_answers: MakeAnswers,
) -> None:
    model = make_answers(seeds=2, rates=(0.0, 0.5), draws=2)
    found = check(model)
    assert collapsed_rates(list(found.values())) == {"m": []}
    spreads = model.prediction[:, 1:].std(axis=-1)
    assert found[0.5].spread == pytest.approx(spreads.mean())
    assert found[0.5].relative_spread == pytest.approx(spreads.mean() / model.label.std())
    errors = np.abs(model.prediction[:, 1:] - model.label)
    of_median = np.abs(model.label - np.median(model.label)).mean()
    assert found[0.5].mae_ratio == pytest.approx(errors.mean() / of_median)


@pytest.mark.parametrize("answer", [0.0, 0.3, -1.0])
def test_constant_is_marked_everywhere(make_answers: MakeAnswers, answer: float) -> None:
    model = make_answers(seeds=2)
    model.prediction[:] = answer
    for row in check(model).values():
        assert (row.collapsed, row.collapsed_seeds, row.spread) == (True, model.seeds, 0)
        assert row.mae_ratio >= 1


def test_median_of_the_labels_is_the_best_constant(make_answers: MakeAnswers) -> None:
    model = make_answers()
    model.prediction[:] = np.median(model.label)
    assert all(row.mae_ratio == pytest.approx(1) for row in check(model).values())


def test_model_that_collapses_at_high_rates_is_marked_at_these(make_answers: MakeAnswers) -> None:
    model = make_answers(rates=(0.0, 0.5, 0.8, 0.9), draws=2)
    for place, (rate, _) in enumerate(model.conditions):
        if rate >= 0.8:
            model.prediction[:, place] = 0.1 + 1e-3 * model.prediction[:, place]
    assert collapsed_rates(collapses([model])) == {"m": [0.8, 0.9]}


def test_faint_answers_are_kept_apart_from_none_by_the_limit(make_answers: MakeAnswers) -> None:
    model = make_answers()
    for share, collapsed in ((0.9 * LIMIT, True), (1.1 * LIMIT, False)):
        model.prediction[:] = share * model.label
        assert {row.collapsed for row in check(model).values()} == {collapsed}
        assert check(model)[0.5].relative_spread == pytest.approx(share)


def test_one_seed_that_collapsed_is_named_though_the_mean_has_not(
    make_answers: MakeAnswers,
) -> None:
    model = make_answers(seeds=3)
    model.prediction[1] = 0.2
    row = check(model)[0.5]
    assert (row.collapsed, row.collapsed_seeds) == (False, (2,))


def test_labels_that_are_all_the_same_leave_nothing_to_compare_with(
    make_answers: MakeAnswers,
) -> None:
    model = make_answers()
    model.label[:] = 1.0
    row = check(model)[0.5]
    assert (row.relative_spread, row.mae_ratio, row.collapsed) == (None, None, False)
