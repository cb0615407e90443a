"""MMIM against figures of the published code (tests/fixtures), its passes, and missing data."""

import json
import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lnln.data.batches import Inputs, PaddedSequence
from lnln.models.interface import Targets, Terms
from lnln.models.mmim.information import Bound
from lnln.models.mmim.model import MMIM, Output
from lnln.models.mmim.settings import VARIANTS, MMIMSettings, Variant
from lnln.settings import Shapes, TrainSettings
from lnln.training.resume import StateFile, Stopped
from lnln.training.run import train

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "mmim_reference.json").read_text("utf-8")
)
TRAINED = REFERENCE["train"]
SHAPES = Shapes(
    text_dim=32, audio_dim=7, vision_dim=5, text_length=12, audio_length=16, vision_length=20
)
BOUNDS = {"bound_vision": "mi_tv", "bound_audio": "mi_ta"}
PUBLISHED = {
    "encode_vision.lstm": "visual_enc.rnn",
    "encode_vision.linear": "visual_enc.linear_1",
    "encode_audio.lstm": "acoustic_enc.rnn",
    "encode_audio.linear": "acoustic_enc.linear_1",
    **{f"{ours}.mean": f"{theirs}.mlp_mu" for ours, theirs in BOUNDS.items()},
    **{f"{ours}.log_variance": f"{theirs}.mlp_logvar" for ours, theirs in BOUNDS.items()},
    **{f"{ours}.projection": f"{theirs}.entropy_prj.0" for ours, theirs in BOUNDS.items()},
    **{f"contrasts.{i}.predict": f"cpc_z{m}.net" for i, m in enumerate("tva")},
    "fusion.1": "fusion_prj.linear_1",
    "fusion.3": "fusion_prj.linear_2",
    "regressor": "fusion_prj.linear_3",
}


def published(name: str) -> str:
    part = next(part for part in PUBLISHED if name.startswith(f"{part}."))
    return PUBLISHED[part] + name.removeprefix(part)


@pytest.fixture(scope="module")
def model(reference_tensor: Callable[..., Tensor]) -> MMIM:
    weights = {
        name: reference_tensor(shape, 0.37 * j, 0.2)
        for j, (name, shape) in enumerate(REFERENCE["parameters"])
    }
    model = MMIM(MMIMSettings(variant="official", dropout=0), SHAPES)
    model.load_state_dict({name: weights[published(name)] for name in model.state_dict()})
    return model


@pytest.fixture(scope="module")
def inputs(reference_tensor: Callable[..., Tensor]) -> Inputs:
    def sequence(modality: str) -> PaddedSequence:
        entry = REFERENCE["inputs"][modality]
        values = reference_tensor(entry["shape"], entry["phase"], entry["scale"])
        mask = torch.arange(values.shape[1]) < torch.tensor(entry["lengths"])[:, None]
        return PaddedSequence(values if modality == "text" else values * mask[:, :, None], mask)

    return Inputs(sequence("text"), sequence("audio"), sequence("vision"))


@pytest.fixture(scope="module")
def memory(reference_tensor: Callable[..., Tensor]) -> dict[str, Tensor]:
    """What was remembered when the second pass of the reference came to its batch."""
    entry = REFERENCE["memory"]

    def rows(pair: str) -> Tensor:
        phases = entry["phases"][pair]
        return torch.cat(
            [reference_tensor(entry["shape_of_each"], phases[s], 1) for s in ("pos", "neg")]
        )

    return {
        "remembered": torch.stack([rows("tv"), rows("ta")]),
        "remembered_label": torch.tensor(8 * [1.0] + 8 * [-1.0]),
        "steps": torch.tensor(2),
    }


@pytest.fixture(scope="module")
def output(model: MMIM, inputs: Inputs) -> Output:
    return model(inputs)


@pytest.fixture
def terms(model: MMIM, output: Output, memory: dict[str, Tensor]) -> Terms:
    model.load_training_state(memory)
    return model.losses(output, targets([-1.5, 0.25, 2.0]))


def targets(labels: list[float]) -> Targets:
    label = torch.tensor(labels)
    return Targets(label, label, label, torch.arange(len(label)))


def assert_close(actual: Tensor, expected: Any) -> None:
    torch.testing.assert_close(actual.detach(), torch.tensor(expected), atol=1e-5, rtol=0)


def norms(model: MMIM, loss: Tensor) -> dict[str, float]:
    """Norms of a loss' gradients by published name; 0 where it does not depend on one."""
    named = dict(model.named_parameters())
    gradients = torch.autograd.grad(loss, [*named.values()], retain_graph=True, allow_unused=True)
    return {
        published(name): 0.0 if gradient is None else gradient.norm().item()
        for name, gradient in zip(named, gradients, strict=True)
    }


# The published code


