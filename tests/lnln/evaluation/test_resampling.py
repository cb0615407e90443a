"""Groups are drawn whole, and resamples repeat."""

from collections.abc import Callable

import numpy as np
import pytest

from lnln.evaluation.resampling import bootstrap_weights, exchanges, percentiles, units

Draw = Callable[..., np.ndarray]
GROUPS = [f"video {i % 12}" for i in range(60)]


def test_many_groups_are_drawn_and_of_few_the_single_clips() -> None:
    assert units(GROUPS).kind == "group" and units(GROUPS).count == 12
    for few in (["one"] * 60, [str(i % 9) for i in range(60)]):
        assert units(few).kind == "clip" and units(few).count == 60
    assert units([str(i) for i in range(60)]).count == 60


def test_clips_of_a_group_are_drawn_together_and_as_many_groups_as_there_are() -> None:
    weights = bootstrap_weights(units(GROUPS), 200, seed=1)
    assert weights.shape == (60, 201)
    assert (weights[:, 0] == 1).all()
    by_group = weights.reshape(5, 12, 201)
    assert (by_group == by_group[0]).all()
    assert (by_group[0].sum(axis=0) == 12).all()
    assert by_group[0].mean() == pytest.approx(1)


def test_answers_of_a_group_are_exchanged_together_and_half_of_the_time() -> None:
    tossed = exchanges(units(GROUPS), 500, seed=1)
    assert not tossed[:, 0].any()
    by_group = tossed.reshape(5, 12, 501)
    assert (by_group == by_group[0]).all()
    assert set(np.unique(tossed)) == {0, 1}
    assert tossed[:, 1:].mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("draw", [bootstrap_weights, exchanges])
def test_same_seed_draws_the_same_and_another_seed_others(draw: Draw) -> None:
    first, again, other = (draw(units(GROUPS), 20, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_percentiles_leave_undefined_resamples_out() -> None:
    values = np.array([np.nan, *np.linspace(0, 1, 1001), np.nan])
    assert percentiles(values) == pytest.approx((0.025, 0.975))
    assert percentiles(np.array([np.nan])) is None
    assert percentiles(np.array([])) is None
