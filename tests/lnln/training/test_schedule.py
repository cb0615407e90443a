"""The learning rate of the paper, step by step, and of the published code, epoch by epoch."""

from itertools import pairwise

import pytest

from lnln.settings import TrainSettings
from lnln.training.schedule import learning_rate

SETTINGS = TrainSettings(epochs=20, learning_rate=1.0, warmup=0.1)


def paper(step: int) -> float:
    return learning_rate(SETTINGS, "paper", step, steps=10)


def official(epoch: int, step: int = 0) -> float:
    return learning_rate(SETTINGS, "official", (epoch - 1) * 10 + step, steps=10)


def test_paper_rises_over_a_tenth_of_the_steps_then_falls_to_zero() -> None:
    rates = [paper(step) for step in range(200)]
    assert rates[:3] == pytest.approx([0.05, 0.1, 0.15])
    assert rates[19] == rates[20] == 1.0
    assert all(a > b for a, b in pairwise(rates[20:]))
    assert rates[110] == pytest.approx(0.5)
    assert 0 < rates[199] < 1e-3


def test_official_moves_once_an_epoch_from_zero_and_holds_its_peak_for_two() -> None:
    rates = [official(epoch) for epoch in range(1, 21)]
    assert rates[:4] == [0.0, 0.5, 1.0, 1.0]
    assert all(a > b > 0 for a, b in pairwise(rates[3:]))
    assert official(5, step=9) == official(5)


@pytest.mark.parametrize("variant", ["paper", "official"])
def test_no_warm_up_starts_at_the_peak(variant: str) -> None:
    settings = SETTINGS.model_copy(update={"warmup": 0.0})
    assert learning_rate(settings, variant, 0, steps=10) == 1.0


@pytest.mark.parametrize("variant", ["paper", "official"])
def test_one_step_in_all_has_a_rate(variant: str) -> None:
    settings = TrainSettings(epochs=1, learning_rate=1.0, warmup=0.1)
    assert 0 <= learning_rate(settings, variant, 0, steps=1) <= 1
