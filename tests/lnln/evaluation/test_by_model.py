"""Answers are arranged by model, and what does not belong together is refused by name."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from lnln.evaluation.by_model import MismatchError, ModelAnswers, by_model, check_comparable
from lnln.evaluation.table import join

MakeRows = Callable[..., pa.Table]
LABELS = [1.0, -1.0, 2.0]


@pytest.fixture
def answers(make_rows: MakeRows) -> Callable[..., ModelAnswers]:
    """Answers of one model; `rates`, `draws`, `seeds`, `labels`, `completeness` as a test needs."""

    def make(
        name: str = "m",
        *,
        labels: list[float] = LABELS,
        rates: tuple[float, ...] = (0.0, 0.5),
        draws: int = 2,
        seeds: tuple[int, ...] = (1,),
        pattern: str = "random",
        completeness: float = 0.5,
    ) -> ModelAnswers:
        rows = [
            make_rows(
                labels,
                [seed + rate + draw] * len(labels),
                model=name,
                seed=seed,
                condition=(pattern, rate, draw),
                completeness=[completeness] * len(labels),
            )
            for seed in seeds
            for rate in rates
            for draw in range(draws if rate else 1)
        ]
        (found,) = by_model(join(rows), pattern)
        return found

    return make


def test_answers_stand_by_seed_condition_and_clip(answers: Callable[..., ModelAnswers]) -> None:
    found = answers(seeds=(20, 10), rates=(0.5, 0.0))
    assert (found.seeds, found.rates) == ((10, 20), (0.0, 0.5))
    assert found.conditions == ((0.0, 0), (0.5, 0), (0.5, 1))
    assert found.prediction[:, :, 0].tolist() == [[10, 10.5, 11.5], [20, 20.5, 21.5]]
    assert found.clip_id.tolist() == ["a", "b", "c"]


def test_other_patterns_and_rates_are_left_out(make_rows: MakeRows) -> None:
    table = join(
        make_rows(LABELS, LABELS, condition=(pattern, rate, 0))
        for pattern in ("random", "block")
        for rate in (0.0, 0.5, 0.9)
    )
    (found,) = by_model(table, "block", [0.0, 0.9])
    assert (found.pattern, found.rates) == ("block", (0.0, 0.9))
    assert by_model(table, "no_text") == []


def test_seed_that_was_asked_otherwise_is_refused(make_rows: MakeRows) -> None:
    rows = [
        make_rows(LABELS, LABELS, seed=seed, condition=("random", rate, 0))
        for seed, rate in ((1, 0.0), (1, 0.5), (2, 0.0))
    ]
    with pytest.raises(MismatchError, match=r"only m, seed 1 has r = 0\.5 \(draw 0\)"):
        by_model(join(rows), "random")


def test_clip_that_stands_twice_is_refused(make_rows: MakeRows) -> None:
    rows = make_rows(LABELS, LABELS)
    with pytest.raises(MismatchError, match="m: a clip stands twice"):
        by_model(join([rows, rows]), "random")


def test_clips_that_a_condition_lacks_are_named(make_rows: MakeRows) -> None:
    rows = [
        make_rows(LABELS, LABELS),
        make_rows(LABELS[:2], LABELS[:2], condition=("random", 0.5, 1)),
    ]
    with pytest.raises(MismatchError, match="only m, seed 1 has c"):
        by_model(join(rows), "random")


def test_value_that_is_no_number_is_refused(make_rows: MakeRows) -> None:
    with pytest.raises(ValueError, match=r"m, seed 1, r = 0\.5, draw 0: .* not a finite number"):
        by_model(make_rows(LABELS, [1.0, float("nan"), 2.0]), "random")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": LABELS[:2]}, "not asked about the same clips: only a has c$"),
        ({"labels": [1.0, -2.0, 2.0]}, r"other labels: of 1 clips, b first \(-1 and -2\)"),
        ({"rates": (0.0, 0.9)}, r"only a has r = 0\.5 \(draw 0\).*; only b has r = 0\.9"),
        ({"draws": 1}, r"conditions: only a has r = 0\.5 \(draw 1\)"),
        ({"seeds": (1, 2)}, "a was trained with 1 seeds, b with 2"),
        ({"pattern": "block"}, "under the pattern random, b under block"),
    ],
)
def test_models_that_were_not_asked_the_same_are_refused_saying_what_differs(
    answers: Callable[..., ModelAnswers], changes: dict, message: str
) -> None:
    with pytest.raises(MismatchError, match=message):
        check_comparable([answers("a"), answers("b", **changes)])


def test_many_differences_are_counted_not_listed(answers: Callable[..., ModelAnswers]) -> None:
    with pytest.raises(MismatchError, match="only a has d, e, f and 4 more"):
        check_comparable([answers("a", labels=[1.0] * 10), answers("b", labels=[1.0] * 3)])


def test_other_masks_are_told_and_other_seeds_are_paired(
    answers: Callable[..., ModelAnswers],
) -> None:
    assert check_comparable([answers("a"), answers("b", seeds=(7,))]) == []
    (note,) = check_comparable([answers("a"), answers("b", completeness=0.4)])
    assert note.startswith("a and b were asked under other masks")


def test_order_of_rows_makes_no_difference(
    answers: Callable[..., ModelAnswers], make_rows: MakeRows
) -> None:
    table = make_rows(LABELS, [3.0, 2.0, 1.0])
    (straight,), (reversed_,) = (
        by_model(rows, "random") for rows in (table, table.take([2, 1, 0]))
    )
    assert np.array_equal(straight.prediction, reversed_.prediction)
    assert check_comparable([straight, replace(reversed_, name="other")]) == []
