"""CENET against figures of the published code (tests/fixtures), its encoder, and missing data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    MPNetConfig,
    MPNetModel,
    RobertaConfig,
    RobertaModel,
)

from lnln.data.batches import Inputs, PaddedSequence, collate
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.models.cenet.encoder import encode
from lnln.models.cenet.enhancement import Enhancement
from lnln.models.cenet.model import CENET
from lnln.models.cenet.settings import VARIANTS, CENETSettings, Variant
from lnln.models.interface import Targets
from lnln.settings import Shapes, TrainSettings
from lnln.training.run import train

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "cenet_reference.json").read_text("utf-8")
)
TRAINED, ALONE = REFERENCE["train"], REFERENCE["enhancement"]
SHAPES = Shapes(
    text_dim=32, audio_dim=7, vision_dim=5, text_length=12, audio_length=16, vision_length=20
)
TINY = {
    "vocab_size": 30,
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 32,
}
ENHANCEMENT = {
    "see.first": "visual_transform.0",
    "see.second": "visual_transform.2",
    "hear.first": "acoustic_transform.0",
    "hear.second": "acoustic_transform.2",
    **{
        f"{ours}.{part}": f"{theirs}.W{part[0]}"
        for ours, theirs in (("see", "hv"), ("hear", "ha"))
        for part in ("query", "key", "value")
    },
    "join": "cat_connect",
}
PUBLISHED = {
    "language.model": "bert",
    **{f"enhance.{ours}": f"bert.encoder.CE.{theirs}" for ours, theirs in ENHANCEMENT.items()},
    "head.1": "classifier.dense",
    "head.4": "classifier.out_proj",
}


def published(name: str, parts: dict[str, str] = PUBLISHED) -> str:
    part = next(part for part in parts if name.startswith(f"{part}."))
    return parts[part] + name.removeprefix(part)


def formula(reference_tensor: Callable[..., Tensor], parameters: list[Any]) -> dict[str, Tensor]:
    weights = {}
    for j, (name, shape) in enumerate(parameters):
        value = reference_tensor(shape, 0.37 * j, 0.2)
        norm = "norm" in name.lower() and name.endswith("weight")
        weights[name] = 1 + value if norm else value
    return weights


@pytest.fixture(scope="module")
def model(reference_tensor: Callable[..., Tensor]) -> CENET:
    config = {k: v for k, v in REFERENCE["config"].items() if k != "enhancement_before_layer"}
    language = LanguageEncoder(BertModel(BertConfig(**config)))
    model = CENET(CENETSettings(variant="official", dropout=0), SHAPES, language)
    weights = formula(reference_tensor, REFERENCE["parameters"])
    model.load_state_dict({name: weights[published(name)] for name in model.state_dict()})
    return model


@pytest.fixture(scope="module")
def states_and_frames(reference_tensor: Callable[..., Tensor]) -> Inputs:
    def sequence(modality: str) -> PaddedSequence:
        entry = REFERENCE["inputs"][modality]
        values = reference_tensor(entry["shape"], entry["phase"], entry["scale"])
        mask = torch.arange(values.shape[1]) < torch.tensor(entry["lengths"])[:, None]
        return PaddedSequence(values if modality == "text" else values * mask[:, :, None], mask)

    return Inputs(sequence("text"), sequence("audio"), sequence("vision"))


@pytest.fixture(scope="module")
def inputs(states_and_frames: Inputs) -> Inputs:
    ids = torch.tensor(REFERENCE["inputs"]["token_ids"]["values"])
    return states_and_frames._replace(text=PaddedSequence(ids, states_and_frames.text.mask))


def targets(labels: list[float]) -> Targets:
    label = torch.tensor(labels)
    return Targets(label, label, label, torch.arange(len(label)))


def assert_close(actual: Tensor, expected: Any) -> None:
    torch.testing.assert_close(actual.detach(), torch.tensor(expected), atol=1e-5, rtol=0)


def assert_summarised(actual: Tensor, expected: dict[str, Any]) -> None:
    assert list(actual.shape) == expected["shape"]
    assert_close(actual.mean(), expected["mean"])
    assert_close(actual.square().mean(), expected["mean_square"])
    assert_close(actual.flatten()[:8], expected["first8"])
    assert_close(actual.flatten()[-8:], expected["last8"])


def wrong_norms(module: nn.Module, loss: Tensor, expected: dict[str, Any], parts: Any) -> list[str]:
    """Names whose gradient has another norm; of a bias of keys it is 0 but for noise."""
    named = {n: p for n, p in module.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(loss, [*named.values()], retain_graph=True)
    norms = {published(n, parts): g.norm().item() for n, g in zip(named, gradients, strict=True)}
    return [
        name
        for name, norm in expected.items()
        if norms.get(name, 0) != pytest.approx(norm or 0, rel=1e-3, abs=1e-6 if not norm else 1e-7)
    ]


# The published code


def test_enhancement_alone_is_that_of_the_published_code(
    states_and_frames: Inputs, reference_tensor: Callable[..., Tensor]
) -> None:
    alone = Enhancement(SHAPES, VARIANTS["official"])
    weights = formula(reference_tensor, ALONE["parameters"])
    ours = {published(n, ENHANCEMENT): list(p.shape) for n, p in alone.named_parameters()}
    assert ours == {n: shape for n, shape in ALONE["parameters"] if not n.endswith("Wk.bias")}
    alone.load_state_dict({n: weights[published(n, ENHANCEMENT)] for n in alone.state_dict()})
    text, audio, vision = states_and_frames
    states = text.values.requires_grad_()
    assert_summarised(alone.see(states, vision), ALONE["attended_vision"])
    assert_summarised(alone.hear(states, audio), ALONE["attended_audio"])
    shifted = alone(states, vision, audio)
    assert_close(shifted, ALONE["shifted"])
    probe = shifted.square().mean()
    assert_close(probe, ALONE["losses"]["probe"])
    names = [name for name, _ in ALONE["parameters"]]
    expected = dict(zip(names, ALONE["grad_norms"], strict=True))
    assert wrong_norms(alone, probe, expected, ENHANCEMENT) == []
    (gradient,) = torch.autograd.grad(probe, states)
    assert gradient.norm().item() == pytest.approx(ALONE["grad_norm_of_hidden_states"], rel=1e-3)


def test_names_and_shapes_are_those_the_published_code_uses(model: CENET) -> None:
    ours = {published(name): list(p.shape) for name, p in model.named_parameters()}
    idle: tuple[str, ...] = (
        "bert.pooler.",
        *(f"bert.embeddings.{t}" for t in ("senti_", "pos_tag_", "polarity_")),
    )
    idle += tuple(f"bert.encoder.CE.{of}.Wk.bias" for of in ("hv", "ha"))
    used = {name: shape for name, shape in REFERENCE["parameters"] if not name.startswith(idle)}
    assert ours == used
    assert len(REFERENCE["parameters"]) - len(ours) == 7


def test_predictions_and_loss_are_those_of_the_published_code(model: CENET, inputs: Inputs) -> None:
    output = model.train()(inputs)
    assert_close(output.prediction[:, None], TRAINED["prediction"])
    loss = model.losses(output, targets([-1.5, 0.25, 2.0]))["total"]
    assert_close(loss, TRAINED["losses"]["loss"])
    assert_close(model.eval()(inputs).prediction[:, None], REFERENCE["eval"]["prediction"])


def test_states_on_the_way_are_those_of_the_published_code(model: CENET, inputs: Inputs) -> None:
    seen: list[Tensor] = []

    def change(states: Tensor) -> Tensor:
        seen.extend([states, model.enhance(states, inputs.vision, inputs.audio)])
        return seen[-1]

    assert isinstance(model.language, LanguageEncoder)
    embeddings: Any = model.language.model.embeddings
    last = encode(model.language.model, inputs.text.values, inputs.text.mask, change)
    assert_summarised(embeddings(input_ids=inputs.text.values), TRAINED["embeddings"])
    for states, name in zip([*seen, last], ("layer0", "enhanced", "layer1"), strict=True):
        assert_summarised(states, TRAINED[name])


def test_gradient_norms_are_those_of_the_published_code(model: CENET, inputs: Inputs) -> None:
    loss = model.losses(model(inputs), targets([-1.5, 0.25, 2.0]))["total"]
    names = [name for name, _ in REFERENCE["parameters"]]
    expected = dict(zip(names, TRAINED["grad_norms"], strict=True))
    assert wrong_norms(model, loss, expected, PUBLISHED) == []


# The language encoder


def build(shapes: Shapes, frozen: bool = True, variant: Variant = "paper") -> CENET:
    kind = FrozenLanguageEncoder if frozen else LanguageEncoder
    return CENET(CENETSettings(variant=variant), shapes, kind(BertModel(BertConfig(**TINY))))


def test_gradients_reach_the_enhancement_through_a_frozen_encoder(
    shapes: Shapes, clips: FeatureSet
) -> None:
    model = build(shapes).train()
    assert model.language is not None and not model.language.training
    output = model(collate(clips, model.layout))
    model.losses(output, targets(12 * [1.0]))["total"].backward()
    for name, parameter in model.named_parameters():
        reached = parameter.grad is not None and parameter.grad.isfinite().all()
        assert reached is not name.startswith("language."), name
    assert model.enhance.join.weight.grad is not None
    assert model.enhance.join.weight.grad.any()


def test_without_its_shift_it_is_the_language_encoder(shapes: Shapes, clips: FeatureSet) -> None:
    model = build(shapes).eval()
    nn.init.zeros_(model.enhance.join.weight)
    inputs = collate(clips, model.layout)
    assert model.language is not None
    expected = model.language(inputs.text.values, inputs.text.mask)[:, 0]
    torch.testing.assert_close(model.first_states(inputs), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_encoder_trained_along_has_its_own_rate_and_no_decay_of_biases(
    variant: Variant, shapes: Shapes
) -> None:
    model = build(shapes, frozen=False, variant=variant)
    names = {id(p): name for name, p in model.named_parameters()}
    how = TrainSettings(learning_rate=1e-4, language_learning_rate=1e-5)
    found = {
        names[id(p)]: (group["lr"], group.get("weight_decay"))
        for group in model.parameter_groups(how)
        for p in group["params"]
    }
    assert found["enhance.join.bias"] == found["head.1.weight"] == (1e-4, None)
    assert found["head.1.bias"] == (1e-4, 0)
    layer = "language.model.encoder.layer.1.output"
    assert found[f"{layer}.dense.weight"] == (1e-5, None)
    assert found[f"{layer}.dense.bias"] == found[f"{layer}.LayerNorm.weight"] == (1e-5, 0)
    frozen = set(names.values()) - found.keys()
    assert all(name.startswith("language.model.embeddings.") for name in frozen)
    assert bool(frozen) is (variant == "official")


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_any_encoder_built_like_bert_will_do(
    attention: str, shapes: Shapes, clips: FeatureSet
) -> None:
    config = RobertaConfig(**TINY, pad_token_id=0, attn_implementation=attention)
    model = CENET(CENETSettings(), shapes, FrozenLanguageEncoder(RobertaModel(config))).eval()
    assert model(collate(clips, model.layout)).prediction.isfinite().all()


def test_other_encoders_are_refused(shapes: Shapes) -> None:
    distil = DistilBertModel(DistilBertConfig(vocab_size=30, dim=8, n_layers=2, n_heads=2))
    mpnet = MPNetModel(MPNetConfig(**TINY))  # its layers share a bias of relative positions
    nn.init.normal_(mpnet.encoder.relative_attention_bias.weight)
    for other in (distil, mpnet):
        with pytest.raises(ValueError, match=f"{type(other).__name__} is not plain embeddings"):
            CENET(CENETSettings(), shapes, FrozenLanguageEncoder(other))


def test_without_a_language_encoder_it_says_what_it_needs(
    shapes: Shapes, clips: FeatureSet
) -> None:
    model = CENET(CENETSettings(), shapes)
    with pytest.raises(ValueError, match="has no language encoder"):
        model(collate(clips, model.layout))


# Missing data


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("rows", "missing"), [(0, 0), (1, 0), (4, 4)])
def test_absent_modalities_give_finite_predictions_and_gradients(
    variant: Variant, rows: int, missing: int, shapes: Shapes, clips: FeatureSet
) -> None:
    model = build(shapes, variant=variant)
    inputs, count = collate(clips, model.layout), len(clips)
    for name in ("audio", "vision"):
        nothing = PaddedSequence(
            torch.zeros(count, rows, getattr(shapes, f"{name}_dim")),
            (torch.arange(rows) < missing).expand(count, rows),
            torch.zeros(count, rows, dtype=torch.bool),
        )
        output = model(inputs._replace(**{name: nothing}))
        model.losses(output, targets(count * [1.0]))["total"].backward()
        assert output.prediction.isfinite().all()
        own = [*model.enhance.parameters(), *model.head.parameters()]
        assert all(p.grad is not None and p.grad.isfinite().all() for p in own)


def test_a_sentence_without_tokens_has_an_answer(shapes: Shapes, clips: FeatureSet) -> None:
    model = build(shapes).eval()
    inputs = collate(clips, model.layout)
    mask = inputs.text.mask.clone()
    mask[4] = False
    answers = model(inputs._replace(text=PaddedSequence(inputs.text.values * mask, mask)))
    assert answers.prediction.isfinite().all()


def test_padding_and_neighbours_change_nothing(shapes: Shapes, clips: FeatureSet) -> None:
    model = build(shapes)
    together = model.predict(clips).prediction
    alone = [model.predict(clips.take([i])).prediction[0] for i in range(len(clips))]
    assert together == pytest.approx(alone, abs=1e-6)


# Learning


def test_it_learns(make_inputs: Callable[..., dict[str, Any]]) -> None:
    how = TrainSettings(epochs=18, batch_size=5, learning_rate=2e-2, weight_decay=0)
    run = make_inputs(name="cenet", model_settings=CENETSettings(dropout=0), settings=how)
    history = train(**run).history
    assert history[-1]["train/total"] < 0.6 * history[0]["train/total"]
