"""The learning rate of the paper, step by step, and of the published code, epoch by epoch."""

from itertools import pairwise

import pytest

from lnln.models.lnln.settings import VARIANTS, Variant
from lnln.settings import TrainSettings
from lnln.training.schedule import learning_rate

SETTINGS = TrainSettings(epochs=20, learning_rate=1.0, warmup=0.1)


def by_step(step: int) -> float:
    return learning_rate(SETTINGS, "step", step, steps=10)


def by_epoch(epoch: int, step: int = 0) -> float:
    return learning_rate(SETTINGS, "epoch", (epoch - 1) * 10 + step, steps=10)


def test_rate_of_a_step_rises_over_a_tenth_of_the_steps_then_falls_to_zero() -> None:
    rates = [by_step(step) for step in range(200)]
    assert rates[:3] == pytest.approx([0.05, 0.1, 0.15])
    assert rates[19] == rates[20] == 1.0
    assert all(a > b for a, b in pairwise(rates[20:]))
    assert rates[110] == pytest.approx(0.5)
    assert 0 < rates[199] < 1e-3


def test_rate_of_an_epoch_moves_once_from_zero_and_holds_its_peak_for_two() -> None:
    rates = [by_epoch(epoch) for epoch in range(1, 21)]
    assert rates[:4] == [0.0, 0.5, 1.0, 1.0]
    assert all(a > b > 0 for a, b in pairwise(rates[3:]))
    assert by_epoch(5, step=9) == by_epoch(5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_warm_up_starts_at_the_peak(variant: Variant) -> None:
    settings = SETTINGS.model_copy(update={"warmup": 0.0})
    assert learning_rate(settings, VARIANTS[variant].schedule, 0, steps=10) == 1.0


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_step_in_all_has_a_rate(variant: Variant) -> None:
    settings = TrainSettings(epochs=1, learning_rate=1.0, warmup=0.1)
    assert 0 <= learning_rate(settings, VARIANTS[variant].schedule, 0, steps=1) <= 1
