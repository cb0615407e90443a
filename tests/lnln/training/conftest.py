"""A training on a tiny corpus that takes a moment."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lnln.settings import TrainSettings
from lnln.training.run import Trained, train

FAST = TrainSettings(epochs=3, batch_size=8, learning_rate=3e-3)


@pytest.fixture(scope="module")
def inputs(make_inputs: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_inputs()


@pytest.fixture
def run(inputs: dict[str, Any]) -> Callable[..., Trained]:
    def run(settings: TrainSettings = FAST, **changed: Any) -> Trained:
        return train(**inputs | {"settings": settings} | changed)

    return run


def same_weights(a: Trained, b: Trained) -> bool:
    first, second = a.model.state_dict(), b.model.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)
