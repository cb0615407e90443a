"""What a comparison says, in words."""

from typing import Any

import pytest

from lnln.evaluation.comparison import Difference
from pipeline.report.comparison import collapse_mark, of_rates, p_value, sentence

RATES = [0.0, 0.4, 0.5, 0.9]


def difference(**changes: Any) -> Difference:
    values: dict[str, Any] = {
        "a": "lnln",
        "b": "ridge",
        "pattern": "random",
        "metric": "mae",
        "over": "mean",
        "value_a": 1.0,
        "value_b": 1.03,
        "difference": -0.03,
        "low": -0.05,
        "high": -0.01,
        "undefined": 0.0,
        "p": 0.0013,
        "p_holm": 0.004,
        "comparisons": 3,
        "test": "crossed",
        "seeds": 3,
        "clips": 686,
        "unit": "group",
        "units": 31,
    }
    return Difference(**values | changes)


def test_a_difference_is_told_with_its_interval_and_the_corrected_p() -> None:
    assert sentence(difference()) == (
        "lnln's MAE is 0.030 lower than ridge's (95 % interval -0.050 to -0.010; p = .004 after "
        "Holm's correction over 3 comparisons)."
    )
    assert sentence(difference(difference=0.2, low=0.1, high=0.3, comparisons=1, metric="f1")) == (
        "lnln's F1 is 0.200 higher than ridge's (95 % interval 0.100 to 0.300; p = .004)."
    )


def test_no_difference_is_told_as_one_that_the_test_cannot_tell() -> None:
    text = sentence(difference(p=0.1, p_holm=0.3, high=0.01))
    assert text.startswith("lnln and ridge: no difference in MAE that this test can tell (0.030 ")
    # Before the correction it would have been one.
    assert "no difference" in sentence(difference(p=0.02, p_holm=0.06))


def test_undefined_metric_is_told_and_of_whom() -> None:
    nothing = {"difference": None, "low": None, "high": None, "p": None, "p_holm": None}
    row = difference(metric="corr", value_b=None, undefined=1.0, **nothing)
    assert sentence(row) == "lnln and ridge cannot be compared in Corr: it is undefined for ridge."
    both = difference(metric="corr", value_a=None, value_b=None, **nothing)
    assert sentence(both).endswith("it is undefined for lnln and ridge.")


def test_share_of_undefined_resamples_stands_beside_the_interval() -> None:
    assert "-0.050 to -0.010 (12% undefined)" in sentence(difference(undefined=0.12))


def test_p_is_never_written_as_zero() -> None:
    assert [p_value(p) for p in (0.0001, 0.001, 0.0499, 0.5, 1.0)] == [
        "p < .001",
        "p = .001",
        "p = .050",
        "p = .500",
        "p = 1.000",
    ]


@pytest.mark.parametrize(
    ("over", "text"),
    [
        ("mean", "mean over r = 0, 0.4, 0.5, 0.9"),
        ("high", "mean over r = 0.5, 0.9"),
        ("area", "area under the curve from r = 0 to 0.9"),
        (0.4, "at r = 0.4"),
    ],
)
def test_how_a_curve_is_summed_up_is_said(over: Any, text: str) -> None:
    assert of_rates(over, RATES) == text


def test_collapse_is_marked_where_it_is() -> None:
    assert collapse_mark([], RATES) == ""
    assert collapse_mark(RATES, RATES) == "at every r"
    assert collapse_mark([0.5, 0.9], RATES) == "at r = 0.5, 0.9"
