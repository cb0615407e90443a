"""TETFN: the variant `official` against figures of the published code, and what our data ask."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lnln.data.batches import Inputs, PaddedSequence, collate
from lnln.data.features import FeatureSet
from lnln.layers.unimodal_heads import Output
from lnln.models.interface import Targets, Terms
from lnln.models.tetfn.model import TETFN
from lnln.models.tetfn.rows import pool
from lnln.models.tetfn.settings import TETFNSettings, Variant
from lnln.settings import Shapes, TrainSettings
from lnln.training.run import train

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "tetfn_reference.json").read_text("utf-8")
)
HEADS = ("fusion", "text", "audio", "vision")
ENCODER = {
    "attention.project.": "self_attn.in_proj_",
    "attention.out.": "self_attn.out_proj.",
    "norm_attention.": "layer_norms.0.",
    "norm_feed_forward.": "layer_norms.1.",
    "first.": "fc1.",
    "second.": "fc2.",
    "norm.": "layer_norm.",
}
RECURRENT = {"lstm.": "rnn.", "linear.": "conv."}
HEAD = {"first.": "layer_1.", "second.": "layer_2.", "third.": "layer_3."}
BLOCKS: dict[str, tuple[str, dict[str, str]]] = {
    "text_projection.": ("proj_l.", {}),
    "audio_encoder.": ("audio_model.", RECURRENT),
    "vision_encoder.": ("video_model.", RECURRENT),
    "cross.text_from_audio.": ("trans_l_with_a.", ENCODER),
    "cross.text_from_vision.": ("trans_l_with_v.", ENCODER),
    "cross.audio_from_text.": ("trans_a_with_l.", ENCODER),
    "cross.audio_from_vision.": ("trans_a_with_v.upper_mha.", ENCODER),
    "cross.vision_from_text.": ("trans_v_with_l.", ENCODER),
    "cross.vision_from_audio.": ("trans_v_with_a.upper_mha.", ENCODER),
    "enhance.audio_from_vision.": ("trans_a_with_v.lower_mha.", ENCODER),
    "enhance.vision_from_audio.": ("trans_v_with_a.lower_mha.", ENCODER),
    "within.text.": ("trans_l_mem.", ENCODER),
    "within.audio.": ("trans_a_mem.", ENCODER),
    "within.vision.": ("trans_v_mem.", ENCODER),
    "heads.multimodal.": ("post_fusion_", HEAD),
    "heads.text.": ("post_text_", HEAD),
    "heads.audio.": ("post_audio_", HEAD),
    "heads.vision.": ("post_video_", HEAD),
}


def published_name(name: str) -> str:
    """The name that the published code has for one of our parameters."""
    (block,) = (block for block in BLOCKS if name.startswith(block))
    start, renamed = BLOCKS[block]
    rest = name.removeprefix(block)
    for ours, theirs in renamed.items():
        rest = rest.replace(ours, theirs)
    return start + rest


def assert_close(actual: Tensor, expected: Any) -> None:
    torch.testing.assert_close(actual.detach(), torch.tensor(expected), atol=1e-5, rtol=0)


def assert_summary(actual: Tensor, expected: dict[str, Any]) -> None:
    """Compare a tensor with its shape, mean, mean square, and first and last values."""
    actual = actual.detach()
    assert list(actual.shape) == expected["shape"]
    assert_close(actual.mean(), expected["mean"])
    assert_close(actual.square().mean(), expected["mean_square"])
    assert_close(actual.flatten()[:8], expected["first8"])
    assert_close(actual.flatten()[-8:], expected["last8"])


@pytest.fixture(scope="module")
def weights(reference_tensor: Callable[..., Tensor]) -> dict[str, Tensor]:
    """The weights of the reference under their published names."""
    values = {}
    for j, (name, shape) in enumerate(REFERENCE["parameters"]):
        value = reference_tensor(shape, 0.37 * j, 0.2)
        values[name] = 1 + value if "norm" in name and name.endswith("weight") else value
    return values


@pytest.fixture(scope="module")
def build(weights: dict[str, Tensor]) -> Callable[..., TETFN]:
    """Build the network of the reference, without dropout."""
    shapes = Shapes(
        text_dim=32, audio_dim=7, vision_dim=5, text_length=12, audio_length=16, vision_length=20
    )

    def build(variant: Variant = "official", **changes: Any) -> TETFN:
        nothing = {"from_text": 0, "from_vision": 0, "residual": 0}
        settings = {"variant": variant, "dropout": nothing} | changes
        model = TETFN(TETFNSettings.model_validate(settings), shapes)
        model.load_state_dict(
            {
                name: weights[published_name(name)].reshape(tensor.shape)
                for name, tensor in model.state_dict().items()
            }
        )
        return model

    return build


@pytest.fixture(scope="module")
def inputs(reference_tensor: Callable[..., Tensor]) -> Inputs:
    sequences = []
    for modality in ("text", "audio", "vision"):
        entry = REFERENCE["inputs"][modality]
        values = reference_tensor(entry["shape"], entry["phase"], entry["scale"])
        mask = torch.arange(values.shape[1]) < torch.tensor(entry["lengths"])[:, None]
        if modality != "text":
            values = values * mask[:, :, None]
        sequences.append(PaddedSequence(values, mask))
    return Inputs(*sequences)


MEMORY = REFERENCE["training_set"]
CLIPS = torch.tensor(MEMORY["batch_indexes"])
LABELS = torch.tensor([MEMORY["labels"][head] for head in HEADS]).T  # [8, 4]


@pytest.fixture(scope="module")
def targets() -> Targets:
    return Targets(LABELS[CLIPS, 0], torch.ones(3), torch.zeros(3), CLIPS)


def remember(model: TETFN, reference_tensor: Callable[..., Tensor]) -> None:
    """Put the network where the reference is: in the second epoch, with labels and features."""
    model.before_training(LABELS[:, 0])
    model.after_epoch(1)
    model.labels.labels = LABELS.clone()
    features = []
    for column, head in enumerate(HEADS):
        entry = MEMORY["features"][head]
        values = reference_tensor(entry["shape"], entry["phase"], entry["scale"])
        features.append(values + 0.3 * LABELS[:, column].sign()[:, None])
    model.labels.features = torch.cat(features, 1)


@pytest.fixture(scope="module")
def model(build: Callable[..., TETFN], reference_tensor: Callable[..., Tensor]) -> TETFN:
    model = build()
    remember(model, reference_tensor)
    return model


Inside = dict[str, Tensor]


@pytest.fixture(scope="module")
def trained(model: TETFN, inputs: Inputs, targets: Targets) -> tuple[Output, Inside, Terms]:
    """Forward and backward in training mode, with what the blocks put out on the way."""
    inside: Inside = {}
    hooks = []
    for name, module in model.named_modules():
        if f"{name}." in BLOCKS:
            theirs = published_name(f"{name}.").removesuffix(".").removesuffix(".upper_mha")

            def keep(_: Any, __: Any, output: Any, theirs: str = theirs) -> None:
                inside[theirs] = output

            hooks.append(module.register_forward_hook(keep))
    model.train()
    model.zero_grad()
    output = model(inputs)
    for hook in hooks:
        hook.remove()
    terms = model.losses(output, targets)
    terms["total"].backward()
    return output, inside, terms


def test_names_and_shapes_are_those_of_the_published_code(model: TETFN) -> None:
    ours = {published_name(name): list(p.shape) for name, p in model.named_parameters()}
    # A convolution over one row is a linear layer.
    theirs = {
        name: shape[:2] if "conv" in name or "proj_l" in name else shape
        for name, shape in REFERENCE["parameters"]
    }
    assert ours == theirs
    assert len(ours) == 297


def test_training_outputs_are_those_of_the_published_code(
    model: TETFN, trained: tuple[Output, Inside, Terms]
) -> None:
    output, expected = trained[0], REFERENCE["train"]
    assert_close(output.prediction[:, None], expected["M"])
    for column, name in enumerate("TAV"):
        assert_close(output.unimodal[:, column, None], expected[name])
    for feature, head in zip(output.features.split(model.labels.widths, 1), HEADS, strict=True):
        assert_summary(feature, expected[f"feature_{head}"])


def test_blocks_put_out_what_those_of_the_published_code_do(
    trained: tuple[Output, Inside, Terms],
) -> None:
    inside, expected = trained[1], REFERENCE["train"]
    blocks = [n for n in expected if n.startswith("trans")]
    assert len(blocks) == 9
    for name in blocks:
        assert_summary(inside[name].transpose(0, 1), expected[name])
    for name in ("audio_model", "video_model"):
        assert_summary(inside[name].transpose(1, 2), expected[name])


def test_losses_are_those_of_the_published_code(
    trained: tuple[Output, Inside, Terms],
) -> None:
    terms, expected = trained[2], REFERENCE["train"]["losses"]
    assert_close(terms["total"], expected["loss"])
    for ours, theirs in zip(("prediction", *HEADS[1:]), HEADS, strict=True):
        assert_close(terms[f"loss_{ours}"], expected[theirs])


def test_gradient_norms_are_those_of_the_published_code(
    model: TETFN, trained: tuple[Output, Inside, Terms]
) -> None:
    names = (name for name, _ in REFERENCE["parameters"])
    expected = dict(zip(names, REFERENCE["train"]["grad_norms"], strict=True))
    wrong = {}
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        norm, reference = parameter.grad.norm().item(), expected[published_name(name)]
        close = abs(norm - reference) < 1e-3 * reference if reference > 1e-6 else norm < 1e-6
        if not close:
            wrong[name] = (norm, reference)
    assert not wrong


def test_labels_and_centres_move_as_in_the_published_code(
    build: Callable[..., TETFN],
    reference_tensor: Callable[..., Tensor],
    inputs: Inputs,
    targets: Targets,
) -> None:
    model, expected = build().train(), REFERENCE["train"]["label_update"]
    remember(model, reference_tensor)

    def compare(centres: list[tuple[Tensor, Tensor]], theirs: dict[str, Any]) -> None:
        for (positive, negative), head in zip(centres, HEADS, strict=True):
            assert_summary(positive, theirs[head]["pos"])
            assert_summary(negative, theirs[head]["neg"])

    compare(model.labels.centres(), expected["centers_before"])
    model.after_step(model(inputs), targets)
    labels = torch.tensor([expected["labels_after"][head] for head in HEADS]).T
    assert_close(model.labels.labels, labels.tolist())
    compare(model.labels.centres(), expected["centers_after"])


def test_first_epoch_trains_the_fusion_alone_as_in_the_published_code(
    build: Callable[..., TETFN], inputs: Inputs, targets: Targets
) -> None:
    model, expected = build().train(), REFERENCE["train"]["first_epoch"]
    model.before_training(LABELS[:, 0])
    terms = model.losses(model(inputs), targets)
    terms["total"].backward()
    assert_close(terms["total"], expected["loss"])
    norms = {
        published_name(name): p.grad.norm().item()
        for name, p in model.named_parameters()
        if p.grad is not None
    }
    assert sum(norms.values()) == pytest.approx(expected["grad_norms_sum"], rel=1e-3)
    still = [j for j, (name, _) in enumerate(REFERENCE["parameters"]) if norms[name] == 0]
    assert still == expected["with_zero_gradient"]


def test_evaluation_outputs_are_those_of_the_published_code(
    model: TETFN, inputs: Inputs, targets: Targets
) -> None:
    with torch.no_grad():
        output = model.eval()(inputs)
    expected = REFERENCE["eval"]
    assert_close(output.prediction[:, None], expected["M"])
    for column, name in enumerate("TAV"):
        assert_close(output.unimodal[:, column, None], expected[name])
    assert_close((output.prediction - targets.label).abs().mean(), expected["loss"])


def test_pooled_sequences_give_what_they_do_in_the_published_code(
    build: Callable[..., TETFN], inputs: Inputs
) -> None:
    expected, most = REFERENCE["aligned"], inputs.text.values.shape[1]
    for modality in ("audio", "vision"):
        values = getattr(inputs, modality).values
        rows, groups = torch.full((3,), values.shape[1]), torch.full((3,), most)
        assert_summary(pool(values, rows, groups, most), expected[f"{modality}_pooled"])
    with torch.no_grad():
        output = build(alignment="pooled").eval()(inputs)
    assert_close(output.prediction[:, None], expected["M"])
    for column, name in enumerate("TAV"):
        assert_close(output.unimodal[:, column, None], expected[name])


def test_groups_are_means_of_a_clip_s_own_rows() -> None:
    values = torch.arange(1.0, 8.0).expand(4, -1)[:, :, None]
    means = pool(values, torch.tensor([7, 4, 2, 0]), torch.tensor([3, 2, 3, 2]), 3)
    assert means[:, :, 0].tolist() == [
        [2.0, 5.0, 7.0],  # the last row is repeated twice
        [1.5, 3.5, 0.0],
        [1.0, 2.0, 2.0],
        [0.0, 0.0, 0.0],
    ]


@pytest.mark.parametrize("alignment", ["none", "pooled"])
def test_neighbours_in_a_batch_do_not_change_an_answer(
    shapes: Shapes, clips: FeatureSet, alignment: Any
) -> None:
    model = TETFN(TETFNSettings(alignment=alignment), shapes)
    together = model.predict(clips).prediction
    alone = [model.predict(clips.take([i])).prediction[0] for i in range(len(clips))]
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("variant", ["paper", "official"])
@pytest.mark.parametrize("alignment", ["none", "pooled"])
@pytest.mark.parametrize("clips", [1, 3])
def test_absent_modalities_give_finite_predictions_and_gradients(
    model: TETFN,
    inputs: Inputs,
    targets: Targets,
    variant: Variant,
    alignment: str,
    clips: int,
) -> None:
    def without(sequence: PaddedSequence) -> PaddedSequence:
        values = torch.zeros_like(sequence.values[:clips])
        mask = torch.zeros_like(sequence.mask[:clips])
        if variant == "official":  # of full length
            return PaddedSequence(values, mask)
        return PaddedSequence(values[:, :1], mask[:, :1])

    text, audio, vision = (PaddedSequence(s.values[:clips], s.mask[:clips]) for s in inputs)
    missing = audio._replace(
        values=torch.zeros_like(audio.values), observed=torch.zeros_like(audio.mask)
    )
    batch = Targets(*(field[:clips] for field in targets))
    settings = TETFNSettings.model_validate(
        {"variant": variant, "alignment": alignment, "width": 4, "heads": 1, "layers": 1}
    )
    for given in (
        Inputs(text, without(audio), without(vision)),
        Inputs(text, missing, vision),
        Inputs(text, audio, without(vision)),
        Inputs(text._replace(values=torch.zeros_like(text.values)), audio, vision),
    ):
        small = TETFN(settings, model.layout.shapes)
        small.before_training(LABELS[:, 0])
        for epoch in (1, 2):
            output = small(given)
            small.losses(output, batch)["total"].backward()
            small.after_step(output, batch)
            small.after_epoch(epoch)
            assert output.prediction.isfinite().all()
        assert small.labels.labels.isfinite().all()
        for name, parameter in small.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name


def test_encoders_have_learning_rates_of_their_own(model: TETFN) -> None:
    groups = model.parameter_groups(TrainSettings(learning_rate=1e-3))
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(rates) == sum(len(group["params"]) for group in groups) == 297
    expected = {"audio_encoder": 5e-4, "vision_encoder": 3e-4}
    for name, parameter in model.named_parameters():
        assert rates[id(parameter)] == expected.get(name.split(".")[0], 1e-3), name


def test_variants_read_what_they_say(shapes: Shapes, clips: FeatureSet) -> None:
    paper, official = (
        TETFN(TETFNSettings.model_validate({"variant": variant}), shapes).layout
        for variant in ("paper", "official")
    )
    assert (paper.length, paper.features) == ("longest", "z_scores")
    assert (official.length, official.features) == ("full", "raw")
    assert collate(clips, official).audio.values.shape[1] == shapes.audio_length


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ValueError, match="heads=3 does not divide width=50"):
        TETFNSettings(heads=3)


def test_learns_and_gives_every_modality_labels_of_its_own(
    make_inputs: Callable[..., dict[str, Any]],
) -> None:
    settings = TrainSettings(epochs=8, batch_size=8, learning_rate=1e-2)
    small = TETFNSettings(width=8, heads=2, layers=1)
    trained = train(**make_inputs(name="tetfn", model_settings=small, settings=settings))
    first, last = trained.history[0], trained.history[-1]
    assert last["train/loss_prediction"] < 0.8 * first["train/loss_prediction"]
    assert first["train/loss_text"] == 0 < last["train/loss_text"]
    assert isinstance(trained.model, TETFN)
    labels = trained.model.labels.labels
    assert all((labels[:, head] != labels[:, 0]).any() for head in (1, 2, 3))
