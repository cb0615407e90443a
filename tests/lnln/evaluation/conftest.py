"""Predictions made up for the tests of what is computed from them."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest

from lnln.evaluation.by_model import ModelAnswers, by_model
from lnln.evaluation.table import Condition, answers, join
from lnln.models.interface import Scores

Own = Sequence[float | None]


@pytest.fixture(scope="session")
def make_rows() -> Callable[..., pa.Table]:
    """Make the rows of one model under one condition, the clips being a, b, c, ...

    `make_rows(labels, predictions, model="m", seed=1, condition=("random", 0.5, 0), w=[...])`
    """

    def make(
        labels: Sequence[float],
        predictions: Sequence[float],
        *,
        model: str = "m",
        seed: int = 1,
        condition: tuple[str, float, int] = ("random", 0.5, 0),
        w: Sequence[float] | None = None,
        completeness: Sequence[float] | None = None,
        observed: Sequence[bool] | None = None,
        groups: Sequence[str] | None = None,
        intervals: tuple[np.ndarray, np.ndarray, float] | None = None,
        **own: Own,
    ) -> pa.Table:
        count = len(labels)
        clips = pa.table(
            {
                "clip_id": [chr(ord("a") + i) for i in range(count)],
                "group": ["g"] * count if groups is None else list(groups),
                "label": pa.array(labels, pa.float32()),
                **{
                    name: pa.array(own.get(name, [None] * count), pa.float32())
                    for name in ("label_t", "label_a", "label_v")
                },
            }
        )
        return answers(
            model,
            seed,
            Condition(*condition),
            clips,
            Scores(np.array(predictions, float), None if w is None else np.array(w, float)),
            np.ones(count) if completeness is None else np.array(completeness, float),
            np.ones(count, bool) if observed is None else np.array(observed, bool),
            intervals,
        )

    return make


@pytest.fixture(scope="session")
def make_answers(make_rows: Callable[..., pa.Table]) -> Callable[..., ModelAnswers]:
    """Make the answers of one model: noise around labels between -3 and 3, more at higher rates.

    `make_answers(name="m", clips=40, seeds=1, rates=(0.0, 0.5, 0.9), draws=2, groups=None)`
    """

    def make(
        name: str = "m",
        *,
        clips: int = 40,
        seeds: int = 1,
        rates: Sequence[float] = (0.0, 0.5, 0.9),
        draws: int = 2,
        groups: Sequence[str] | None = None,
    ) -> ModelAnswers:
        random = np.random.default_rng(clips)
        labels = np.round(random.uniform(-3, 3, clips), 1)
        rows = [
            make_rows(
                labels,
                labels + random.normal(size=clips) * (0.5 + rate),
                model=name,
                seed=seed,
                condition=("random", rate, draw),
                groups=groups,
            )
            for seed in range(1, seeds + 1)
            for rate in rates
            for draw in range(draws if rate else 1)
        ]
        (answers,) = by_model(join(rows), "random")
        return answers

    return make
