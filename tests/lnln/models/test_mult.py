"""MulT against figures of the published code (tests/fixtures), and on data of our own."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lnln.data.batches import Inputs, PaddedSequence
from lnln.data.features import FeatureSet
from lnln.models.interface import Targets
from lnln.models.mult.model import MulT
from lnln.models.mult.settings import VARIANTS, Dropout, Kernels, MulTSettings
from lnln.settings import Shapes, TrainSettings
from lnln.training.run import train

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "mult_reference.json").read_text("utf-8")
)
NO_DROPOUT = Dropout(text=0, embedding=0, from_text=0, from_audio=0, from_vision=0, output=0)
LETTERS = {"text": "l", "audio": "a", "vision": "v"}
WORDS: dict[str, Any] = {
    r"^cross\.(\w+)_from_(\w+)\.": lambda m: f"trans_{LETTERS[m[1]]}_with_{LETTERS[m[2]]}.",
    r"^within\.(\w+)\.": lambda m: f"trans_{LETTERS[m[1]]}_mem.",
    r"^convolutions\.(\w+)\.convolution": lambda m: f"proj_{LETTERS[m[1]]}",
    r"^hidden\.": "proj1.",
    r"^back\.": "proj2.",
    r"^regressor\.": "out_layer.",
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


@pytest.fixture(scope="module")
def inputs(reference_tensor: Callable[..., Tensor]) -> Inputs:
    def sequence(modality: str) -> PaddedSequence:
        entry = REFERENCE["inputs"][modality]
        values = reference_tensor(entry["shape"], entry["phase"], entry["scale"])
        clips, rows = values.shape[:2]
        mask = torch.arange(rows) < torch.tensor(entry.get("lengths", [rows] * clips))[:, None]
        return PaddedSequence(values * mask[:, :, None], mask)

    return Inputs(sequence("language"), sequence("audio"), sequence("vision"))


@pytest.fixture(scope="module")
def weights(reference_tensor: Callable[..., Tensor]) -> dict[str, Tensor]:
    return {
        name: reference_tensor(shape, 0.37 * j, 0.1)
        + float("norm" in name and name.endswith("weight"))
        for j, (name, shape) in enumerate(REFERENCE["parameters"])
    }


def run(weights: dict[str, Tensor], inputs: Inputs) -> Run:
    """A pass in training mode with the reference's weights: the model, and what was in between."""
    shapes = Shapes(
        **{f"{m}_dim": s.values.shape[2] for m, s in inputs._asdict().items()},
        **{f"{m}_length": s.values.shape[1] for m, s in inputs._asdict().items()},
    )
    model = MulT(MulTSettings(variant="official", dropout=NO_DROPOUT), shapes)
    model.load_state_dict({name: weights[published_name(name)] for name in model.state_dict()})
    between: dict[str, Tensor] = {}
    for kind in ("convolutions", "cross", "within"):
        for name, module in getattr(model, kind).items():
            key = published_name(f"{kind}.{name}.{'convolution' if kind[1] == 'o' else ''}")

            def keep(_: Any, __: Any, output: Any, key: str = key) -> None:
                between[key.rstrip(".")] = output[0] if isinstance(output, tuple) else output

            module.register_forward_hook(keep)
    output = model(inputs)
    label = torch.tensor(REFERENCE["labels"]["sentiment"])[:, 0]
    terms = model.losses(output, Targets(label, label, label, torch.arange(len(label))))
    terms["total"].backward()
    return {"model": model, "output": output, "terms": terms, "between": between}


@pytest.fixture(scope="module", params=["official", "with_positions"])
def ran(
    request: pytest.FixtureRequest, weights: dict[str, Tensor], inputs: Inputs
) -> tuple[Run, Run, Run]:
    """What ran, what is published of it in training, and in evaluation."""
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "official":
            return run(weights, inputs), REFERENCE["train"], REFERENCE["eval"]
        switches = VARIANTS["official"]._replace(positions="sinusoidal")
        patched.setitem(VARIANTS, "official", switches)
        published = REFERENCE["with_positions"]
        return run(weights, inputs), published["train"], published["eval"]


def test_parameters_are_those_of_the_published_code(ran: tuple[Run, Run, Run]) -> None:
    ours = {published_name(n): list(p.shape) for n, p in ran[0]["model"].named_parameters()}
    assert ours == dict(REFERENCE["parameters"])
    assert len(ours) == 459


