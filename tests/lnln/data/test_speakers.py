"""A person is their own baseline: statistics of their observed rows, shrunk to the split's."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from contracts.features import FeatureInfo
from lnln.data.features import FeatureSet, ModalityFeatures
from lnln.data.normalisation import LEAST_DEVIATION, Normalisation, PriorRows
from lnln.data.speakers import PRIOR_S, Moments, by_speaker, prior_rows

SPLIT = Moments(np.array([0.0]), np.array([2.0]))


def voice(
    clips: Sequence[Sequence[float]],
    observed: Sequence[bool] | None = None,
    step_s: float = 0.04,
) -> ModalityFeatures:
    """One feature of some clips."""
    counts = [len(clip) for clip in clips]
    values = np.concatenate([np.array(clip, dtype=np.float32) for clip in clips])[:, None]
    times = np.concatenate([(np.arange(count) + 0.5) * step_s for count in counts])
    seen = np.ones(len(values), dtype=bool) if observed is None else np.array(observed)
    info = FeatureInfo(modality="audio", names=("f0",))
    return ModalityFeatures(info, np.cumsum([0, *counts]), values, seen, times)


@pytest.fixture(scope="module")
def spoken(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    """Twelve clips of three people, with voices apart."""
    clips = make_set("train", 12)
    speakers = np.arange(12) % 3
    far = np.repeat(1000.0 * speakers, clips.audio.counts)[:, None] * clips.audio.observed[:, None]
    audio = replace(clips.audio, values=(clips.audio.values + far).astype(np.float32))
    return replace(clips, audio=audio, groups=tuple(f"p{s}" for s in speakers))


def test_statistics_are_those_worked_out_by_hand() -> None:
    # Speaker 0 says 1, 3 and 5 (mean 3, variance 8/3), speaker 1 says 10; k = 3 rows.
    features = voice([[1.0, 3.0], [10.0], [5.0, 99.0]], observed=[True] * 4 + [False])
    found = by_speaker(features, np.array([0, 1, 0]), SPLIT, prior=3)
    assert found.mean[:, 0] == pytest.approx([3 / 2, 10 / 4])
    assert found.deviation[:, 0] ** 2 == pytest.approx([(8 / 3 + 4) / 2, 3 * 4 / 4])


def test_speaker_without_a_row_has_the_statistics_of_the_split_exactly() -> None:
    features = voice([[1.0], [3.0]], observed=[True, False])
    found = by_speaker(features, np.array([0, 1]), Moments(np.array([0.1]), np.array([0.3])), 5)
    assert found.mean[1, 0] == 0.1
    assert found.deviation[1, 0] == pytest.approx(0.3, abs=1e-15)


def test_speaker_with_many_rows_has_their_own() -> None:
    rows = np.random.default_rng(0).normal(50, 7, 100_000)
    found = by_speaker(voice([rows]), np.array([0]), SPLIT, prior=10)
    assert found.mean[0, 0] == pytest.approx(rows.mean(), rel=1e-3)
    assert found.deviation[0, 0] == pytest.approx(rows.std(), rel=1e-2)


def test_the_prior_lasts_as_long_in_every_modality() -> None:
    assert prior_rows(voice([[0.0] * 9, [], [0.0] * 5])) == pytest.approx(PRIOR_S / 0.04)
    assert prior_rows(voice([[0.0] * 9], step_s=0.1)) == pytest.approx(PRIOR_S / 0.1)


def test_without_known_times_a_clip_counts_as_four_seconds() -> None:
    clips = voice([[0.0] * 30, [0.0] * 50, []], step_s=np.nan)
    assert prior_rows(clips) == pytest.approx(PRIOR_S / 4 * 40)
    assert prior_rows(voice([[]], step_s=np.nan)) > 0


def test_speakers_come_closer_the_more_there_is_of_them(
    spoken: FeatureSet,
) -> None:
    def apart(normalisation: Normalisation) -> float:
        values = normalisation.apply(spoken).audio.values[:, 0]
        speaker = np.repeat(spoken.groups, spoken.audio.counts)
        seen = spoken.audio.observed
        return float(np.std([values[(speaker == s) & seen].mean() for s in ("p0", "p1", "p2")]))

    split, own = (Normalisation.fit(spoken, by) for by in ("split", "speaker"))
    trusting = own.model_copy(update={"prior_rows": PriorRows(audio=1e-6, vision=1e-6)})
    assert apart(split) > 1.1 * apart(own)
    assert apart(trusting) == pytest.approx(0, abs=1e-5)


def test_neither_other_speakers_nor_unobserved_rows_nor_labels_change_a_value(
    spoken: FeatureSet,
) -> None:
    normalisation = Normalisation.fit(spoken, "speaker")
    before = normalisation.apply(spoken)
    values = spoken.audio.values.copy()
    own = np.repeat(np.array(spoken.groups) == "p1", spoken.audio.counts)
    values[~own] += 77
    values[~spoken.audio.observed] = -np.inf
    labels = None if spoken.labels is None else spoken.labels[::-1]
    other = replace(spoken, audio=replace(spoken.audio, values=values), labels=labels)
    after = normalisation.apply(other)
    assert np.array_equal(after.audio.values[own], before.audio.values[own])
    assert not np.array_equal(after.audio.values, before.audio.values)
    assert np.array_equal(after.vision.values, before.vision.values)


def test_the_order_of_clips_and_the_company_of_other_speakers_change_nothing(
    spoken: FeatureSet,
) -> None:
    normalisation = Normalisation.fit(spoken, "speaker")
    whole = normalisation.apply(spoken)
    order = np.array([i for i in range(12) if i % 3 != 2])[::-1]
    apart = normalisation.apply(spoken.take(order))
    expected = whole.take(order)
    for modality in ("audio", "vision"):
        assert apart.modality(modality).values == pytest.approx(
            expected.modality(modality).values, abs=1e-5
        )


def test_a_clip_of_nobody_known_is_its_own_speaker(spoken: FeatureSet) -> None:
    normalisation = Normalisation.fit(spoken, "speaker")
    alone = replace(spoken, groups=spoken.clip_ids)
    unknown = normalisation.apply(replace(spoken, groups=None))
    assert np.array_equal(unknown.audio.values, normalisation.apply(alone).audio.values)


def test_feature_that_never_moves_stays_finite() -> None:
    still = voice([[5.0] * 1000])
    normalisation = Normalisation.fit(
        FeatureSet(("a",), None, still, still, groups=("a",)),  # type: ignore[arg-type]
        "speaker",
    )
    assert normalisation.audio.deviation == (LEAST_DEVIATION,)
    audio = normalisation.audio.apply_by_speaker(still, np.array([0]), 10)
    assert np.abs(audio.values).max() < 1


def test_infinite_value_names_the_feature_and_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"audio feature 'f0' is infinite.*normalisation=split"):
        by_speaker(voice([[1.0, np.inf]]), np.array([0]), SPLIT, 10)


def test_nothing_observed_at_all_is_no_error(spoken: FeatureSet) -> None:
    normalisation = Normalisation.fit(spoken, "speaker")
    unobserved = replace(spoken.audio, observed=np.zeros_like(spoken.audio.observed))
    for clips in (replace(spoken, audio=unobserved), spoken.take([])):
        assert not normalisation.apply(clips).audio.values.any()


def test_by_speaker_survives_json_and_configs_without_it_are_by_split(spoken: FeatureSet) -> None:
    by_person = Normalisation.fit(spoken, "speaker")
    assert Normalisation.model_validate_json(by_person.model_dump_json()) == by_person
    assert by_person.by == "speaker"
    earlier = Normalisation.fit(spoken).model_dump()
    del earlier["prior_rows"]
    assert Normalisation.model_validate(earlier) == Normalisation.fit(spoken)
    assert Normalisation.model_validate(earlier).by == "split"
