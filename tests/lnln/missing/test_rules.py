"""Rules: what is lost is the share that was asked for, and lies where the rule says."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from contracts.schemas import MODALITIES, Modality
from lnln.data.features import FeatureSet
from lnln.missing.masks import evaluation_masks, uniforms
from lnln.missing.rules import BURST, WINDOW_S, Clip, rates_of

RATES = (0.1, 0.3, 0.5, 0.7, 0.9)
MakeClips = Callable[..., FeatureSet]


def lost_of(features: FeatureSet, pattern: str, rate: float) -> list[dict]:
    """Per clip and modality, which content rows are lost."""
    masks = evaluation_masks(features, rate, seed=1, purpose="test", pattern=pattern)
    words = [~features.text.special[features.text.rows(i)] for i in range(len(features))]
    return [
        {"text": ~kept.text[content], "audio": ~kept.audio, "vision": ~kept.vision}
        for kept, content in zip(masks.values(), words, strict=True)
    ]


def clip_of(clip_id: str) -> Clip:
    """A clip of five rows each, with the random numbers of that name."""
    key = {"seed": 1, "purpose": "test", "epoch": 0, "clip_id": clip_id}
    return Clip(
        content={m: np.ones(5, dtype=bool) for m in MODALITIES},
        times={m: np.full(5, np.nan) for m in MODALITIES},
        stream=partial(uniforms, **key),
    )


def with_times(features: FeatureSet, times: np.ndarray) -> FeatureSet:
    """The clips with these times of their tokens."""
    return replace(features, text=replace(features.text, times=times))


# Rates of the modalities


@pytest.mark.parametrize("rate", [0.0, *RATES, 1.0])
def test_unequal_rates_have_the_missing_rate_as_their_mean(rate: float) -> None:
    drawn = np.array([[*rates_of(clip_of(str(i)), rate).values()] for i in range(2000)])
    assert ((drawn >= 0) & (drawn <= 1)).all()
    assert drawn.mean(axis=1) == pytest.approx(np.full(2000, rate))
    assert drawn.mean(axis=0) == pytest.approx([rate] * 3, abs=0.02)  # none is preferred
    assert (drawn.std(axis=0) > 0.05).all() == (rate not in (0, 1))


def test_unequal_rates_grow_with_the_missing_rate() -> None:
    for number in range(100):
        for low, high in pairwise(np.linspace(0, 1, 21)):
            less, more = (rates_of(clip_of(str(number)), rate) for rate in (low, high))
            assert all(less[m] <= more[m] + 1e-12 for m in MODALITIES)


def test_rows_are_lost_at_the_rate_of_their_modality(make_clips: MakeClips) -> None:
    features = make_clips([(502, 500, 500)] * 20)
    for clip_id, lost in zip(features.clip_ids, lost_of(features, "unequal", 0.5), strict=True):
        for modality, rate in rates_of(clip_of(clip_id), 0.5).items():
            assert lost[modality].mean() == pytest.approx(rate, abs=0.1)


# Blocks


@pytest.mark.parametrize("pattern", ["block", "block_begin", "block_middle", "block_end"])
@pytest.mark.parametrize("rate", RATES)
def test_block_is_one_stretch_of_the_length_that_was_asked_for(
    many: FeatureSet, pattern: str, rate: float
) -> None:
    for lost in lost_of(many, pattern, rate):
        for rows in lost.values():
            assert abs(rows.sum() - rate * len(rows)) < 1
            places = np.flatnonzero(rows)
            assert not len(places) or np.array_equal(places, np.arange(places[0], places[-1] + 1))


@pytest.mark.parametrize("rate", RATES)
def test_blocks_lie_where_their_names_say(many: FeatureSet, rate: float) -> None:
    def kept_at_the_sides(pattern: str) -> np.ndarray:
        sides = []
        for lost in lost_of(many, pattern, rate):
            kept = np.flatnonzero(lost["audio"])
            sides.append((kept[0], len(lost["audio"]) - 1 - kept[-1]))
        return np.array(sides)

    assert not kept_at_the_sides("block_begin")[:, 0].any()
    assert not kept_at_the_sides("block_end")[:, 1].any()
    middle = kept_at_the_sides("block_middle")
    assert (np.abs(middle[:, 0] - middle[:, 1]) <= 2).all()
    anywhere = kept_at_the_sides("block")
    assert np.quantile(
        anywhere[:, 0] / anywhere.sum(axis=1).clip(1), [0.25, 0.75]
    ) == pytest.approx([0.25, 0.75], abs=0.12)


# Bursts


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.7])
def test_bursts_are_several_and_a_tenth_of_the_clip_on_average(
    make_clips: MakeClips, rate: float
) -> None:
    begins, rows = 0, 0
    for lost in lost_of(make_clips([(2, 1000, 0)] * 400), "bursts", rate):
        padded = np.concatenate([[False], lost["audio"]])
        begins += int((padded[1:] & ~padded[:-1]).sum())
        rows += int(lost["audio"].sum())
    # Bursts are cut off by the ends of a clip, and are shorter for it.
    assert rows / begins == pytest.approx(1000 * BURST, rel=0.3)
    assert begins / 400 == pytest.approx(rate / BURST, rel=0.35)


def test_rows_in_bursts_are_like_the_row_before(many: FeatureSet) -> None:
    def correlation(pattern: str) -> float:
        rows = [lost["audio"] for lost in lost_of(many, pattern, 0.4)]
        return float(
            np.corrcoef(
                np.concatenate([r[:-1] for r in rows]), np.concatenate([r[1:] for r in rows])
            )[0, 1]
        )

    assert correlation("bursts") > 0.7
    assert abs(correlation("random")) < 0.03


# The same seconds


def seconds(features: FeatureSet, clip: int, modality: Modality) -> np.ndarray:
    rows = features.modality(modality)
    content = (
        slice(None) if modality != "text" else ~features.text.special[features.text.rows(clip)]
    )
    return rows.times[rows.rows(clip)][content]


@pytest.mark.parametrize("rate", RATES)
def test_modalities_lose_the_same_seconds(many: FeatureSet, rate: float) -> None:
    words = many.text
    spoken = words.times.copy()
    for i in range(len(many)):  # a word every quarter of a second
        rows = words.rows(i)
        spoken[rows] = np.arange(rows.stop - rows.start) * 0.25 + 0.1
    features = with_times(many, spoken)
    for i, lost in enumerate(lost_of(features, "synchronous", rate)):
        said: dict[int, bool] = {}
        for modality in MODALITIES:
            for second, gone in zip(seconds(features, i, modality), lost[modality], strict=True):
                assert said.setdefault(int(second / WINDOW_S), gone) == gone


def test_words_without_times_are_spread_over_the_clip(make_clips: MakeClips) -> None:
    features = make_clips([(12, 100, 40)] * 50)  # 4 s, ten words
    for lost in lost_of(features, "synchronous", 0.5):
        windows = (np.arange(10) + 0.5) / 10 * (99.5 * 0.04) // WINDOW_S
        of_audio = {int((k + 0.5) * 0.04 / WINDOW_S): lost["audio"][k] for k in range(100)}
        assert lost["text"].tolist() == [of_audio[int(window)] for window in windows]


def test_word_with_a_time_is_lost_with_its_time_whatever_its_neighbours_know(
    make_clips: MakeClips,
) -> None:
    features = make_clips([(5, 100, 40)] * 100)
    times = features.text.times.copy()
    times[2::5] = 3.9  # of three words the second, spoken last
    for lost in lost_of(with_times(features, times), "synchronous", 0.5):
        assert lost["text"][1] == lost["audio"][97]


def test_clip_without_any_time_still_loses_the_same_parts_of_it(make_clips: MakeClips) -> None:
    features = make_clips([(10, 80, 16)] * 100, timed=False)
    clips = lost_of(features, "synchronous", 0.5)
    assert all(np.array_equal(lost["audio"], lost["vision"].repeat(5)) for lost in clips)
    assert np.mean([lost["vision"].mean() for lost in clips]) == pytest.approx(0.5, abs=0.06)
