"""What choosing the epoch on the test split would be worth, told as wrong."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from lnln.evaluation.epochs import EPOCH_PREDICTIONS, WRONG, WrongChoice, if_chosen_on_test
from lnln.evaluation.metrics import compute, metric_names
from lnln.evaluation.table import join

MakeRows = Callable[..., pa.Table]
MakeTable = Callable[..., pa.Table]
LABELS = np.array([-2.0, -1.0, 0.0, 1.0, 3.0])
RATES = (0.0, 0.5)


def said(seed: int, epoch: int, rate: float) -> np.ndarray:
    random = np.random.default_rng([seed, epoch, int(10 * rate)])
    return (LABELS + random.normal(size=5)).astype(np.float32)


@pytest.fixture
def by_epoch(make_rows: MakeRows) -> MakeTable:
    """Predictions of epochs 1 to 4 by seed; the epoch that validation chose is 2."""

    def make(epochs: dict[int, int], chosen: tuple[int, ...] = (2,), constant: int = 0) -> pa.Table:
        parts = []
        for seed, last in epochs.items():
            for epoch in range(1, last + 1):
                rows = join(
                    make_rows(
                        LABELS,
                        np.ones(5) if epoch == constant else said(seed, epoch, rate),
                        seed=seed,
                        condition=("random", rate, 0),
                    )
                    for rate in RATES
                )
                rows = rows.append_column(
                    EPOCH_PREDICTIONS.field("epoch"), pa.repeat(pa.scalar(epoch, pa.int32()), 10)
                )
                parts.append(
                    rows.append_column(
                        EPOCH_PREDICTIONS.field("chosen"), pa.repeat(epoch in chosen, 10)
                    )
                )
        return pa.concat_tables(parts).unify_dictionaries()

    return make


def test_best_of_the_test_split_stands_beside_the_epoch_of_validation(by_epoch: MakeTable) -> None:
    found = if_chosen_on_test(by_epoch({1: 4, 2: 3}), "mosi", "random")
    assert [(r.metric, r.seed) for r in found] == [
        (metric, seed) for metric in metric_names("mosi") for seed in (1, 2, None)
    ]
    for row in found:
        if row.seed is None:
            continue
        reached = {
            epoch: np.mean(
                [compute(LABELS, said(row.seed, epoch, r), "mosi")[row.metric] for r in RATES]
            )
            for epoch in range(1, {1: 4, 2: 3}[row.seed] + 1)
        }
        assert (row.epoch, row.value) == (2, pytest.approx(reached[2]))
        best = (min if row.metric == "mae" else max)(reached.values())
        assert row.wrong_value == pytest.approx(best)
        assert reached[row.wrong_epoch] == pytest.approx(best)
        assert row.gain == pytest.approx(best - reached[2])


def test_mean_over_seeds_follows_its_seeds(by_epoch: MakeTable) -> None:
    found = if_chosen_on_test(by_epoch({1: 4, 2: 4}), "mosi", "random", [0.5])
    one, two, both = [row for row in found if row.metric == "mae"]
    for name in ("value", "wrong_value", "gain"):
        expected = (getattr(one, name) + getattr(two, name)) / 2
        assert getattr(both, name) == pytest.approx(expected)
    assert (both.seed, both.epoch, both.wrong_epoch) == (None, None, None)
    assert both.gain <= 0


def test_undefined_epochs_are_the_worst_and_are_told(by_epoch: MakeTable) -> None:
    corr = [
        row
        for row in if_chosen_on_test(by_epoch({1: 3}, constant=2), "mosi", "random")
        if row.metric == "corr"
    ]
    assert corr[0].value is None and corr[0].gain is None
    assert corr[0].wrong_epoch in (1, 3)
    assert corr[1] == WrongChoice(
        "m", None, "random", "corr", None, None, corr[0].wrong_value, None, None
    )


def test_tie_goes_to_the_first_epoch(by_epoch: MakeTable) -> None:
    table = by_epoch({1: 3})
    same = table.set_column(
        table.schema.get_field_index("prediction"),
        EPOCH_PREDICTIONS.field("prediction"),
        pa.array(np.tile(LABELS, 6), pa.float32()),
    )
    assert {r.wrong_epoch for r in if_chosen_on_test(same, "mosi", "random") if r.seed} == {1}


@pytest.mark.parametrize("chosen", [(), (1, 2)])
def test_one_epoch_must_have_been_chosen_on_validation(
    by_epoch: MakeTable, chosen: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=f"m, seed 1: {len(chosen)} epochs are marked as chosen"):
        if_chosen_on_test(by_epoch({1: 3}, chosen=chosen), "mosi", "random")


def test_table_without_epochs_is_refused(make_rows: MakeRows) -> None:
    with pytest.raises(ValueError, match="lacking: epoch, chosen"):
        if_chosen_on_test(make_rows(LABELS, LABELS), "mosi", "random")


def test_it_is_called_wrong() -> None:
    assert "wrong" in WRONG and "wrong_value" in WrongChoice.__dataclass_fields__
