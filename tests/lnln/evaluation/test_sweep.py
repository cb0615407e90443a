"""A sweep: a model asked about every clip under every condition."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contracts.schemas import MODALITIES, PREDICTIONS
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.checkpoints.intervals import Intervals
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.data.normalisation import Normalisation
from lnln.evaluation.sweep import conditions, sweep
from lnln.evaluation.table import Condition, Slice, slices
from lnln.missing.dropping import drop
from lnln.missing.masks import Masks
from lnln.models.lnln.settings import VARIANTS, LNLNSettings, Variant
from lnln.models.registry import find

Swept = Callable[..., dict[Condition, Slice]]
Manifest = Callable[..., pa.Table]
COMPLETE = Condition("random", 0.0, 0)
ALONE = [Condition(f"only_{modality}", 0.0, 0) for modality in MODALITIES]


@pytest.fixture(scope="module")
def test_set(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return make_set("test", 8, without={"test/002": ("audio",)})


@pytest.fixture(scope="module")
def checkpoint(
    make_checkpoint: Callable[..., Checkpoint], make_set: Callable[..., FeatureSet]
) -> Checkpoint:
    return make_checkpoint(make_set("train", 8))


@pytest.fixture
def swept(
    checkpoint: Checkpoint,
    test_set: FeatureSet,
    make_manifest: Manifest,
    language: FrozenLanguageEncoder,
) -> Swept:
    def swept(checkpoint: Checkpoint = checkpoint, **changes: Any) -> dict[Condition, Slice]:
        manifest = make_manifest(test_set)
        arguments: dict[str, Any] = {
            "test_set": test_set,
            "manifest": manifest,
            "model": "lnln",
            "train_seed": 7,
            "conditions": conditions(["random"], [0.0, 0.5, 0.9], draws=2),
            "masks_seed": 1,
            "language": language,
        }
        table = sweep(checkpoint, **arguments | changes)
        assert table.schema.equals(PREDICTIONS)
        return {s.condition: s for s in slices(table)}

    return swept


# Conditions


def test_every_rate_has_all_draws_but_complete_clips_are_asked_about_once() -> None:
    assert conditions(["random"], [0.5, 0.0, 0.5, 0.1], draws=2) == [
        COMPLETE,
        Condition("random", 0.1, 0),
        Condition("random", 0.1, 1),
        Condition("random", 0.5, 0),
        Condition("random", 0.5, 1),
        *ALONE,
    ]


def test_complete_clips_and_single_modalities_are_asked_about_whatever_the_patterns() -> None:
    assert conditions(["no_text", "only_text"], [0.0], draws=3) == [
        COMPLETE,
        Condition("no_text", 0.0, 0),
        *ALONE,
    ]


# Answers


def test_answers_are_those_of_the_model_under_the_masks_of_the_condition(
    swept: Swept,
    checkpoint: Checkpoint,
    test_set: FeatureSet,
    masks_at: Callable[..., Masks],
    language: FrozenLanguageEncoder,
) -> None:
    found = swept()
    assert len(found) == 1 + 2 + 2 + 3
    prepared = checkpoint.prepare(test_set)
    for (pattern, rate, draw), rows in found.items():
        masked = drop(prepared, masks_at(prepared, rate, pattern=pattern, draw=draw), language)
        scores = checkpoint.predict(masked)
        assert (rows.model, rows.seed) == ("lnln", 7)
        assert rows.label == pytest.approx(test_set.known_labels())
        assert rows.prediction == pytest.approx(scores.prediction, abs=1e-6)
        assert rows.w == pytest.approx(scores.w, abs=1e-6)
        assert rows.completeness == pytest.approx(masked.text.completeness(), abs=1e-6)
        shares = masked.observed_shares().values()
        assert rows.observed.tolist() == [any(share[i] for share in shares) for i in range(8)]


def test_intervals_are_those_of_the_checkpoint_for_what_was_left(
    swept: Swept, checkpoint: Checkpoint
) -> None:
    assert all(np.isnan(rows.low).all() for rows in swept().values())
    # Of less than half there is a wider one.
    intervals = Intervals(level=0.8, edges=(0.5,), half_widths=(2.0, 1.0), clips=(50, 50))
    config = checkpoint.config.model_copy(update={"intervals": intervals})
    found = swept(Checkpoint(checkpoint.model, config))
    for rate, half in ((0.0, 1.0), (0.9, 2.0)):
        rows = found["random", rate, 0]
        there = rows.observed
        assert rows.low[there] == pytest.approx(np.clip(rows.prediction - half, -3, 3)[there])
        assert rows.high[there] == pytest.approx(np.clip(rows.prediction + half, -3, 3)[there])
        assert set(rows.level[there]) == {0.8}
        assert np.isnan(rows.low[~there]).all()


def test_stored_masks_are_used(
    swept: Swept, test_set: FeatureSet, masks_at: Callable[..., Masks]
) -> None:
    condition = Condition("random", 0.5, 1)
    usual, found = swept(), swept(stored={condition: masks_at(test_set, 1.0)})
    assert not found[condition].completeness.any()
    for other in usual.keys() - {condition}:
        assert np.array_equal(usual[other].prediction, found[other].prediction)


def test_true_completeness_falls_with_the_rate(swept: Swept) -> None:
    found = swept()
    truth = [found["random", rate, 0].completeness.mean() for rate in (0.0, 0.5, 0.9)]
    assert truth[0] == 1.0
    assert truth == sorted(truth, reverse=True)
    assert truth[1] == pytest.approx(0.5, abs=0.15)
    assert all(((rows.w > 0) & (rows.w < 1)).all() for rows in found.values())


def test_draws_differ(swept: Swept) -> None:
    found = swept()
    first, second = (found["random", 0.5, draw].prediction for draw in (0, 1))
    assert not np.array_equal(first, second)


def test_sweep_repeats_exactly(swept: Swept) -> None:
    first, second = swept(), swept()
    for condition, rows in first.items():
        assert np.array_equal(rows.prediction, second[condition].prediction)
        assert np.array_equal(rows.w, second[condition].w)


def test_other_masks_seed_gives_other_masks(swept: Swept) -> None:
    first, second = (swept(masks_seed=seed)["random", 0.5, 0] for seed in (1, 2))
    assert not np.array_equal(first.completeness, second.completeness)


def test_one_modality_alone_is_all_that_the_model_knows_of(
    swept: Swept,
    make_manifest: Manifest,
    test_set: FeatureSet,
    checkpoint: Checkpoint,
) -> None:
    manifest = make_manifest(test_set, label_a=[0.5] * 8)
    asked = [COMPLETE, Condition("only_audio", 0.0, 0)]
    alone = swept(manifest=manifest, conditions=asked)[asked[-1]]
    assert alone.label_a.tolist() == [0.5] * 8
    assert alone.observed.tolist() == [i != 2 for i in range(8)]  # in which there was no sound
    assert not alone.completeness.any()
    seen = test_set.vision
    other = replace(test_set, vision=replace(seen, values=seen.values + seen.observed[:, None]))
    again = swept(test_set=other, manifest=manifest, conditions=asked)
    assert np.array_equal(again[asked[-1]].prediction, alone.prediction)
    assert not np.array_equal(again[COMPLETE].prediction, swept()[COMPLETE].prediction)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_asked_and_official_with_its_own_encoder(
    swept: Swept,
    make_checkpoint: Callable[..., Checkpoint],
    make_set: Callable[..., FeatureSet],
    language: FrozenLanguageEncoder,
    tiny: LNLNSettings,
    variant: Variant,
) -> None:
    settings = tiny.model_copy(update={"variant": variant})
    own = language if variant == "official" else None
    found = swept(make_checkpoint(make_set("train", 8), settings, own))
    assert len(found) == 8
    assert all(np.isfinite(rows.prediction).all() for rows in found.values())


@pytest.mark.parametrize("name", ["text_only", "ridge"])
def test_model_that_makes_no_estimate_has_no_w(
    swept: Swept,
    make_checkpoint: Callable[..., Checkpoint],
    make_set: Callable[..., FeatureSet],
    name: str,
) -> None:
    found = swept(make_checkpoint(make_set("train", 8), find(name).settings(), name=name))
    assert all(np.isnan(rows.w).all() for rows in found.values())


def test_clips_keep_their_own_columns_whatever_the_order_of_the_manifest(
    swept: Swept, make_manifest: Manifest, test_set: FeatureSet
) -> None:
    manifest = make_manifest(test_set, label_t=[0.1 * i for i in range(8)])
    usual = swept(manifest=manifest)[COMPLETE]
    mixed = swept(manifest=manifest.take([3, 1, 0, 2, 7, 6, 5, 4]))[COMPLETE]
    assert usual.label_t == pytest.approx([0.1 * i for i in range(8)])
    for name in ("label", "label_t", "prediction"):
        assert np.array_equal(getattr(usual, name), getattr(mixed, name))


def test_encoder_of_other_hidden_states_is_refused(swept: Swept, test_set: FeatureSet) -> None:
    text = replace(test_set.text, values=test_set.text.values + 1)
    with pytest.raises(ValueError, match="does not give the hidden states"):
        swept(test_set=replace(test_set, text=text))


# By speaker


@pytest.fixture
def by_speaker(checkpoint: Checkpoint, make_set: Callable[..., FeatureSet]) -> Checkpoint:
    normalisation = Normalisation.fit(make_set("train", 8), "speaker")
    config = checkpoint.config.model_copy(update={"normalisation": normalisation})
    return Checkpoint(checkpoint.model, config)


def test_by_speaker_nothing_is_seen_of_what_is_lost(
    swept: Swept, by_speaker: Checkpoint, test_set: FeatureSet, masks_at: Callable[..., Masks]
) -> None:
    condition = Condition("random", 0.5, 0)
    masks = masks_at(test_set, 0.5)
    audio = test_set.audio
    lost = ~np.concatenate([masks[clip_id].audio for clip_id in test_set.clip_ids])
    values = np.where(lost[:, None], np.float32(1e4), audio.values)
    plain = replace(test_set, groups=("p", "q") * 4)
    other = replace(plain, audio=replace(audio, values=values))
    first, second = (
        swept(by_speaker, test_set=clips, stored={condition: masks}) for clips in (plain, other)
    )
    assert np.array_equal(first[condition].prediction, second[condition].prediction)
    assert not np.array_equal(first[COMPLETE].prediction, second[COMPLETE].prediction)


def test_by_speaker_all_clips_of_a_speaker_in_the_split_count(
    swept: Swept, by_speaker: Checkpoint, test_set: FeatureSet
) -> None:
    one = swept(by_speaker, test_set=replace(test_set, groups=("p",) * 8))
    each = swept(by_speaker, test_set=replace(test_set, groups=test_set.clip_ids))
    assert not np.array_equal(one[COMPLETE].prediction, each[COMPLETE].prediction)
    labels = replace(test_set, groups=("p",) * 8, labels=-test_set.known_labels())
    assert np.array_equal(
        one[COMPLETE].prediction, swept(by_speaker, test_set=labels)[COMPLETE].prediction
    )
