"""Intervals hold the share of labels that they are to hold, however clips repeat or are few."""

import math

import numpy as np
import pytest

from lnln.checkpoints.intervals import (
    BINS,
    FEWEST_CLIPS,
    Calibration,
    Intervals,
    confidence,
    quantile,
)

RANGE = (-3.0, 3.0)


def answers(
    clips: int,
    masks: int = 1,
    seed: int = 0,
    noise: tuple[float, float] = (0.5, 0.5),
    share: float | None = None,
) -> Calibration:
    """Labels around predictions: `noise` where all is observed, and where nothing is.

    Errors under the masks of a clip are correlated, as those of a real model.
    """
    random = np.random.default_rng(seed)
    shares = (
        random.uniform(0.01, 1, (clips, masks)) if share is None else np.full((clips, masks), share)
    )
    scale = noise[0] * shares + noise[1] * (1 - shares)
    errors = scale * (random.normal(size=(clips, 1)) + 0.3 * random.normal(size=(clips, masks)))
    labels = np.repeat(random.uniform(-1, 1, clips), masks)
    names = np.repeat([f"c{i}" for i in range(clips)], masks)
    return Calibration(names, labels, labels + errors.ravel(), shares.ravel())


def held(intervals: Intervals, new: Calibration) -> float:
    low, high = intervals.around(new.prediction, new.share, RANGE)
    return float(((low <= new.label) & (new.label <= high)).mean())


# The quantile


@pytest.mark.parametrize("clips", [9, 10, 19, 20, 52, 99])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_one_answer_per_clip_is_the_usual_rule(clips: int, level: float) -> None:
    errors = np.random.default_rng(clips).permutation(clips) + 1.0  # 1 to n
    place = math.ceil(round((clips + 1) * level, 9))
    assert quantile(errors, np.arange(clips), level) == place


def test_too_few_clips_promise_nothing() -> None:
    assert quantile(np.ones(8), np.arange(8), 0.9) == math.inf
    assert quantile(np.ones(9), np.arange(9), 0.9) == 1
    assert quantile([], [], 0.9) == math.inf


def test_answers_to_one_clip_share_its_weight() -> None:
    # Three clips weigh 1/4 each: a has 1 and 5 (1/8 each), b has 2, c has 3.
    errors, clips = [1, 5, 2, 3], ["a", "a", "b", "c"]
    assert quantile(errors, clips, 0.125) == 1
    assert quantile(errors, clips, 0.375) == 2
    assert quantile(errors, clips, 0.5) == 3
    assert quantile(errors, clips, 0.75) == 5
    assert quantile(errors, clips, 0.76) == math.inf


def test_repeating_every_answer_changes_nothing() -> None:
    errors, clips = np.arange(30.0), np.arange(30)
    assert quantile(np.tile(errors, 3), np.tile(clips, 3), 0.9) == quantile(errors, clips, 0.9)


# Bins


def test_where_less_is_observed_and_errors_are_greater_intervals_are_wider() -> None:
    intervals = Intervals.fit(answers(400, masks=6, noise=(0.2, 1.0)), 0.9, RANGE)
    assert intervals.edges == (0.2, 0.4, 0.6, 0.8)
    assert list(intervals.half_widths) == sorted(intervals.half_widths, reverse=True)
    assert intervals.half_widths[0] > 2 * intervals.half_widths[-1]
    low, high = intervals.around([0.0, 0.0, 0.0], [0.19, 0.2, 1.0], RANGE)
    widths = [2 * intervals.half_widths[place] for place in (0, 1, BINS - 1)]
    assert (high - low).tolist() == pytest.approx(widths)


def test_bin_with_too_few_clips_joins_its_neighbour() -> None:
    few, many = answers(FEWEST_CLIPS - 1, share=0.1), answers(3 * FEWEST_CLIPS, share=0.9)
    both = Calibration(*(np.concatenate(pair) for pair in zip(few, many, strict=True)))
    assert Intervals.fit(both, 0.9, RANGE).edges == ()
    # The same clips asked about more often are no more clips.
    often = Calibration(*(np.concatenate([column] * 5) for column in both))
    assert Intervals.fit(often, 0.9, RANGE).edges == ()
    enough = answers(FEWEST_CLIPS, share=0.1)
    both = Calibration(*(np.concatenate(pair) for pair in zip(enough, many, strict=True)))
    found = Intervals.fit(both, 0.9, RANGE)
    assert found.edges == (0.2,)
    assert found.clips == (FEWEST_CLIPS, 3 * FEWEST_CLIPS)


def test_errors_do_not_move_the_bins() -> None:
    one = answers(100, masks=3)
    other = one._replace(label=np.random.default_rng(9).permutation(one.label))
    assert Intervals.fit(one, 0.9, RANGE).edges == Intervals.fit(other, 0.9, RANGE).edges


@pytest.mark.parametrize("clips", [0, 1, 8])
def test_with_hardly_any_clips_the_interval_is_the_whole_scale(clips: int) -> None:
    intervals = Intervals.fit(answers(clips, masks=4), 0.9, RANGE)
    assert intervals.around([2.5], [0.3], RANGE) == (pytest.approx([-3]), pytest.approx([3]))


# Coverage


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_exchangeable_clips_are_held_as_often_as_promised(level: float) -> None:
    """Over many calibrations, the share held is at least the level, and hardly more."""
    clips, repeats, new = 60, 300, 20
    shares = []
    for seed in range(repeats):
        data = answers(clips + new, seed=seed)
        known, unknown = ([c[s] for c in data] for s in (slice(clips), slice(clips, None)))
        intervals = Intervals.fit(Calibration(*known), level, (-9, 9))
        low, high = intervals.around(unknown[2], unknown[3], (-9, 9))
        shares.append(((low <= unknown[1]) & (unknown[1] <= high)).mean())
    deviation = np.std(shares) / np.sqrt(repeats)
    fewest = min(intervals.clips)
    assert level - 4 * deviation <= np.mean(shares) <= level + 1 / fewest + 4 * deviation


def test_new_clip_is_held_although_the_masks_of_a_clip_go_together() -> None:
    shares = []
    for seed in range(200):
        data = answers(80, masks=8, seed=seed, noise=(0.3, 0.9))
        known = Calibration(*(column[: 60 * 8] for column in data))
        shares.append(
            held(Intervals.fit(known, 0.9, RANGE), Calibration(*(c[60 * 8 :] for c in data)))
        )
    deviation = np.std(shares) / np.sqrt(len(shares))
    assert 0.9 - 4 * deviation <= np.mean(shares) <= 0.93


# What people see


def test_interval_stays_within_the_scale_and_so_does_a_prediction_beyond_it() -> None:
    intervals = Intervals(level=0.9, edges=(), half_widths=(1.0,), clips=(50,))
    low, high = intervals.around([-7.0, 0.0, 2.5], [1.0, 1.0, 1.0], RANGE)
    assert low.tolist() == [-3, -1, 1.5]
    assert high.tolist() == [-2, 1, 3]


def test_confidence_is_the_share_of_the_scale_that_is_ruled_out() -> None:
    assert confidence([-3.0, 0.0, 1.0], [3.0, 3.0, 1.0], RANGE).tolist() == [0, 0.5, 1]
