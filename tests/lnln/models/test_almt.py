"""ALMT against figures of the published code (tests/fixtures), and where data are missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from lnln.data.batches import Inputs, PaddedSequence
from lnln.models.almt.model import ALMT
from lnln.models.almt.settings import VARIANTS, ALMTSettings, Variant
from lnln.models.interface import Targets
from lnln.models.lnln.published_names import ENCODERS, HYPER_LAYERS
from lnln.settings import Shapes, TrainSettings
from lnln.training.run import train

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "almt_reference.json").read_text("utf-8")
)
TRAINED = REFERENCE["train"]
SHAPES = Shapes(
    text_dim=32, audio_dim=7, vision_dim=5, text_length=12, audio_length=16, vision_length=20
)
PARTS = {
    **{f"embed_{m}.linear": f"embedding_{m[0]}.0" for m in ("audio", "vision")},
    **{f"embed_{m}.encoder": f"embedding_{m[0]}.1" for m in ("audio", "vision")},
    "embed_text.linear": "embedding_l.0",
    "embed_text.encoder": "embedding_l.1",
    "language_encoder": "l_encoder",
    "hyper_start": "h_hyper",
    "hyper_layers": "h_hyper_layer.layers",
    "fusion.layers": "fusion_layer.CrossTransformerEncoder.layers",
    "fusion": "fusion_layer",
    "regressor": "regression_head",
}
WORDS = sorted((PARTS | ENCODERS | HYPER_LAYERS).items(), key=lambda pair: -len(pair[0]))


def published(name: str) -> str:
    """Translate a name from the left, the longest words first."""
    rest, words = f"{name}.", []
    while rest:
        ours, theirs = next(
            (pair for pair in WORDS if rest.startswith(f"{pair[0]}.")), 2 * (rest.split(".")[0],)
        )
        words.append(theirs)
        rest = rest[len(ours) + 1 :]
    return ".".join(words)


@pytest.fixture(scope="module")
def model(reference_tensor: Callable[..., Tensor]) -> ALMT:
    weights = {}
    for j, (name, shape) in enumerate(REFERENCE["parameters"]):
        value = reference_tensor(shape, 0.37 * j, 0.1)
        weights[name] = 1 + value if "norm" in name and name.endswith("weight") else value
    model = ALMT(ALMTSettings(variant="official"), SHAPES)
    model.load_state_dict({name: weights[published(name)] for name in model.state_dict()})
    return model


@pytest.fixture(scope="module")
def inputs(reference_tensor: Callable[..., Tensor]) -> Inputs:
    def sequence(modality: str) -> PaddedSequence:
        entry = REFERENCE["inputs"][modality]
        values = reference_tensor(entry["shape"], entry["phase"], entry["scale"])
        lengths = torch.tensor(entry.get("lengths", [values.shape[1]] * 3))
        mask = torch.arange(values.shape[1]) < lengths[:, None]
        return PaddedSequence(values * mask[:, :, None], mask)

    return Inputs(sequence("language"), sequence("audio"), sequence("vision"))


def targets(labels: list[float]) -> Targets:
    label = torch.tensor(labels)
    return Targets(label, label, label, torch.arange(len(label)))


def assert_close(actual: Tensor, expected: Any) -> None:
    torch.testing.assert_close(actual.detach(), torch.tensor(expected), atol=1e-5, rtol=0)


# The published code


def test_names_and_shapes_are_those_of_the_published_code(model: ALMT) -> None:
    ours = {published(name): list(p.shape) for name, p in model.named_parameters()}
    assert ours == dict(REFERENCE["parameters"])
    assert len(ours) == 183


def test_outputs_and_loss_are_those_of_the_published_code(model: ALMT, inputs: Inputs) -> None:
    output = model.train()(inputs)
    assert_close(output.prediction[:, None], TRAINED["sentiment_preds"])
    total = model.losses(output, targets([-1.5, 0.25, 2.0]))["total"]
    assert_close(total, TRAINED["losses"]["total"])
    with torch.no_grad():
        assert_close(model.eval()(inputs).prediction[:, None], REFERENCE["eval"]["sentiment_preds"])


def test_intermediate_values_are_those_of_the_published_code(model: ALMT, inputs: Inputs) -> None:
    text = model.embed_text(inputs.text)
    audio, vision = model.embed_audio(inputs.audio), model.embed_vision(inputs.vision)
    for tokens, modality in ((text, "language"), (audio, "audio"), (vision, "vision")):
        expected = TRAINED["embedding_token_0_first4_of_clip_1"][modality]
        assert_close(tokens[1, 0, :4], expected)
    guides = model.language_encoder(text)
    hyper, hypers = model.hyper_start.expand(3, -1, -1), []
    for layer, guide in zip(model.hyper_layers, guides, strict=True):
        hyper = layer(hyper, guide, audio, vision)
        hypers.append(hyper)
    for states, name in (
        (guides, "language_guides"),
        (hypers, "hyper_modality_after_each_layer"),
    ):
        expected = TRAINED[f"{name}_token_7_first4_of_clip_1"]
        assert_close(torch.stack([state[1, 7, :4] for state in states]), expected)
    expected = TRAINED["fusion_output_token_0_first4_of_each_clip"]
    assert_close(model.fusion.summary(hyper)[:, :4], expected)


def test_gradient_norms_are_those_of_the_published_code(model: ALMT, inputs: Inputs) -> None:
    model.zero_grad()
    model.losses(model(inputs), targets([-1.5, 0.25, 2.0]))["total"].backward()
    wrong = {}
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        norm, reference = parameter.grad.norm().item(), TRAINED["grad_norms"][published(name)]
        # Softmax does not feel the bias of norm_key: its true gradient is 0, both are noise.
        close = abs(norm - reference) < 1e-3 * reference if reference > 1e-6 else norm < 1e-6
        if not close:
            wrong[name] = (norm, reference)
    assert not wrong


# Variants


def small(variant: Variant = "paper", **more: Any) -> ALMT:
    settings = ALMTSettings(
        variant=variant, width=16, tokens=2, heads=2, head_width=4, hyper_head_width=4, **more
    )
    return ALMT(settings, SHAPES)


@pytest.mark.parametrize("variant", VARIANTS)
def test_padding_is_attended_in_official_alone(variant: Variant, inputs: Inputs) -> None:
    model = small(variant).eval()
    shorter = Inputs(
        inputs.text, *(s._replace(values=s.values[:, :-2], mask=s.mask[:, :-2]) for s in inputs[1:])
    )
    longer = Inputs(
        inputs.text,
        *(
            s._replace(values=F.pad(s.values, (0, 0, 0, 2)), mask=F.pad(s.mask, (0, 2)))
            for s in shorter[1:]
        ),
    )
    unmoved = torch.isclose(model(shorter).prediction, model(longer).prediction, atol=1e-6)
    assert unmoved.all() if variant == "paper" else not unmoved.any()


# Missing data


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
        model.losses(output, targets([1.0, -1.0, 0.0]))["total"].backward()
        assert output.prediction.isfinite().all()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_batch_of_one_clip_is_answered_as_in_a_larger_one(inputs: Inputs) -> None:
    model = small().eval()
    last = Inputs(*(PaddedSequence(s.values[2:], s.mask[2:]) for s in inputs))
    torch.testing.assert_close(model(last).prediction, model(inputs).prediction[2:])


# Learning


def test_it_learns(make_inputs: Callable[..., dict[str, Any]]) -> None:
    settings = ALMTSettings(width=16, tokens=2, heads=2, head_width=8, hyper_head_width=8)
    how = TrainSettings(epochs=15, batch_size=5, learning_rate=1e-2)
    history = train(**make_inputs(name="almt", model_settings=settings, settings=how)).history
    assert history[-1]["train/total"] < 0.6 * history[0]["train/total"]
