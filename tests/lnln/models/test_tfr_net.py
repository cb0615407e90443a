"""TFR-Net against figures of the published code (tests/fixtures), and on data of our own."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from lnln.data.batches import Inputs, PaddedSequence
from lnln.data.features import FeatureSet
from lnln.models.interface import Targets, Terms
from lnln.models.tfr_net.losses import Generated, generation
from lnln.models.tfr_net.model import Output, TFRNet
from lnln.models.tfr_net.settings import VARIANTS, Dropout, Kernels, Summaries, TFRNetSettings
from lnln.settings import Shapes, TrainSettings
from lnln.training.run import train

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "tfr_net_reference.json").read_text("utf-8")
)
NO_DROPOUT = Dropout(text=0, embedding=0, from_text=0, from_audio=0, relu=0, residual=0, summary=0)
LETTERS = {"text": "l", "audio": "a", "vision": "v"}
ALIGN, FUSE = "align_subnet.Model.", "fusion_subnet.Model."
WORDS: dict[str, Any] = {
    r"^convolutions\.(\w+)": lambda m: f"{ALIGN}proj_{LETTERS[m[1]]}",
    r"^cross\.(\w+)_from_(\w+)\.": lambda m: f"{ALIGN}trans_{LETTERS[m[1]]}_with_{LETTERS[m[2]]}.",
    r"^within\.(\w+)\.": lambda m: f"{ALIGN}trans_{LETTERS[m[1]]}_mem.",
    r"^reconstructions\.(\w+)\.encoder": lambda m: f"{ALIGN}trans_{LETTERS[m[1]]}_final",
    r"^reconstructions\.(\w)\w+\.linear": r"generator_\1.Model.linear",
    r"^summaries\.(\w+)\.gru": rf"{FUSE}\1_encoder.gru.gru",
    r"^summaries\.(\w+)\.gate": rf"{FUSE}\1_encoder.cnn",
    r"^summaries\.(\w+)\.linear": rf"{FUSE}\1_encoder.fc",
    r"^norm\.": f"{FUSE}classifier.linear_trans_norm.",
    r"^hidden\.": f"{FUSE}classifier.linear_trans_hidden.",
    r"^regressor\.": f"{FUSE}classifier.linear_trans_final.",
    r"attention\.project\.": "self_attn.in_proj_",
    r"attention\.out\.": "self_attn.out_proj.",
    r"norm_attention": "layer_norms.0",
    r"norm_feed_forward": "layer_norms.1",
    r"\.norm\.": ".layer_norm.",
    r"\.first\.": ".fc1.",
    r"\.second\.": ".fc2.",
}
Run = dict[str, Any]


def published_name(name: str) -> str:
    for pattern, word in WORDS.items():
        name = re.sub(pattern, word, name)
    return name


def assert_close(actual: Tensor, expected: Any) -> None:
    torch.testing.assert_close(actual.detach(), torch.tensor(expected), atol=1e-5, rtol=0)


def targets() -> Targets:
    label = torch.tensor(REFERENCE["labels"]["sentiment"])[:, 0]
    return Targets(label, label, label, torch.arange(len(label)))


@pytest.fixture(scope="module")
def inputs(reference_tensor: Callable[..., Tensor]) -> tuple[Inputs, Inputs]:
    """The incomplete and the complete inputs."""
    incomplete, complete = [], []
    for modality in ("text", "audio", "vision"):
        entry = REFERENCE["inputs"][modality]
        shape = entry["shape"]
        values = reference_tensor(shape, entry["phase"], entry["scale"])
        mask = torch.arange(shape[1]) < torch.tensor(entry["lengths"])[:, None]
        kept = mask.clone()
        kept[:, entry["dropped"]] = False
        lost = torch.zeros(shape)
        if modality == "text":
            lost = reference_tensor(shape, 4.0, 1.0)
        else:
            values = values * mask[:, :, None]
        complete.append(PaddedSequence(values, mask, mask))
        values = torch.where((mask & ~kept)[:, :, None], lost, values)
        incomplete.append(PaddedSequence(values, mask, kept))
    for states in (complete[0].values, incomplete[0].values):
        states.requires_grad_()
    return Inputs(*incomplete), Inputs(*complete)


def backward_in_order(inputs: Inputs) -> Inputs:
    return Inputs(*(PaddedSequence(*(t.flip(0) for t in s if t is not None)) for s in inputs))


@pytest.fixture(scope="module")
def ran(reference_tensor: Callable[..., Tensor], inputs: tuple[Inputs, Inputs]) -> Run:
    """All passes of the reference, in its order."""
    weights = {
        name: reference_tensor(shape, 0.37 * j, 0.2)
        + float("norm" in name.lower() and name.endswith("weight"))
        for j, (name, shape) in enumerate(REFERENCE["parameters"])
    }
    shapes = Shapes(
        **{f"{m}_dim": s.values.shape[2] for m, s in inputs[0]._asdict().items()},
        **{f"{m}_length": s.values.shape[1] for m, s in inputs[0]._asdict().items()},
    )
    settings = TFRNetSettings(variant="official", dropout=NO_DROPOUT, reconstruction_heads=4)
    model = TFRNet(settings, shapes)
    for name, parameter in model.named_parameters():
        parameter.data = weights[published_name(name)]
    model.eval()
    with torch.no_grad():
        evaluated = model(*inputs)
        backwards = model(*map(backward_in_order, inputs))
        alone = model(inputs[0])
    between: dict[str, Tensor] = {}
    for modality in LETTERS:
        summary, reconstruction = model.summaries[modality], model.reconstructions[modality]
        summary.register_forward_hook(keep(between, f"utterance_{modality}"))
        summary.register_forward_pre_hook(keep(between, f"aligned_{modality}"))
        assert isinstance(reconstruction.linear, torch.nn.Module)
        reconstruction.linear.register_forward_pre_hook(keep(between, f"for_generation_{modality}"))
        reconstruction.register_forward_hook(keep(between, f"generated_{modality}"))
    model.train()
    output = model(*inputs)
    first = model.losses(output, targets())
    first["total"].backward(retain_graph=True)
    first_norms = gradients(model, inputs)
    model.zero_grad()
    inputs[0].text.values.grad = inputs[1].text.values.grad = None
    model.after_epoch(1)
    second = model.losses(output, targets())
    second["total"].backward()
    return {
        "model": model,
        "evaluated": evaluated,
        "backwards": backwards,
        "alone": alone,
        "between": between,
        "output": output,
        "first": first,
        "first_norms": first_norms,
        "second": second,
        "norms": gradients(model, inputs),
    }


def keep(kept: dict[str, Tensor], name: str) -> Callable[..., None]:
    def hook(_: Any, given: Any, output: Any = None) -> None:
        kept[name] = given[0] if output is None else output

    return hook


def gradients(model: TFRNet, inputs: tuple[Inputs, Inputs]) -> dict[str, float]:
    """Norms of all gradients by published name, with those of the hidden states of language."""
    tensors: dict[str, Tensor] = {published_name(name): p for name, p in model.named_parameters()}
    tensors |= {"incomplete": inputs[0].text.values, "complete": inputs[1].text.values}
    return {n: 0.0 if t.grad is None else t.grad.norm().item() for n, t in tensors.items()}


def generation_of(model: TFRNet, output: Output) -> Tensor:
    terms = model.losses(output, targets())
    return sum(
        (getattr(model.weights, m) * terms[f"loss_generation_{m}"] for m in LETTERS),
        start=torch.zeros(()),
    )


def wrong(ours: dict[str, float], published: dict[str, float]) -> dict[str, Any]:
    return {
        name: (ours[name], norm)
        for name, norm in published.items()
        if not (abs(ours[name] - norm) < 1e-3 * norm if norm > 1e-6 else ours[name] < 1e-6)
    }


def test_parameters_are_those_of_the_published_code(ran: Run) -> None:
    ours = {published_name(n): list(p.shape) for n, p in ran["model"].named_parameters()}
    assert ours == dict(REFERENCE["parameters"])
    assert len(ours) == 555


def test_evaluation_outputs_are_those_of_the_published_code(ran: Run) -> None:
    expected, prediction = REFERENCE["eval"], ran["evaluated"].prediction
    assert_close(prediction[:, None], expected["prediction"])
    assert torch.equal(ran["alone"].prediction, prediction) and ran["alone"].generated is None
    loss = ran["model"].losses(ran["alone"], targets())
    assert loss.keys() == {"total"}
    assert_close(loss["total"], expected["loss"])
    assert_close(generation_of(ran["model"], ran["evaluated"]), expected["generation"])


def test_reconstruction_depends_on_the_order_of_clips_as_in_the_published_code(ran: Run) -> None:
    expected = REFERENCE["eval"]["batch_reversed"]
    assert_close(ran["backwards"].prediction[:, None], expected["prediction"])
    assert_close(generation_of(ran["model"], ran["backwards"]), expected["generation"])


def test_what_is_computed_between_is_that_of_the_published_code(ran: Run) -> None:
    assert len(ran["between"]) == 12
    for name, tensor in ran["between"].items():
        expected = REFERENCE["train"][name]
        assert list(tensor.shape) == expected["shape"], name
        assert_close(tensor.mean(), expected["mean"])
        assert_close(tensor.square().mean(), expected["mean_square"])
        assert_close(tensor.flatten()[:8], expected["first8"])
        assert_close(tensor.flatten()[-8:], expected["last8"])


def test_training_outputs_and_losses_are_those_of_the_published_code(ran: Run) -> None:
    expected, terms = REFERENCE["train"], ran["second"]
    assert_close(ran["output"].prediction[:, None], expected["prediction"])
    losses = expected["losses"]
    assert_close(terms["total"], losses["loss"])
    assert_close(terms["loss_prediction"], losses["prediction"])
    for modality in LETTERS:
        generated = ran["output"].generated[modality]
        assert_close(terms[f"loss_generation_{modality}"], losses[f"generation_{modality}"])
        assert_close(generation(generated, "rows"), losses[f"smooth_l1_{modality}"])
    assert_close(generation_of(ran["model"], ran["output"]), losses["generation"])
    norm, after = ran["model"].norm, expected["batch_norm_after"]
    assert_close(norm.running_mean[:4], after["running_mean_first4"])
    assert_close(norm.running_var[:4], after["running_var_first4"])


def test_gradient_norms_are_those_of_the_published_code(ran: Run) -> None:
    expected = REFERENCE["train"]
    names = [name for name, _ in REFERENCE["parameters"]]
    published = dict(zip(names, expected["grad_norms"], strict=True))
    assert not wrong(ran["norms"], published | expected["grad_norm_of_text_inputs"])


def test_the_first_epoch_learns_from_the_sentiment_alone_as_published(ran: Run) -> None:
    expected = REFERENCE["train"]["first_epoch"]
    norms = ran["first_norms"]
    assert_close(ran["first"]["total"], expected["loss"])
    incomplete = expected["grad_norm_of_text_inputs"]["incomplete"]
    assert not wrong(norms, {"incomplete": incomplete}) and norms["complete"] == 0
    names = [name for name, _ in REFERENCE["parameters"]]
    without = {name for i, name in enumerate(names) if i in expected["without_gradient"]}
    assert all(norms[name] == 0 for name in without)
    total = sum(norms[name] for name in names)
    assert total == pytest.approx(expected["grad_norms_sum"], rel=1e-3)


SMALL = TFRNetSettings(
    width=8,
    heads=2,
    layers=1,
    gru_layers=1,
    classifier_width=8,
    reconstruction_heads=2,
    summaries=Summaries(text=6, audio=4, vision=4),
    dropout=NO_DROPOUT,
)


def sequence(dim: int, *counts: int, length: int = 1) -> PaddedSequence:
    mask = torch.arange(max(length, *counts)) < torch.tensor(counts)[:, None]
    return PaddedSequence(torch.randn(*mask.shape, dim) * mask[:, :, None], mask, mask)


def dropped(inputs: Inputs) -> Inputs:
    """Every second row lost."""
    lost = []
    for values, mask, _ in inputs:
        kept = mask & (torch.arange(mask.shape[1]) % 2 == 0)
        lost.append(PaddedSequence(values * kept[:, :, None], mask, kept))
    return Inputs(*lost)


def finite(model: TFRNet, incomplete: Inputs, complete: Inputs) -> Terms:
    model.after_epoch(1)
    output = model(incomplete, complete)
    label = torch.ones(len(output.prediction))
    terms = model.losses(output, Targets(label, label, label, torch.arange(len(label))))
    terms["total"].backward()
    assert output.prediction.isfinite().all()
    assert all(t.isfinite() for t in terms.values())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    return terms


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_absent_and_short_modalities_give_finite_predictions_and_gradients(
    variant: Any, rows: int, shapes: Shapes
) -> None:
    model = TFRNet(SMALL.model_copy(update={"variant": variant}), shapes)
    complete = Inputs(sequence(8, 4, rows), sequence(4, rows, rows), sequence(3, 5, rows))
    finite(model, dropped(complete), complete)


@pytest.mark.parametrize("variant", VARIANTS)
def test_clips_that_lost_everything_or_nothing_are_learnt_from(
    variant: Any, shapes: Shapes
) -> None:
    model = TFRNet(SMALL.model_copy(update={"variant": variant}), shapes)
    complete = Inputs(sequence(8, 4, 6), sequence(4, 9, 2), sequence(3, 5, 3))
    nothing = Inputs(*(PaddedSequence(s.values * 0, s.mask, s.mask & False) for s in complete))
    assert finite(model, nothing, complete)["loss_generation_audio"] > 0
    assert finite(model, complete, complete)["loss_generation_audio"] < 1


def test_neighbours_and_padding_change_neither_answer_nor_reconstruction(
    shapes: Shapes, clips: FeatureSet
) -> None:
    model = TFRNet(SMALL.model_copy(update={"kernels": Kernels(text=3, vision=5)}), shapes)
    together = model.predict(clips).prediction
    single = [model.predict(clips.take([i])).prediction[0] for i in range(len(clips))]
    assert together == pytest.approx(single, abs=1e-5)
    alone = Inputs(sequence(8, 4), sequence(4, 5), sequence(3, 2))
    lost = dropped(alone)
    first, second = (
        model(lost, alone),
        model(Inputs(*map(longer, lost)), Inputs(*map(longer, alone))),
    )
    assert first.generated is not None and second.generated is not None
    for modality in LETTERS:
        told = second.generated[modality].reconstructed
        expected = first.generated[modality].reconstructed
        torch.testing.assert_close(told[:, : expected.shape[1]], expected)


def longer(sequence: PaddedSequence) -> PaddedSequence:
    """Padding that had better be left out."""
    return PaddedSequence(
        F.pad(sequence.values, (0, 0, 0, 3), value=9.0),
        F.pad(sequence.mask, (0, 3)),
        F.pad(sequence.seen, (0, 3)),
    )


def test_reconstruction_is_compared_where_rows_were_dropped_alone() -> None:
    complete, lost = torch.randn(2, 3, 4), torch.zeros(2, 3).bool()
    lost[0, 1] = True
    told = complete + 2.0 * ~lost[:, :, None] + 0.5
    loss = generation(Generated(told, complete, lost), "rows")
    assert loss.item() == pytest.approx(0.5 * 0.5**2 * 4 / (4 + 1e-4), rel=1e-5)
    nothing = generation(Generated(told, complete, lost & False), "rows_and_moments")
    assert nothing.isfinite()


@pytest.mark.parametrize(("length", "heads"), [(40, 20), (150, 25), (7, 1), (60, 20), (1, 1)])
def test_heads_of_the_reconstruction_divide_the_length(
    length: int, heads: int, shapes: Shapes
) -> None:
    settings = SMALL.model_copy(update={"reconstruction_heads": 25})
    model = TFRNet(settings, shapes.model_copy(update={"audio_length": length}))
    encoder: Any = model.reconstructions["audio"].encoder
    assert encoder.layers[0].attention.heads == heads


def test_it_learns_from_a_batch_of_any_size(make_inputs: Callable[..., Run]) -> None:
    settings = TrainSettings(epochs=6, batch_size=8, learning_rate=2e-2)
    run = make_inputs(name="tfr_net", model_settings=SMALL, settings=settings)
    history = train(**run).history
    first, *_, final = (row["train/loss_prediction"] or 0.0 for row in history)
    assert 0 < final < 0.7 * first
    generated = [row["train/loss_generation_audio"] or 0.0 for row in history]
    assert 0 < generated[-1] < 0.95 * generated[1]
    assert history[0]["train/total"] == history[0]["train/loss_prediction"]
    single = settings.model_copy(update={"epochs": 1, "batch_size": 1})
    train(**make_inputs(name="tfr_net", train=3, model_settings=SMALL, settings=single))


def test_whether_the_first_epoch_is_over_survives_an_interruption(shapes: Shapes) -> None:
    before, after = TFRNet(SMALL, shapes), TFRNet(SMALL, shapes)
    complete = Inputs(sequence(8, 4, 6), sequence(4, 9, 2), sequence(3, 5, 3))
    before.after_epoch(1)
    after.load_state_dict(before.state_dict())
    output, label = after(dropped(complete), complete), torch.zeros(2)
    terms = after.losses(output, Targets(label, label, label, torch.arange(2)))
    assert terms["total"] > terms["loss_prediction"]


def test_heads_that_do_not_divide_the_width_are_told() -> None:
    with pytest.raises(ValueError, match="heads=3 does not divide width=8"):
        TFRNetSettings(width=8, heads=3)
