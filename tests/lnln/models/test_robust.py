"""`robust`: evidence that counts for less where less was observed, and what it starts from."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from lnln.data.batches import Inputs, PaddedSequence, collate
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.models.interface import Targets
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import LNLNSettings
from lnln.models.robust.evidence import Standardise
from lnln.models.robust.model import Robust
from lnln.models.robust.settings import Part, RobustSettings
from lnln.settings import Shapes, TrainSettings
from lnln.training.run import train

SMALL = RobustSettings(width=4)
# Parameters that a part owns.
OWNED: dict[Part, set[str]] = {
    "precision": {"log_precisions"},
    "rows": {
        f"rows.{m}.{p}"
        for m in ("audio", "vision")
        for p in (
            "norm.weight",
            "norm.bias",
            "hidden.weight",
            "hidden.bias",
            "attention.weight",
            "out.weight",
        )
    },
}


def moved(model: Robust) -> Robust:
    """Give a model weights that are not at their start."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture
def model(shapes: Shapes) -> Robust:
    return moved(Robust(SMALL, shapes))


@pytest.fixture
def inputs(clips: FeatureSet, model: Robust) -> Inputs:
    return collate(clips, model.layout)


def targets_of(clips: FeatureSet) -> Targets:
    label = torch.from_numpy(clips.known_labels())
    return Targets(label, label, label, torch.arange(len(label)))


def lost(sequence: PaddedSequence, clip: slice = slice(None)) -> PaddedSequence:
    observed = sequence.seen.clone()
    observed[clip] = False
    return sequence._replace(observed=observed)


def test_what_stands_in_a_lost_row_changes_nothing(model: Robust, inputs: Inputs) -> None:
    before = model(inputs).prediction
    holes = []
    for sequence in inputs:
        assert not sequence.seen.all()  # [CLS] and [SEP] of language are no words
        values = torch.where(sequence.seen[:, :, None], sequence.values, 1e3)
        holes.append(sequence._replace(values=values))
    torch.testing.assert_close(model(Inputs(*holes)).prediction, before)


def test_padding_changes_nothing(model: Robust, clips: FeatureSet, inputs: Inputs) -> None:
    together = model(inputs).prediction
    longest = model(collate(clips, model.layout._replace(length="full"))).prediction
    torch.testing.assert_close(longest, together)
    for clip in range(len(clips)):
        alone = model(collate(clips.take([clip]), model.layout)).prediction
        torch.testing.assert_close(alone, together[clip : clip + 1])


def test_with_nothing_observed_the_usual_label_is_answered(model: Robust, inputs: Inputs) -> None:
    nothing = Inputs(*(lost(sequence) for sequence in inputs))
    output = model(nothing)
    assert torch.equal(output.prediction, model.label.detach().expand(len(output.prediction)))
    no_rows = Inputs(
        *(PaddedSequence(s.values[:, :1] * 0, torch.zeros_like(s.mask[:, :1])) for s in inputs)
    )
    assert torch.equal(model(no_rows).prediction, output.prediction)


def test_clips_of_which_only_words_are_known_leave_voice_and_face_as_they_are(
    shapes: Shapes, clips: FeatureSet
) -> None:
    model = moved(Robust(SMALL, shapes)).train()
    text, audio, vision = collate(clips, model.layout)
    absent = (lost(s._replace(values=0 * s.values)) for s in (audio, vision))
    output = model(Inputs(text, *absent))
    model.losses(output, targets_of(clips))["total"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name
        if "audio" in name or "vision" in name:
            assert parameter.grad is None or not parameter.grad.any(), name
    assert model.standardise["audio"].count == 0


def test_answers_are_averaged_with_the_usual_label_or_added(shapes: Shapes, inputs: Inputs) -> None:
    def ones(settings: RobustSettings) -> Robust:
        model = Robust(settings, shapes).eval()
        with torch.no_grad():
            for name, parameter in model.lines.named_parameters():
                if name.endswith("bias"):
                    parameter.fill_(1.0)
        return model

    model = ones(RobustSettings())
    with torch.no_grad():
        model.log_precisions.zero_()
    averaged, added = model(inputs), ones(RobustSettings(ablate=("precision",)))(inputs)
    count = torch.stack([s.seen.any(dim=1) for s in inputs]).sum(dim=0)
    torch.testing.assert_close(added.prediction, count.float())
    torch.testing.assert_close(averaged.prediction, count / (1 + count))


def test_z_scores_are_those_of_all_clips_that_were_there() -> None:
    z = Standardise(3)
    x, present = 5 * torch.randn(20, 3) + 2, torch.arange(20) % 3 > 0
    for batch in (slice(0, 7), slice(7, 8), slice(8, 20)):
        z(x[batch], present[batch])
    z.eval()
    torch.testing.assert_close(z.mean, x[present].mean(dim=0))
    torch.testing.assert_close(z.variance, x[present].var(dim=0, correction=0))
    assert not z(x, present)[~present].any()


def test_it_is_smaller_than_lnln(shapes: Shapes) -> None:
    count = [
        sum(p.numel() for p in model.parameters())
        for model in (Robust(RobustSettings(), shapes), LNLN(LNLNSettings(), shapes))
    ]
    assert 100 * count[0] < count[1]


@pytest.mark.parametrize("part", OWNED)
def test_an_ablated_part_goes_with_its_parameters(
    part: Part, shapes: Shapes, clips: FeatureSet
) -> None:
    whole = Robust(SMALL, shapes)
    without = Robust(RobustSettings(width=4, ablate=(part,)), shapes)
    names = [{name for name, _ in model.named_parameters()} for model in (whole, without)]
    assert names[0] - names[1] == OWNED[part]
    assert names[1] <= names[0]
    output = without(collate(clips, without.layout))
    assert output.prediction.isfinite().all()


def test_every_parameter_learns(shapes: Shapes, clips: FeatureSet) -> None:
    model = moved(Robust(SMALL, shapes)).train()
    inputs = collate(clips, model.layout)
    model.losses(model(inputs), targets_of(clips))["total"].backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
    groups = model.parameter_groups(TrainSettings(learning_rate=1e-3))
    assert sum(len(group["params"]) for group in groups) == len([*model.parameters()])


@pytest.mark.parametrize("finetuned", [False, True])
def test_it_learns_and_the_same_seed_gives_the_same(
    finetuned: bool, make_inputs: Callable[..., dict[str, Any]], bert: Any
) -> None:
    def run() -> tuple[list[dict[str, Any]], np.ndarray]:
        encoder = (LanguageEncoder if finetuned else FrozenLanguageEncoder).from_folder(bert)
        settings = TrainSettings(
            epochs=5, batch_size=8, learning_rate=3e-3, finetune_language=finetuned
        )
        inputs = make_inputs(
            name="robust", model_settings=SMALL, settings=settings, language=encoder, train=40
        )
        trained = train(**inputs)
        return trained.history, trained.model.predict(inputs["valid_set"]).prediction

    (history, prediction), (again, same) = run(), run()
    assert history[-1]["train/total"] < 0.8 * history[0]["train/total"]
    assert history == again
    assert np.array_equal(prediction, same) and np.isfinite(prediction).all()
