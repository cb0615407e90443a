"""How sure an answer is: its interval, answers withheld, and w where it was learned."""

import re
from collections.abc import Callable
from types import SimpleNamespace

import pyarrow as pa
import pytest

from lnln import predict
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.checkpoints.config import CheckpointError
from lnln.data.features import FeatureSet
from lnln.data.reading import from_tables
from lnln.prediction_table import to_table


def test_prediction_lies_in_its_interval_which_depends_on_what_was_observed(
    sure: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    a, b, c, d = predict(SimpleNamespace(**tables), sure)
    for answer in (a, b):
        assert answer.low == max(answer.prediction - 1.5, -3)
        assert answer.high == min(answer.prediction + 1.5, 3)
        assert answer.confidence == pytest.approx(1 - (answer.high - answer.low) / 6)
    assert (c.low, c.high, c.confidence) == (-3, 3, 0)
    assert (d.low, d.high, d.confidence) == (None, None, None)


def test_less_confident_predictions_are_withheld_and_say_how_sure_they_were(
    sure: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    open_answers = predict(SimpleNamespace(**tables), sure)
    a, b, c, d = predict(SimpleNamespace(**tables), sure, min_confidence=0.3)
    assert [a, b, d] == [open_answers[0], open_answers[1], open_answers[3]]
    assert (c.prediction, c.low, c.high, c.w, c.confidence) == (None, None, None, None, 0)
    assert c.warnings[0] == "withheld: its confidence of 0.00 is below 0.3"
    assert c.warnings[1:] == open_answers[2].warnings


def test_older_checkpoint_answers_without_intervals_and_refuses_to_be_asked_for_confidence(
    model: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    answer = predict(SimpleNamespace(**tables), model)[0]
    assert answer.prediction is not None
    assert (answer.low, answer.high, answer.confidence) == (None, None, None)
    with pytest.raises(CheckpointError, match="does not know how sure it is"):
        predict(SimpleNamespace(**tables), model, min_confidence=0.3)


@pytest.mark.parametrize("asked", [-0.1, 1.1, float("nan")])
def test_confidence_beyond_0_to_1_is_refused(
    sure: Checkpoint, tables: dict[str, pa.Table], asked: float
) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        predict(SimpleNamespace(**tables), sure, min_confidence=asked)


def test_table_has_the_intervals(sure: Checkpoint, tables: dict[str, pa.Table]) -> None:
    answers = predict(SimpleNamespace(**tables), sure)
    table = to_table(answers)
    for name in ("low", "high", "confidence"):
        assert table[name].to_pylist() == [getattr(answer, name) for answer in answers]


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({}, "never compared"),
        ({"validation": {"w_mae": 0.3, "w_corr": -0.05}}, "correlation -0.05.*error 0.30"),
        ({"validation": {"w_mae": 0.05, "w_corr": None}}, "correlation none, it is constant"),
        ({"validation": {"w_mae": 0.1, "w_corr": 0.9}}, "less than 0.1 is needed"),
        ({"validation": {"w_mae": 0.05, "w_corr": 0.79}}, "at least 0.8 is needed"),
    ],
)
def test_w_that_was_not_learned_is_not_shown_and_the_reason_is(
    make_set: Callable[..., FeatureSet],
    make_checkpoint: Callable[..., Checkpoint],
    tables: dict[str, pa.Table],
    training: dict,
    reason: str,
) -> None:
    model = make_checkpoint(make_set("train", 8), training=training)
    answers = predict(SimpleNamespace(**tables), model)
    assert [a.w for a in answers] == [None] * 4
    assert all(re.search(f"w is not shown: .*{reason}", a.warnings[-1]) for a in answers)
    assert model.predict(model.prepare(from_tables(**tables).take([0]))).w is not None
