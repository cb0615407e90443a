"""Predictions made up for the tests of what is computed from them."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest

from lnln.evaluation.table import Condition, answers
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
        **own: Own,
    ) -> pa.Table:
        count = len(labels)
        clips = pa.table(
            {
                "clip_id": [chr(ord("a") + i) for i in range(count)],
                "group": ["g"] * count,
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
        )

    return make
