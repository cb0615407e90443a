"""MISA against figures of the published code (tests/fixtures), and where data are missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lnln.data.batches import Inputs, PaddedSequence
from lnln.models.interface import Targets, Terms
from lnln.models.misa import losses
from lnln.models.misa.model import MISA, Output
from lnln.models.misa.settings import VARIANTS, LossWeights, MISASettings, Variant
from lnln.settings import Shapes, TrainSettings
from lnln.training.run import train

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "misa_reference.json").read_text("utf-8")
)
SHAPES = Shapes(
    text_dim=768, audio_dim=7, vision_dim=5, text_length=12, audio_length=16, vision_length=20
)
TRAINED = REFERENCE["train"]
MODALITIES = ("t", "v", "a")
PUBLISHED = {
    "encode_vision.first": "vrnn1",
    "encode_vision.norm": "vlayer_norm",
    "encode_vision.second": "vrnn2",
    "encode_audio.first": "arnn1",
    "encode_audio.norm": "alayer_norm",
    "encode_audio.second": "arnn2",
    **{f"project.{i}.0": f"project_{m}.project_{m}" for i, m in enumerate(MODALITIES)},
    **{f"project.{i}.2": f"project_{m}.project_{m}_layer_norm" for i, m in enumerate(MODALITIES)},
    "particular.0": "private_t.private_t_1",
    "particular.1": "private_v.private_v_1",
    "particular.2": "private_a.private_a_3",
    "common": "shared.shared_1",
    **{f"decode.{i}": f"recon_{m}.recon_{m}_1" for i, m in enumerate(MODALITIES)},
    "fusion": "transformer_encoder.layers.0",
    "head.0": "fusion.fusion_layer_1",
    "head.3": "fusion.fusion_layer_3",
}


def published(name: str) -> str:
    part = max((part for part in PUBLISHED if name.startswith(f"{part}.")), key=len)
    return PUBLISHED[part] + name.removeprefix(part)


@pytest.fixture(scope="module")
def model(reference_tensor: Callable[..., Tensor]) -> MISA:
    """Without dropout, and its LSTMs can run backwards in evaluation mode."""
    weights = {}
    for j, (name, shape) in enumerate(REFERENCE["parameters"]):
        value = reference_tensor(shape, 0.37 * j, 0.1)
        weights[name] = 1 + value if "norm" in name and name.endswith("weight") else value
    model = MISA(MISASettings(variant="official"), SHAPES).eval()
    model.load_state_dict({name: weights[published(name)] for name in model.state_dict()})
    return model


@pytest.fixture(scope="module")
def inputs(reference_tensor: Callable[..., Tensor]) -> Inputs:
    def sequence(modality: str) -> PaddedSequence:
        entry = REFERENCE["inputs"][modality]
        values = reference_tensor(entry["shape"], entry["phase"], entry["scale"])
        mask = torch.arange(values.shape[1]) < torch.tensor(entry["lengths"])[:, None]
        if modality != "language":
            values = values * mask[:, :, None]
        return PaddedSequence(values, mask)

    return Inputs(sequence("language"), sequence("audio"), sequence("vision"))


@pytest.fixture(scope="module")
def output(model: MISA, inputs: Inputs) -> Output:
    return model(inputs)


@pytest.fixture(scope="module")
def terms(model: MISA, output: Output) -> Terms:
    return model.losses(output, targets([-1.5, 0.25, 2.0]))


def targets(labels: list[float]) -> Targets:
    label = torch.tensor(labels)
    return Targets(label, label, label, torch.arange(len(label)))


def assert_close(actual: Tensor, expected: Any, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(actual.detach(), torch.tensor(expected), atol=tolerance, rtol=0)


def norms(model: MISA, loss: Tensor) -> dict[str, float]:
    """Norms of a loss' gradients by published name; 0 where it does not depend on one."""
    named = dict(model.named_parameters())
    gradients = torch.autograd.grad(loss, [*named.values()], retain_graph=True, allow_unused=True)
    return {
        published(name): 0.0 if gradient is None else gradient.norm().item()
        for name, gradient in zip(named, gradients, strict=True)
    }


def assert_same_norms(actual: dict[str, float], expected: dict[str, float | None]) -> None:
    wrong = {
        name: (actual[name], norm)
        for name, norm in expected.items()
        if actual[name] != pytest.approx(norm or 0, rel=1e-3, abs=1e-9)
    }
    assert not wrong


# The published code


def test_names_and_shapes_are_those_the_published_code_learns(model: MISA) -> None:
    ours = {published(name): list(p.shape) for name, p in model.named_parameters()}
    learnt = {name for name, norm in TRAINED["grad_norms"].items() if norm is not None}
    assert ours == {name: shape for name, shape in REFERENCE["parameters"] if name in learnt}
    assert len(REFERENCE["parameters"]) - len(ours) == 4


