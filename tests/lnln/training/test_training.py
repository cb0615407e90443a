"""Training: it learns, it repeats to the byte, it chooses on validation, it stops on NaN."""

from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.missing.dropping import drop
from lnln.missing.masks import Masks
from lnln.models.lnln.settings import VARIANTS, LNLNSettings, Variant
from lnln.models.registry import find
from lnln.training.run import Trained, train
from lnln.training.steps import TrainingDiverged
from tests.lnln.training.conftest import FAST, same_weights


@pytest.fixture(scope="module")
def sets(inputs: dict[str, Any]) -> tuple[FeatureSet, FeatureSet]:
    return inputs["train_set"], inputs["valid_set"]


def test_loss_falls_on_a_learnable_toy(run: Callable[..., Trained]) -> None:
    history = run(FAST.model_copy(update={"epochs": 30})).history
    assert history[-1]["train/loss_prediction"] < 0.4 * history[0]["train/loss_prediction"]
    assert history[-1]["train/total"] < history[0]["train/total"]
    assert history[-1]["valid/mae"] < history[0]["valid/mae"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_runs_give_the_same_bytes(
    run: Callable[..., Trained], tiny: LNLNSettings, variant: Variant
) -> None:
    settings = tiny.model_copy(update={"variant": variant})
    first, second = run(model_settings=settings), run(model_settings=settings)
    assert first.history == second.history
    assert same_weights(first, second)


def test_another_seed_gives_another_network(run: Callable[..., Trained]) -> None:
    assert not same_weights(run(), run(FAST.model_copy(update={"seed": 2})))


def test_averaged_weights_move_less_than_the_weights_themselves(
    run: Callable[..., Trained],
) -> None:
    start, plain, averaged = (
        run(
            FAST.model_copy(update={"epochs": 2, "learning_rate": rate, "averaging": decay})
        ).model.state_dict()["regressor.weight"]
        for rate, decay in ((1e-12, 0.0), (1e-2, 0.0), (1e-2, 0.9))
    )
    assert 0 < (averaged - start).norm() < (plain - start).norm()


def test_best_epoch_has_the_least_validation_error(run: Callable[..., Trained]) -> None:
    trained = run(FAST.model_copy(update={"epochs": 6, "learning_rate": 2e-2}))
    errors = [row["valid/mae"] for row in trained.history]
    assert trained.best_epoch == 1 + int(np.argmin(errors))


def test_weights_are_those_of_the_best_epoch(
    run: Callable[..., Trained],
    inputs: dict[str, Any],
    language: FrozenLanguageEncoder,
) -> None:
    seen: list[dict[str, Any]] = []
    settings = FAST.model_copy(update={"epochs": 6, "learning_rate": 5e-2, "warmup": 0.0})
    trained = run(settings, on_epoch=seen.append)
    assert seen == trained.history
    assert trained.normalisation is not None
    valid_set, (masks,) = inputs["valid_set"], inputs["valid_masks"]
    clips = drop(trained.normalisation.apply(valid_set), masks, language)
    error = float(np.abs(trained.model.predict(clips).prediction - clips.known_labels()).mean())
    assert error == min(row["valid/mae"] for row in trained.history)


def test_frozen_language_is_neither_trained_nor_in_the_network(
    run: Callable[..., Trained], language: FrozenLanguageEncoder
) -> None:
    before = {name: tensor.clone() for name, tensor in language.state_dict().items()}
    assert run().model.language is None
    assert all(torch.equal(before[n], t) for n, t in language.state_dict().items())


def test_finetuned_language_is_trained(run: Callable[..., Trained], bert: Path) -> None:
    encoder = LanguageEncoder.from_folder(bert)
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    trained = run(FAST.model_copy(update={"finetune_language": True}), language=encoder)
    assert trained.model.language is not None
    after = trained.model.language.state_dict()
    assert any(not torch.equal(before[n], after[n].cpu()) for n in before)


def test_frozen_encoder_is_refused_when_it_should_be_trained(run: Callable[..., Trained]) -> None:
    with pytest.raises(ValueError, match="finetune_language"):
        run(FAST.model_copy(update={"finetune_language": True}))


def test_encoder_of_other_hidden_states_is_refused(
    run: Callable[..., Trained], sets: tuple[FeatureSet, FeatureSet]
) -> None:
    text = sets[0].text
    other = replace(sets[0], text=replace(text, values=text.values + 1))
    with pytest.raises(ValueError, match="does not give the hidden states"):
        run(train_set=other)


def test_nan_stops_the_run_and_names_step_terms_and_clips(
    run: Callable[..., Trained], sets: tuple[FeatureSet, FeatureSet]
) -> None:
    labels = sets[0].known_labels().copy()
    labels[3] = np.inf
    with pytest.raises(
        TrainingDiverged, match=r"step 0 \(total inf, loss_prediction inf.*train/003"
    ):
        run(
            FAST.model_copy(update={"batch_size": 20}),
            train_set=replace(sets[0], labels=labels),
        )


@pytest.mark.parametrize("scale", [1, 1000])
def test_loss_beyond_the_scale_of_the_labels_stops_the_run(
    run: Callable[..., Trained],
    sets: tuple[FeatureSet, FeatureSet],
    monkeypatch: pytest.MonkeyPatch,
    scale: int,
) -> None:
    scaled = replace(sets[0], labels=sets[0].known_labels() * scale)
    once = FAST.model_copy(update={"epochs": 1})
    run(once, train_set=scaled)
    monkeypatch.setattr("lnln.training.steps.DIVERGED", 0.01)
    with pytest.raises(TrainingDiverged, match=r"diverged at step 0 \(total [\d.e+]+, .*train/003"):
        run(once.model_copy(update={"batch_size": 20}), train_set=scaled)


def test_clips_without_label_are_refused_by_name(
    run: Callable[..., Trained], sets: tuple[FeatureSet, FeatureSet]
) -> None:
    labels = sets[0].known_labels().copy()
    labels[3] = np.nan
    with pytest.raises(ValueError, match=r"1 clips have no label .train/003"):
        run(train_set=replace(sets[0], labels=labels))


def test_training_cannot_see_the_test_split() -> None:
    sets = [name for name, p in signature(train).parameters.items() if "FeatureSet" in p.annotation]
    assert sets == ["train_set", "valid_set"]


def test_unknown_selection_metric_is_refused(run: Callable[..., Trained]) -> None:
    with pytest.raises(ValueError, match=r"selection='acc3' is not one of acc7, acc5"):
        run(FAST.model_copy(update={"selection": "acc3"}))


def test_validation_averages_over_its_masks(
    run: Callable[..., Trained],
    sets: tuple[FeatureSet, FeatureSet],
    masks_at: Callable[..., Masks],
) -> None:
    masks = [masks_at(sets[1], rate, purpose="valid") for rate in (0.0, 0.9)]
    one, other, both = (
        run(valid_masks=m).history[0]["valid/mae"] for m in ([masks[0]], [masks[1]], masks)
    )
    assert both == pytest.approx((one + other) / 2)


def test_w_is_compared_with_the_truth_also_where_some_clips_are_complete(
    run: Callable[..., Trained],
    sets: tuple[FeatureSet, FeatureSet],
    masks_at: Callable[..., Masks],
) -> None:
    masks = [masks_at(sets[1], rate, purpose="valid") for rate in (0.0, 0.9)]
    once = FAST.model_copy(update={"epochs": 1})
    (complete,), (both,) = (run(once, valid_masks=m).history for m in (masks[:1], masks))
    assert complete["valid/w_corr"] is None
    assert -1 <= both["valid/w_corr"] <= 1


@pytest.mark.parametrize("name", ["lnln", "ridge"])
def test_intervals_are_made_from_validation_alone_as_the_kept_model_answers_it(
    run: Callable[..., Trained],
    inputs: dict[str, Any],
    masks_at: Callable[..., Masks],
    name: str,
) -> None:
    clips = inputs["valid_set"]
    masks = [masks_at(clips, rate, purpose="valid") for rate in (0.0, 0.5, 1.0)]
    settings = inputs["model_settings"] if name == "lnln" else find(name).settings()
    trained = run(name=name, model_settings=settings, valid_masks=masks)
    found = trained.calibration
    # Under the last masks nothing is left: `lnln.predict` gives no answer then.
    assert found.clip.tolist() == [*clips.clip_ids, *clips.clip_ids]
    assert found.label.tolist() == [*clips.known_labels().tolist()] * 2
    assert (found.share[: len(clips)] > found.share[len(clips) :]).all()
    normalised = trained.normalisation.apply(clips) if trained.normalisation else clips
    encoder = inputs["language"] if trained.model.layout.text == "states" else None
    said = [trained.model.predict(drop(normalised, m, encoder)).prediction for m in masks[:2]]
    assert found.prediction.tolist() == np.concatenate(said).tolist()


def test_patience_ends_a_run_that_no_longer_improves(run: Callable[..., Trained]) -> None:
    changes = {"epochs": 30, "learning_rate": 0.3, "warmup": 0.0, "patience": 2}
    history = run(FAST.model_copy(update=changes)).history
    errors = [row["valid/mae"] for row in history]
    assert len(errors) < 30
    assert int(np.argmin(errors)) == len(errors) - 3


def test_history_tells_gradient_discriminator_and_w(run: Callable[..., Trained]) -> None:
    for row in run().history:
        assert row["train/gradient_norm"] > 0
        assert 0 <= row["train/discriminator_accuracy"] <= 1
        assert 0 <= row["valid/w_mae"] <= 1
        assert -1 <= row["valid/w_corr"] <= 1


def test_gradient_that_is_not_finite_stops_the_run(
    run: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    infinite = torch.tensor(torch.inf)
    monkeypatch.setattr("torch.nn.utils.get_total_norm", lambda gradients: infinite)
    with pytest.raises(TrainingDiverged, match=r"step 0 .*gradient_norm inf"):
        run()


def test_unknown_model_is_refused_with_those_there_are(run: Callable[..., Trained]) -> None:
    with pytest.raises(ValueError, match=r"model 'lnnl' is not one of almt, audio_only"):
        run(name="lnnl")


def test_gradient_is_no_longer_than_allowed(run: Callable[..., Trained]) -> None:
    def after(clip: float) -> Trained:
        return run(FAST.model_copy(update={"gradient_clip": clip, "epochs": 1}))

    assert same_weights(after(0.0), after(1e6))
    # AdamW does not feel the length of a gradient but where its eps does.
    assert not same_weights(after(0.0), after(1e-8))