def test_names_and_shapes_are_those_of_the_published_code(model: MMIM) -> None:
    ours = {published(name): list(p.shape) for name, p in model.named_parameters()}
    assert ours == dict(REFERENCE["parameters"])


def test_outputs_are_those_of_the_published_code(model: MMIM, output: Output) -> None:
    expected = TRAINED["stage2"]
    assert_close(output.prediction[:, None], expected["prediction"])
    assert_close(output.prediction[:, None], REFERENCE["eval"]["prediction"])
    assert_close(output.audio, expected["audio"])
    assert_close(output.vision, expected["vision"])
    for ours, theirs in ((output.text, expected["text"]), (output.fused, expected["fusion"])):
        assert list(ours.shape) == theirs["shape"]
        assert_close(ours.mean(), theirs["mean"])
        assert_close(ours.square().mean(), theirs["mean_square"])
        assert_close(ours.flatten()[:8], theirs["first8"])
        assert_close(ours.flatten()[-8:], theirs["last8"])


def test_losses_of_both_passes_are_those_of_the_published_code(
    model: MMIM, output: Output, terms: Terms
) -> None:
    expected = TRAINED["stage2"]["losses"]
    assert_close(terms["bounds"], TRAINED["stage1"]["losses"]["loss"])
    assert_close(terms["total"], expected["loss"])
    assert_close(terms["loss_task"], expected["prediction"])
    assert_close(terms["loss_contrast"], expected["nce"])
    assert_close(terms["entropy"], expected["entropy"])
    for (bound, y), pair in zip(model.bounded(output), ("tv", "ta"), strict=True):
        assert_close(bound.likelihood(output.text, y), expected[f"lld_{pair}"])
    for contrast, x in zip(model.contrasts, ("text", "vision", "audio"), strict=True):
        assert_close(contrast(getattr(output, x), output.fused), expected[f"nce_{x}"])


def test_gradient_norms_of_both_passes_are_those_of_the_published_code(
    model: MMIM, terms: Terms
) -> None:
    names = [name for name, _ in REFERENCE["parameters"]]
    for loss, stage in (("bounds", "stage1"), ("total", "stage2")):
        actual = norms(model, terms[loss])
        expected = dict(zip(names, TRAINED[stage]["grad_norms"], strict=True))
        wrong = {
            name: (actual[name], norm)
            for name, norm in expected.items()
            if actual[name] != pytest.approx(norm or 0, rel=1e-3, abs=1e-9)
        }
        assert not wrong


def test_entropy_does_not_count_in_the_first_two_steps(model: MMIM, output: Output) -> None:
    model.before_training(torch.zeros(0))
    said = targets([-1.5, 0.25, 2.0])
    model.after_step(output, said)
    terms = model.losses(output, said)
    assert_close(terms["total"], TRAINED["stage2"]["losses"]["loss_without_entropy"])
    found = norms(model, terms["total"])
    expected = TRAINED["stage2"]["without_entropy"]
    assert sum(found.values()) == pytest.approx(expected["grad_norms_sum"], rel=1e-3)
    names = [name for name, _ in REFERENCE["parameters"]]
    assert {names[i] for i in expected["without_gradient"]} == {n for n in found if not found[n]}


def test_the_batch_before_is_remembered_by_sign(model: MMIM, output: Output) -> None:
    model.after_step(output, targets([-1.5, 0.25, 2.0]))
    label = model.remembered_label
    for rows, pair in zip(model.remembered, ("tv", "ta"), strict=True):
        expected = TRAINED["stage2"]["new_memory"][pair]
        assert_close(rows[label > 0], expected["pos"])
        assert_close(rows[label < 0], expected["neg"])
        assert not rows.requires_grad


# What is computed of mutual information


def bound(variant: Variant) -> Bound:
    return Bound(4, 3, 2, MMIMSettings(variant=variant).switches)


def test_paper_computes_the_likelihood_of_a_normal_distribution() -> None:
    x, y, of = torch.randn(5, 4), torch.randn(5, 3), bound("paper")
    deviation = (of.log_variance(x).tanh() / 2).exp()
    density = torch.distributions.Normal(of.mean(x), deviation).log_prob(y)
    constant = 1.5 * torch.log(torch.tensor(2 * torch.pi))
    torch.testing.assert_close(of.likelihood(x, y), density.sum(dim=1).mean() + constant)


def test_entropy_of_few_or_equal_clips_is_finite_and_differentiable_in_paper() -> None:
    of = bound("paper")
    for y, labels in (
        (torch.ones(6, 3), [1.0, 2.0, 3.0, -1.0, -2.0, -3.0]),  # nothing but missing rows
        (torch.randn(3, 3), [1.0, 0.0, -1.0]),
        (torch.randn(2, 3), [0.0, 0.0]),
    ):
        y.requires_grad_()
        entropy = of.entropy(of.project(y), torch.tensor(labels))
        (gradient,) = torch.autograd.grad(entropy, y)
        assert entropy.isfinite() and gradient.isfinite().all()
    assert entropy == 0  # there is neither a positive nor a negative clip