def test_what_is_computed_between_is_that_of_the_published_code(ran: tuple[Run, Run, Run]) -> None:
    between, expected = ran[0]["between"], ran[1]
    for modality, letter in (("language", "l"), ("audio", "a"), ("vision", "v")):
        windows = between[f"proj_{letter}"]
        assert_close(windows[1, 0, :4], expected[f"proj_{letter}_first_time_step_first4_of_clip_1"])
        assert list(windows.transpose(1, 2).shape) == expected["shapes"][f"proj_{letter}"]
        assert_close(
            between[f"trans_{letter}_mem"][:, -1, :4],
            expected[f"last_state_{modality}_first4_of_each_clip"],
        )
    crossed = [name for name in between if "_with_" in name]
    assert len(crossed) == 6
    for name in crossed:
        assert_close(between[name][1, -1, :4], expected[f"{name}_last_time_step_first4_of_clip_1"])


def test_predictions_and_loss_are_those_of_the_published_code(ran: tuple[Run, Run, Run]) -> None:
    done, expected, _ = ran
    assert_close(done["output"].prediction[:, None], expected["sentiment_preds"])
    assert_close(done["terms"]["total"], expected["losses"]["total"])


def test_gradient_norms_are_those_of_the_published_code(ran: tuple[Run, Run, Run]) -> None:
    done, expected, _ = ran
    norms = {published_name(n): p.grad.norm().item() for n, p in done["model"].named_parameters()}
    reference = expected.get("grad_norms") or expected["grad_norms_of_some"]
    assert len(reference) in (459, 7)
    wrong = {
        name: (norms[name], norm)
        for name, norm in reference.items()
        if not (abs(norms[name] - norm) < 1e-3 * norm if norm > 1e-6 else norms[name] < 1e-6)
    }
    assert not wrong


def test_evaluation_outputs_are_those_of_the_published_code(
    ran: tuple[Run, Run, Run], inputs: Inputs
) -> None:
    with torch.no_grad():
        output = ran[0]["model"].eval()(inputs)
    assert_close(output.prediction[:, None], ran[2]["sentiment_preds"])
    assert output.w is None


SMALL = MulTSettings(width=8, heads=2, layers=1, dropout=NO_DROPOUT)


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_read_what_they_say(variant: Any, shapes: Shapes) -> None:
    layout = MulT(SMALL.model_copy(update={"variant": variant}), shapes).layout
    full, raw = layout.length == "full", layout.features == "raw"
    assert full is raw is (variant == "official")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_absent_and_short_modalities_give_finite_predictions_and_gradients(
    variant: Any, rows: int, shapes: Shapes
) -> None:
    model = MulT(SMALL.model_copy(update={"variant": variant}), shapes)

    def sequence(dim: int, *counts: int) -> PaddedSequence:
        mask = torch.arange(max(1, *counts)) < torch.tensor(counts)[:, None]
        return PaddedSequence(torch.randn(*mask.shape, dim) * mask[:, :, None], mask)

    output = model(Inputs(sequence(8, 4, rows), sequence(4, rows, rows), sequence(3, 5, rows)))
    label = torch.ones(2)
    model.losses(output, Targets(label, label, label, torch.arange(2)))["total"].backward()
    assert output.prediction.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_neighbours_in_a_batch_do_not_change_an_answer(shapes: Shapes, clips: FeatureSet) -> None:
    model = MulT(SMALL.model_copy(update={"kernels": Kernels(vision=6)}), shapes)
    together = model.predict(clips).prediction
    alone = [model.predict(clips.take([i])).prediction[0] for i in range(len(clips))]
    assert together == pytest.approx(alone, abs=1e-5)


def test_order_of_rows_matters(shapes: Shapes) -> None:
    model = MulT(SMALL.model_copy(update={"kernels": Kernels(text=1, audio=1, vision=1)}), shapes)
    fixed = [PaddedSequence(torch.randn(1, 3, d), torch.ones(1, 3).bool()) for d in (8, 3)]
    audio = torch.randn(1, 6, 4)
    answers = []
    for order in ([0, 1, 2, 3, 4, 5], [1, 0, 2, 3, 4, 5]):  # all of it seen by the last word
        heard = PaddedSequence(audio[:, order], torch.ones(1, 6).bool())
        answers.append(model.eval()(Inputs(fixed[0], heard, fixed[1])).prediction)
    assert (answers[0] - answers[1]).abs().item() > 1e-5


def test_it_learns_from_a_batch_of_any_size(make_inputs: Callable[..., Run]) -> None:
    settings = TrainSettings(epochs=8, batch_size=8, learning_rate=3e-3)
    history = train(**make_inputs(name="mult", model_settings=SMALL, settings=settings)).history
    first, *_, final = (row["train/total"] or 0.0 for row in history)
    assert 0 < final < 0.7 * first
    single = settings.model_copy(update={"epochs": 1, "batch_size": 1})
    train(**make_inputs(name="mult", train=3, model_settings=SMALL, settings=single))


def test_heads_that_do_not_divide_the_width_are_told() -> None:
    with pytest.raises(ValueError, match="heads=3 does not divide width=8"):
        MulTSettings(width=8, heads=3)
