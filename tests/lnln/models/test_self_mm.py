"""Self-MM: the variant `official` against figures of the published code, and what our data ask."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from lnln.data.batches import Inputs, PaddedSequence
from lnln.layers.unimodal_heads import Output
from lnln.models.interface import Targets, Terms
from lnln.models.self_mm.model import SelfMM
from lnln.models.self_mm.settings import SelfMMSettings
from lnln.settings import Shapes, TrainSettings
from lnln.training.run import train

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "self_mm_reference.json").read_text("utf-8")
)
HEADS = {"multimodal": "fusion", "text": "text", "audio": "audio", "vision": "vision"}
LOSSES = {"total": "total", "multimodal": "loss_prediction"} | {
    name: f"loss_{name}" for name in ("text", "audio", "vision")
}
NUMBERS = {"first": "1", "second": "2", "third": "3"}


def published_name(name: str) -> str:
    """The name that the published code has for one of our parameters."""
    part, *rest = name.split(".")
    if part == "heads":
        modality = {"multimodal": "fusion", "vision": "video"}.get(rest[0], rest[0])
        return f"post_{modality}_layer_{NUMBERS[rest[1]]}.{rest[2]}"
    encoder = {"audio_encoder": "audio_model", "vision_encoder": "video_model"}[part]
    return f"{encoder}.{ {'lstm': 'rnn', 'linear': 'linear_1'}[rest[0]] }.{rest[1]}"


def assert_close(actual: Tensor, expected: Any) -> None:
    torch.testing.assert_close(actual.detach(), torch.tensor(expected), atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def model(reference_tensor: Callable[..., Tensor]) -> SelfMM:
    shapes = Shapes(
        text_dim=32, audio_dim=7, vision_dim=5, text_length=12, audio_length=16, vision_length=20
    )
    model = SelfMM(SelfMMSettings(variant="official", dropout=0), shapes)
    weights = {
        name: reference_tensor(shape, 0.37 * j, 0.4)
        for j, (name, shape) in enumerate(REFERENCE["parameters"])
    }
    model.load_state_dict({name: weights[published_name(name)] for name in model.state_dict()})
    return model


@pytest.fixture(scope="module")
def batches(reference_tensor: Callable[..., Tensor]) -> dict[str, Inputs]:
    def read(entry: dict[str, Any]) -> PaddedSequence:
        values = reference_tensor(entry["shape"], entry["phase"], entry["scale"])
        count, most = entry["shape"][:2]
        lengths = torch.tensor(entry.get("lengths", [most] * count))
        mask = torch.arange(most) < lengths[:, None]
        return PaddedSequence(values * mask[:, :, None], mask)

    return {
        name: Inputs(*(read(entry[m]) for m in ("language", "audio", "vision")))
        for name, entry in (
            ("A", REFERENCE["inputs"]["batch_A"]),
            ("B", REFERENCE["inputs"]["batch_B"]),
        )
    }


LABELS = torch.tensor(REFERENCE["labels"]["sentiment_of_clips_0_to_5"])


def targets_of(batch: str) -> Targets:
    clip = torch.arange(3) + (3 if batch == "B" else 0)
    return Targets(LABELS[clip], torch.ones(3), torch.zeros(3), clip)


class Step(NamedTuple):
    """What happened in one step of the reference, and what it says should have."""

    expected: dict[str, Any]
    clip: Tensor
    terms: Terms
    delta: Tensor
    fresh: Tensor
    distances: list[tuple[Tensor, Tensor]]
    labels: Tensor
    centres: list[tuple[Tensor, Tensor]]


@pytest.fixture(scope="module")
def steps(model: SelfMM, batches: dict[str, Inputs]) -> list[Step]:
    """Go through the steps of the reference without an optimiser."""
    model.train()
    model.before_training(LABELS)
    kept, done = model.labels, []
    for expected in REFERENCE["train"]["label_generation"]:
        if expected["epoch"] > model.labels.epoch:
            model.after_epoch(model.labels.epoch)
        targets = targets_of(expected["batch"])
        output = model(batches[expected["batch"]])
        terms = model.losses(output, targets)
        features = output.features.detach()
        of_heads = zip(features.split(kept.widths, 1), kept.centres(), strict=True)
        distances = [
            (kept.distances(feature, positive), kept.distances(feature, negative))
            for feature, (positive, negative) in of_heads
        ]
        delta, fresh = kept.relative_distances(features), kept.generate(features, targets.clip)
        model.after_step(output, targets)
        after = kept.labels.clone(), kept.centres()
        done.append(Step(expected, targets.clip, terms, delta, fresh, distances, *after))
    return done


def test_names_and_shapes_are_those_of_the_published_code(model: SelfMM) -> None:
    ours = {published_name(name): list(p.shape) for name, p in model.named_parameters()}
    assert ours == dict(REFERENCE["parameters"])
    assert len(ours) == 36


@pytest.mark.parametrize("batch", ["A", "B"])
def test_outputs_are_those_of_the_published_code(
    model: SelfMM, batches: dict[str, Inputs], batch: str
) -> None:
    output: Output = model.train()(batches[batch])
    expected = REFERENCE["train"][f"outputs_batch_{batch}"]
    assert_close(output.prediction, expected["multimodal"])
    for column, name in enumerate(("text", "audio", "vision")):
        assert_close(output.unimodal[:, column], expected[name])


def test_features_are_those_of_the_published_code(
    model: SelfMM, batches: dict[str, Inputs]
) -> None:
    features = model.train()(batches["A"]).features.split(model.labels.widths, 1)
    expected = REFERENCE["train"]
    for feature, name in zip(features, HEADS.values(), strict=True):
        assert_close(feature[:, :4], expected["features_first4_of_each_clip_batch_A"][name])
        assert_close(feature.norm(dim=1), expected["feature_norms_batch_A"][name])


def test_losses_of_every_step_are_those_of_the_published_code(steps: list[Step]) -> None:
    for step in steps:
        for theirs, ours in LOSSES.items():
            assert_close(step.terms[ours], step.expected["losses"][theirs])


def test_labels_are_generated_as_the_published_code_does(steps: list[Step]) -> None:
    for step in steps:
        if step.expected["epoch"] == 1:
            assert torch.equal(step.labels, LABELS[:, None].expand(-1, 4))
            continue
        for head, theirs in enumerate(HEADS.values()):
            positive, negative = step.distances[head]
            assert_close(positive, step.expected["distance_to_positive"][theirs])
            assert_close(negative, step.expected["distance_to_negative"][theirs])
            assert_close(step.delta[:, head], step.expected["relative_distance"][theirs])
            if head:
                assert_close(
                    step.fresh[:, head - 1], step.expected["new_labels"][theirs]["clamped"]
                )
                assert_close(step.labels[step.clip, head], step.expected["labels_after"][theirs])


def test_centres_of_every_step_are_those_of_the_published_code(steps: list[Step]) -> None:
    for step in steps:
        for centres, theirs in zip(step.centres, HEADS.values(), strict=True):
            for centre, sign in zip(centres, ("pos", "neg"), strict=True):
                assert_close(centre.norm(), step.expected["centre_norms_after"][theirs][sign])
                if "centres_after_first4" in step.expected:
                    first4 = step.expected["centres_after_first4"][theirs][sign]
                    assert_close(centre[:4], first4)


def test_losses_and_gradient_norms_are_those_of_the_published_code(
    model: SelfMM, batches: dict[str, Inputs]
) -> None:
    model.train()
    labels = REFERENCE["train"]["labels_used_by_the_loss_below"]
    model.before_training(LABELS)
    model.labels.labels = torch.tensor([labels[theirs] for theirs in HEADS.values()]).T
    model.zero_grad()
    terms = model.losses(model(batches["A"]), targets_of("A"))
    terms["total"].backward()
    for theirs, ours in LOSSES.items():
        assert_close(terms[ours], REFERENCE["train"]["losses"][theirs])
    wrong = {}
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        norm = parameter.grad.norm().item()
        reference = REFERENCE["train"]["grad_norms"][published_name(name)]
        if abs(norm - reference) > 1e-3 * reference:
            wrong[name] = (norm, reference)
    assert not wrong


def test_heads_of_single_modalities_have_no_gradient_in_the_first_epoch(
    model: SelfMM, batches: dict[str, Inputs]
) -> None:
    model.train()
    model.before_training(LABELS)
    model.zero_grad()
    model.losses(model(batches["A"]), targets_of("A"))["total"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        still = name.startswith(("heads.text", "heads.audio", "heads.vision"))
        assert (parameter.grad.abs().max() == 0) == still, name


def test_evaluation_outputs_are_those_of_the_published_code(
    model: SelfMM, batches: dict[str, Inputs]
) -> None:
    with torch.no_grad():
        output = model.eval()(batches["A"])
    assert_close(output.prediction, REFERENCE["eval"]["multimodal"])


def test_rows_of_padding_change_nothing(model: SelfMM, batches: dict[str, Inputs]) -> None:
    audio = batches["A"].audio
    noisy = torch.where(audio.mask[:, :, None], audio.values, 7.0)
    with torch.no_grad():
        first = model.eval()(batches["A"]).prediction
        second = model(batches["A"]._replace(audio=PaddedSequence(noisy, audio.mask))).prediction
    assert torch.equal(first, second)


@pytest.mark.parametrize("lost", ["no rows", "missing rows"])
@pytest.mark.parametrize("clips", [1, 3])
def test_absent_modalities_give_finite_predictions_and_gradients(
    model: SelfMM, batches: dict[str, Inputs], lost: str, clips: int
) -> None:
    def without(sequence: PaddedSequence) -> PaddedSequence:
        values, mask = torch.zeros_like(sequence.values[:clips]), sequence.mask[:clips]
        if lost == "no rows":
            return PaddedSequence(values[:, :1], torch.zeros_like(mask[:, :1]))
        return PaddedSequence(values, mask, torch.zeros_like(mask))

    text = batches["A"].text
    inputs = Inputs(
        PaddedSequence(text.values[:clips], text.mask[:clips]),
        without(batches["A"].audio),
        without(batches["A"].vision),
    )
    model.train()
    model.before_training(LABELS)
    model.zero_grad()
    targets = Targets(*(field[:clips] for field in targets_of("A")))
    for epoch in (1, 2, 3):
        output = model(inputs)
        model.losses(output, targets)["total"].backward()
        model.after_step(output, targets)
        model.after_epoch(epoch)
        assert output.prediction.isfinite().all()
    assert model.labels.labels.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_encoders_have_learning_rates_of_their_own(model: SelfMM) -> None:
    groups = model.parameter_groups(TrainSettings(learning_rate=1e-3))
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(rates) == sum(len(group["params"]) for group in groups) == 36
    for name, parameter in model.named_parameters():
        assert rates[id(parameter)] == (5e-3 if "encoder" in name else 1e-3), name


def test_learns_and_gives_every_modality_labels_of_its_own(
    make_inputs: Callable[..., dict[str, Any]],
) -> None:
    settings = TrainSettings(epochs=12, batch_size=8, learning_rate=1e-2)
    trained = train(
        **make_inputs(name="self_mm", model_settings=SelfMMSettings(), settings=settings)
    )
    first, last = trained.history[0], trained.history[-1]
    assert last["train/loss_prediction"] < 0.8 * first["train/loss_prediction"]
    assert first["train/loss_text"] == 0 < last["train/loss_text"]
    labels = trained.model.labels.labels
    assert labels.abs().max() <= 3
    assert all((labels[:, head] != labels[:, 0]).any() for head in (1, 2, 3))


def test_resuming_goes_on_with_the_labels_there_were(
    model: SelfMM, batches: dict[str, Inputs]
) -> None:
    model.train()
    model.before_training(LABELS)
    for epoch in (1, 2):
        for batch in ("A", "B"):
            model.after_step(model(batches[batch]), targets_of(batch))
        model.after_epoch(epoch)
    state = {name: tensor.clone() for name, tensor in model.training_state().items()}
    resumed = SelfMM(model.settings, model.layout.shapes)
    resumed.load_state_dict(model.state_dict())
    resumed.before_training(LABELS)
    resumed.load_training_state(state)
    for network in (model, resumed):
        network.train()
        network.after_step(network(batches["B"]), targets_of("B"))
    assert torch.equal(model.labels.labels, resumed.labels.labels)
    assert torch.equal(model.labels.features, resumed.labels.features)
    assert model.labels.epoch == resumed.labels.epoch
