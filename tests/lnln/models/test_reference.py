"""The variant `official` against figures of the published code (tests/fixtures)."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lnln.data.batches import Inputs
from lnln.models.lnln.losses import Losses, compute
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.output import Output
from lnln.models.lnln.published_names import published_name
from lnln.models.lnln.settings import LNLNSettings, LossWeights
from lnln.settings import Shapes

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "lnln_reference.json").read_text("utf-8")
)


@pytest.fixture(scope="module")
def model(reference_shapes: Shapes, reference_weights: dict[str, Tensor]) -> LNLN:
    model = LNLN(LNLNSettings(variant="official", fusion_depth=2), reference_shapes)
    model.load_state_dict(
        {name: reference_weights[published_name(name)] for name in model.state_dict()}
    )
    return model


@pytest.fixture(scope="module")
def trained(model: LNLN, reference_inputs: tuple[Inputs, Inputs]) -> tuple[Output, Losses]:
    complete, incomplete = reference_inputs
    weights = REFERENCE["loss_weights"]
    model.train()
    model.zero_grad()
    output = model(incomplete, complete)
    losses = compute(
        output,
        torch.tensor(REFERENCE["labels"]["sentiment"])[:, 0],
        torch.tensor(REFERENCE["labels"]["completeness"])[:, 0],
        LossWeights(
            completeness=weights["alpha_completeness"],
            adversarial=weights["beta_adversarial"],
            reconstruction=weights["gamma_reconstruction"],
            prediction=weights["sigma_sentiment"],
        ),
    )
    losses.total.backward()
    return output, losses


def assert_close(actual: Tensor, expected: Any) -> None:
    torch.testing.assert_close(actual.detach(), torch.tensor(expected), atol=1e-5, rtol=0)


def test_names_and_shapes_are_those_of_the_published_checkpoints(model: LNLN) -> None:
    ours = {published_name(name): list(p.shape) for name, p in model.named_parameters()}
    assert ours == dict(REFERENCE["parameters"])
    assert len(ours) == 420


def test_training_outputs_are_those_of_the_published_code(
    trained: tuple[Output, Losses],
) -> None:
    output, expected = trained[0], REFERENCE["train"]
    assert output.discriminator_logits is not None
    assert output.reconstructed is not None and output.targets is not None
    assert_close(output.prediction[:, None], expected["sentiment_preds"])
    assert_close(output.w[:, None], expected["completeness_w"])
    assert_close(output.discriminator_logits[:4], expected["discriminator_logits_first4"])
    assert_close(output.discriminator_logits[-4:], expected["discriminator_logits_last4"])
    assert_close(output.reconstructed.mean(), expected["reconstructed_mean"])
    assert_close(output.reconstructed.flatten()[:8], expected["reconstructed_first"])
    assert_close(output.targets.mean(), expected["complete_mean"])
    assert_close(output.targets.flatten()[:8], expected["complete_first"])


def test_losses_are_those_of_the_published_code(trained: tuple[Output, Losses]) -> None:
    losses, expected = trained[1], REFERENCE["train"]["losses"]
    assert_close(losses.total, expected["loss"])
    assert_close(losses.prediction, expected["l_sp"])
    assert_close(losses.completeness, expected["l_cc"])
    assert_close(losses.adversarial, expected["l_adv"])
    assert_close(losses.reconstruction, expected["l_rec"])


def test_gradient_norms_are_those_of_the_published_code(
    model: LNLN, trained: tuple[Output, Losses]
) -> None:
    expected = REFERENCE["train"]["grad_norms"]
    wrong = {}
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        norm, reference = parameter.grad.norm().item(), expected[published_name(name)]
        # Softmax does not feel the bias of norm_key: its true gradient is 0, both are noise.
        close = abs(norm - reference) < 1e-3 * reference if reference > 1e-6 else norm < 1e-6
        if not close:
            wrong[name] = (norm, reference)
    assert not wrong


def test_evaluation_outputs_are_those_of_the_published_code(
    model: LNLN, reference_inputs: tuple[Inputs, Inputs]
) -> None:
    model.eval()
    with torch.no_grad():
        output = model(reference_inputs[1])
    assert_close(output.prediction[:, None], REFERENCE["eval"]["sentiment_preds"])
    assert_close(output.w[:, None], REFERENCE["eval"]["completeness_w"])
    assert output.discriminator_logits is None