def test_outputs_are_those_of_the_published_code(output: Output) -> None:
    assert_close(output.prediction[:, None], TRAINED["sentiment_preds"])
    assert_close(output.prediction[:, None], REFERENCE["eval"]["sentiment_preds"])
    for ours, theirs in (
        (output.projected, "projected"),
        (output.private, "private"),
        (output.shared, "shared"),
        (output.reconstructed, "reconstructed"),
    ):
        expected = TRAINED[f"{theirs}_first4_of_clip_1"]
        for i, modality in enumerate(MODALITIES):
            assert_close(ours[i, 1, :4], expected[modality])


def test_intermediate_values_are_those_of_the_published_code(model: MISA, inputs: Inputs) -> None:
    seen: dict[str, Tensor] = {}
    hooks = [
        module.register_forward_hook(lambda _m, _i, out, key=key: seen.update({key: out}))
        for key, module in (
            ("v", model.encode_vision),
            ("a", model.encode_audio),
            ("fusion", model.fusion),
        )
    ]
    model(inputs)
    for hook in hooks:
        hook.remove()
    expected = TRAINED["utterance_first4_of_clip_1"]
    assert_close(model.mean_state(inputs.text)[1, :4], expected["t"])
    assert_close(seen["v"][1, :4], expected["v"])
    assert_close(seen["a"][1, :4], expected["a"])
    token = TRAINED["transformer_output_token_3_first4_of_clip_1"]
    assert_close(seen["fusion"][1, 3, :4], token)


def test_losses_are_those_of_the_published_code(terms: Terms, output: Output) -> None:
    expected = TRAINED["losses"]
    assert_close(terms["total"], expected["total"])
    assert_close(terms["loss_task"], expected["task_mse"])
    assert_close(terms["loss_difference"], expected["difference_sum"], 1e-7)
    assert_close(terms["loss_similarity"], expected["similarity_cmd_mean"])
    assert_close(terms["loss_reconstruction"], expected["reconstruction_mean"])
    shared = dict(zip(MODALITIES, output.shared, strict=True))
    for pair, value in expected["cmd_pairs"].items():
        assert_close(losses.moment_discrepancy(*(shared[m] for m in pair.split(","))), value)


def test_gradient_norms_are_those_of_the_published_code(model: MISA, terms: Terms) -> None:
    expected = {n: norm for n, norm in TRAINED["grad_norms"].items() if norm is not None}
    assert_same_norms(norms(model, terms["total"]), expected)


def test_gradient_norms_of_every_term_are_those_of_the_published_code(
    model: MISA, terms: Terms
) -> None:
    for term, expected in TRAINED["grad_norms_by_unweighted_term"].items():
        assert_same_norms(norms(model, terms[f"loss_{term}"]), expected)


# Variants


def test_paper_reads_all_rows_and_official_as_many_as_there_are_tokens(
    model: MISA, inputs: Inputs
) -> None:
    paper = MISA(MISASettings(), SHAPES).eval()
    paper.load_state_dict(model.state_dict())
    values = inputs.vision.values.clone()
    values[0, 15] += 1  # the first clip has 20 rows of vision, and 12 tokens
    changed = inputs._replace(vision=inputs.vision._replace(values=values))
    assert torch.equal(model(changed).prediction, model(inputs).prediction)
    moved = paper(changed).prediction != paper(inputs).prediction
    assert moved.tolist() == [True, False, False]


# Missing data


def small(variant: Variant = "paper") -> MISA:
    return MISA(MISASettings(variant=variant, width=8), SHAPES)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("rows", "missing"), [(0, 0), (1, 0), (4, 4)])
def test_absent_modalities_give_finite_predictions_and_gradients(
    variant: Variant, rows: int, missing: int, inputs: Inputs
) -> None:
    for name, sequence in inputs._asdict().items():
        nothing = PaddedSequence(
            torch.zeros(3, rows, sequence.values.shape[2]),
            (torch.arange(rows) < missing).expand(3, rows),
            torch.zeros(3, rows, dtype=torch.bool),
        )
        model = small(variant)
        output = model(inputs._replace(**{name: nothing}))
        terms = model.losses(output, targets([1.0, -1.0, 0.0]))
        terms["total"].backward()
        assert output.prediction.isfinite().all()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_batch_of_one_clip_has_finite_gradients(inputs: Inputs) -> None:
    model = small()
    one = Inputs(*(PaddedSequence(s.values[:1], s.mask[:1]) for s in inputs))
    terms = model.losses(model(one), targets([1.0]))
    terms["total"].backward()
    assert terms["loss_difference"] == 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_padding_and_neighbours_change_nothing(inputs: Inputs) -> None:
    model = small().eval()
    last = Inputs(*(s._replace(values=s.values[2:, :9], mask=s.mask[2:, :9]) for s in inputs))
    torch.testing.assert_close(model(last).prediction, model(inputs).prediction[2:])


# Learning


def test_it_learns(make_inputs: Callable[..., dict[str, Any]]) -> None:
    settings = MISASettings(width=16, dropout=0.0, loss=LossWeights(similarity=0.1))
    how = TrainSettings(epochs=12, batch_size=10, learning_rate=3e-3)
    history = train(**make_inputs(name="misa", model_settings=settings, settings=how)).history
    assert history[-1]["train/loss_task"] < 0.5 * history[0]["train/loss_task"]
    assert history[-1]["train/total"] < 0.7 * history[0]["train/total"]