def test_variants_agree_on_the_entropy_of_many_different_clips() -> None:
    paper, official = bound("paper"), bound("official")
    z, label = torch.rand(40, 2) - 0.5, torch.arange(-20.0, 20.0)
    torch.testing.assert_close(
        paper.entropy(z, label), official.entropy(z, label), atol=1e-3, rtol=0
    )


# Missing data


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("rows", "missing"), [(0, 0), (1, 0), (4, 4)])
def test_absent_modalities_give_finite_predictions_and_gradients(
    variant: Variant, rows: int, missing: int, inputs: Inputs
) -> None:
    for name, sequence in inputs._asdict().items():
        length = max(rows, 1) if name == "text" else rows  # a sentence has at least one token
        nothing = PaddedSequence(
            torch.zeros(3, length, sequence.values.shape[2]),
            (torch.arange(length) < missing).expand(3, length),
            torch.zeros(3, length, dtype=torch.bool),
        )
        model = MMIM(MMIMSettings(variant=variant), SHAPES)
        output = model(inputs._replace(**{name: nothing}))
        for _ in range(2 if variant == "paper" else 0):
            model.after_step(output, targets([1.0, -1.0, 0.0]))
        terms = model.losses(output, targets([1.0, -1.0, 0.0]))
        (terms["total"] + terms["bounds"]).backward()
        assert output.prediction.isfinite().all()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert all(gradient.isfinite().all() for gradient in gradients)


def test_a_batch_of_one_clip_is_answered_as_in_a_larger_one(inputs: Inputs) -> None:
    model = MMIM(MMIMSettings(), SHAPES).eval()
    last = Inputs(*(PaddedSequence(s.values[2:], s.mask[2:]) for s in inputs))
    output = model(last)
    torch.testing.assert_close(output.prediction, model(inputs).prediction[2:])
    assert model.losses(output, targets([1.0]))["loss_contrast"] == 0


# Learning


def how(**changes: Any) -> TrainSettings:
    return TrainSettings(**{"epochs": 4, "batch_size": 5, "learning_rate": 3e-3} | changes)


def test_it_learns(make_inputs: Callable[..., dict[str, Any]]) -> None:
    run = make_inputs(name="mmim", model_settings=MMIMSettings(), settings=how(epochs=10))
    history = train(**run).history
    assert history[-1]["train/loss_task"] < 0.6 * history[0]["train/loss_task"]
    assert history[-1]["train/bounds"] < history[0]["train/bounds"]
    assert history[0]["train/entropy"] != 0


def test_the_first_pass_moves_the_bounds_and_the_second_all_else(
    make_inputs: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[set[str]] = []
    step = torch.optim.AdamW.step
    parts: dict[int, str] = {}

    def watched(optimiser: torch.optim.AdamW, *args: Any) -> Any:
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        before = [p.detach().clone() for p in parameters]
        step(optimiser, *args)
        pairs = zip(parameters, before, strict=True)
        moved.append({parts[id(p)] for p, old in pairs if not torch.equal(p, old)})

    def named(self: MMIM, labels: Tensor) -> None:
        parts.update({id(p): ".".join(n.split(".")[:2]) for n, p in self.named_parameters()})
        forget(self, labels)

    forget = MMIM.before_training
    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    monkeypatch.setattr(MMIM, "before_training", named)
    run = make_inputs(name="mmim", model_settings=MMIMSettings(), settings=how(epochs=1))
    train(**run)
    bounds = {f"{of}.{part}" for of in BOUNDS for part in ("mean", "log_variance")}
    projections = {f"{of}.projection" for of in BOUNDS}
    assert moved == 4 * [bounds] + 4 * [set(parts.values()) - bounds - projections]


def test_a_training_that_was_interrupted_resumes_with_its_memory(
    make_inputs: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_inputs(name="mmim", model_settings=MMIMSettings(), settings=how(epochs=2))
    undisturbed = train(**run)
    steps, compute = count(1), MMIM.losses

    def terminate_in_the_seventh(self: MMIM, *arguments: Any) -> Terms:
        if next(steps) == 7:  # the third of the four steps of the first epoch's second pass
            os.kill(os.getpid(), signal.SIGTERM)
        return compute(self, *arguments)

    state = StateFile(tmp_path / "run.state")
    with monkeypatch.context() as patched:
        patched.setattr(MMIM, "losses", terminate_in_the_seventh)
        with pytest.raises(Stopped):
            train(**run, state=state)
    assert (state.read() or {})["training"]["hooks"]["steps"] == 3
    assert train(**run, state=state).history == undisturbed.history
