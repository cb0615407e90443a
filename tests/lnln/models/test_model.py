"""The network as a whole, and where its variants differ."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs, PaddedSequence
from lnln.models.interface import Targets
from lnln.models.lnln.losses import compute
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import VARIANTS, LNLNSettings, LossWeights, Variant
from lnln.settings import Shapes

B, T, D = 2, 3, 16
SHAPES = Shapes(
    text_dim=6, audio_dim=5, vision_dim=4, text_length=12, audio_length=20, vision_length=16
)
DIMS = (SHAPES.text_dim, SHAPES.audio_dim, SHAPES.vision_dim)
LENGTHS = (7, 11, 9)


def build(variant: Variant, language: nn.Module | None = None) -> LNLN:
    torch.manual_seed(0)
    settings = LNLNSettings(
        variant=variant, width=D, tokens=T, heads=2, head_width=4, hyper_head_width=4
    )
    return LNLN(settings, SHAPES, language)


def random_inputs(seed: int) -> Inputs:
    generator = torch.Generator().manual_seed(seed)
    return Inputs(
        *(
            PaddedSequence(
                torch.randn(B, length, dim, generator=generator),
                torch.ones(B, length, dtype=torch.bool),
            )
            for length, dim in zip(LENGTHS, DIMS, strict=True)
        )
    )


def padded(inputs: Inputs, rows: int) -> Inputs:
    return Inputs(
        *(
            PaddedSequence(F.pad(values, (0, 0, 0, rows)), F.pad(mask, (0, rows), value=False))
            for values, mask, _ in inputs
        )
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_output_has_the_documented_shapes(variant: Variant) -> None:
    output = build(variant)(random_inputs(0), random_inputs(1))
    assert output.prediction.shape == output.w.shape == (B,)
    assert ((output.w > 0) & (output.w < 1)).all()
    assert output.discriminator_logits is not None
    assert output.discriminator_logits.shape == (2 * B * T, 2)
    assert output.reconstructed is not None and output.targets is not None
    assert output.reconstructed.shape == output.targets.shape == (B, 3 * T, D)


def test_proxy_and_hyper_modality_start_as_ones() -> None:
    model = build("paper")
    for start in (model.proxy_start, model.hyper_start):
        assert torch.equal(start, torch.ones(1, T, D))


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_parts_run_only_with_complete_inputs(variant: Variant) -> None:
    model = build(variant).eval()
    alone, both = model(random_inputs(0)), model(random_inputs(0), random_inputs(1))
    assert alone[2:] == (None, None, None)
    torch.testing.assert_close(alone.prediction, both.prediction)
    torch.testing.assert_close(alone.w, both.w)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_parameter_takes_part_in_training(variant: Variant) -> None:
    model, labels = build(variant), torch.zeros(B)
    output = model(random_inputs(0), random_inputs(1))
    compute(output, labels, labels, LossWeights()).total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_batch_of_one_agrees_with_the_batch(variant: Variant) -> None:
    model, inputs = build(variant).eval(), random_inputs(0)
    one = Inputs(*(PaddedSequence(s.values[:1], s.mask[:1]) for s in inputs))
    torch.testing.assert_close(model(one).prediction, model(inputs).prediction[:1])


# Padding


@pytest.mark.parametrize("variant", ["paper", "masked"])
def test_padding_does_not_change_what_paper_and_masked_say(variant: Variant) -> None:
    model, inputs = build(variant), random_inputs(0)
    plain, longer = model(inputs, inputs), model(padded(inputs, 5), padded(inputs, 3))
    for actual, expected in zip(longer, plain, strict=True):
        torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)


def test_padding_is_attended_in_official() -> None:
    model, inputs = build("official"), random_inputs(0)
    assert (model(padded(inputs, 5)).prediction - model(inputs).prediction).abs().max() > 1e-4


@pytest.mark.parametrize("variant", ["paper", "masked"])
def test_missing_rows_in_the_mask_are_seen_unlike_padding(variant: Variant) -> None:
    model, inputs = build(variant), random_inputs(0)
    values, mask, _ = inputs.audio
    dropped, hidden = values.clone(), mask.clone()
    dropped[:, 6:] = 0
    hidden[:, 6:] = False
    as_missing = model(inputs._replace(audio=PaddedSequence(dropped, mask))).prediction
    as_padding = model(inputs._replace(audio=PaddedSequence(dropped, hidden))).prediction
    assert (as_missing - as_padding).abs().max() > 1e-5


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_clip_without_any_row_is_answered(variant: Variant) -> None:
    empty = Inputs(
        *(
            PaddedSequence(torch.zeros(B, 0, dim), torch.zeros(B, 0, dtype=torch.bool))
            for dim in DIMS
        )
    )
    assert build(variant)(empty).prediction.isfinite().all()


# Where gradients go


def gradients_of(loss: Tensor, module: nn.Module) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss, list(module.parameters()))


def prediction(model: LNLN) -> Tensor:
    return model(random_inputs(0)).prediction.sum()


def adversarial(model: LNLN) -> Tensor:
    output, zeros = model(random_inputs(0), random_inputs(1)), torch.zeros(B)
    return compute(output, zeros, zeros, LossWeights()).adversarial


@pytest.mark.parametrize(
    ("variant", "loss", "part", "sign"),
    [
        ("paper", prediction, "proxy_encoder", +1),
        ("masked", prediction, "proxy_encoder", +1),
        ("official", prediction, "proxy_encoder", -1),
        *((variant, adversarial, "proxy_encoder", -1) for variant in VARIANTS),
        *((variant, adversarial, "discriminator", +1) for variant in VARIANTS),
    ],
)
def test_gradient_is_reversed_where_the_variant_says(
    variant: Variant,
    loss: Callable[[LNLN], Tensor],
    part: str,
    sign: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = build(variant)
    actual = gradients_of(loss(model), model.get_submodule(part))
    monkeypatch.setattr("lnln.models.lnln.model.reverse_gradient", lambda x, _: x)
    true = gradients_of(loss(model), model.get_submodule(part))
    assert any(gradient.abs().max() > 1e-6 for gradient in true)
    for a, t in zip(actual, true, strict=True):
        torch.testing.assert_close(a, sign * t, atol=1e-7, rtol=1e-4)


def test_discriminator_sees_the_proxy_and_in_official_the_mixture() -> None:
    inputs, complete = random_inputs(0), random_inputs(1)
    other_text = inputs._replace(text=random_inputs(2).text)
    depends_on_incomplete_text = {}
    for variant in VARIANTS:
        model = build(variant)
        one, other = (
            model(incomplete, complete).discriminator_logits[: B * T]
            for incomplete in (inputs, other_text)
        )
        depends_on_incomplete_text[variant] = not torch.allclose(one, other, atol=1e-6)
    assert depends_on_incomplete_text == {"paper": False, "masked": False, "official": True}


@pytest.mark.parametrize("variant", VARIANTS)
def test_complete_inputs_get_a_gradient_in_official_alone(variant: Variant) -> None:
    rows, labels = random_inputs(1), torch.zeros(B)
    complete = rows._replace(text=rows.text._replace(values=rows.text.values.requires_grad_()))
    output = build(variant)(random_inputs(0), complete)
    losses = compute(output, labels, labels, LossWeights())
    for loss in (losses.reconstruction, losses.adversarial):
        (gradient,) = torch.autograd.grad(
            loss, complete.text.values, retain_graph=True, allow_unused=True
        )
        assert (gradient is not None) == (variant == "official")


# Losses


@pytest.mark.parametrize("variant", VARIANTS)
def test_losses_are_the_weighted_sum_of_their_terms(variant: Variant) -> None:
    output = build(variant)(random_inputs(0), random_inputs(1))
    weights = LossWeights(completeness=2, adversarial=3, reconstruction=5, prediction=7)
    losses = compute(output, torch.ones(B), torch.full((B,), 0.5), weights)
    expected = (
        2 * losses.completeness
        + 3 * losses.adversarial
        + 5 * losses.reconstruction
        + 7 * losses.prediction
    )
    torch.testing.assert_close(losses.total, expected)
    torch.testing.assert_close(losses.prediction, ((output.prediction - 1) ** 2).mean())
    torch.testing.assert_close(losses.completeness, ((output.w - 0.5) ** 2).mean())


def test_losses_without_complete_inputs_say_what_to_call() -> None:
    model, ones = build("paper"), torch.ones(B)
    with pytest.raises(ValueError, match=r"call model\(incomplete, complete\)"):
        model.losses(model(random_inputs(0)), Targets(ones, ones, ones, torch.arange(B)))


def test_labels_that_would_broadcast_are_refused() -> None:
    output = build("paper")(random_inputs(0), random_inputs(1))
    with pytest.raises(ValueError, match=r"label has the shape \[2, 1\]"):
        compute(output, torch.ones(B, 1), torch.ones(B), LossWeights())


# Bad input


@pytest.mark.parametrize("modality", ["text", "audio", "vision"])
def test_a_sequence_that_is_too_long_is_named_with_its_limit(modality: str) -> None:
    inputs = random_inputs(0)
    longer = {modality: getattr(padded(inputs, 10), modality)}
    with pytest.raises(ValueError, match=rf"{modality} has \d+ rows, .* at most \d+: cut"):
        build("paper")(inputs._replace(**longer))


def test_rows_of_another_width_are_refused() -> None:
    inputs = random_inputs(0)
    narrow = inputs.audio._replace(values=inputs.audio.values[..., :3])
    with pytest.raises(ValueError, match=r"audio has the shape \[2, 11, 3\].*\[batch, rows, 5\]"):
        build("paper")(inputs._replace(audio=narrow))


def test_a_mask_that_does_not_fit_is_refused() -> None:
    inputs = random_inputs(0)
    wrong = inputs.vision._replace(mask=inputs.vision.mask[:, 1:])
    with pytest.raises(ValueError, match=r"the mask of vision has the shape \[2, 8\]"):
        build("paper")(inputs._replace(vision=wrong))


# What the model says of itself


@pytest.mark.parametrize("variant", VARIANTS)
def test_true_completeness_is_of_tokens_and_in_official_the_rate_that_was_drawn(
    variant: Variant,
) -> None:
    model = build(variant)
    output = model(random_inputs(0), random_inputs(1))
    targets = Targets(
        label=torch.zeros(B),
        completeness=torch.tensor([0.2, 0.9]),
        rate=torch.tensor([0.6, 0.3]),
        clip=torch.arange(B),
    )
    truth = 1 - targets.rate if variant == "official" else targets.completeness
    found = model.losses(output, targets)["loss_completeness"]
    torch.testing.assert_close(found, ((output.w - truth) ** 2).mean())


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_read_and_when_the_rate_moves_are_the_variant_s(variant: Variant) -> None:
    model = build(variant)
    layout = model.layout
    expected = {
        "paper": ("states", "longest", "zeros", "z_scores", "step"),
        "masked": ("states", "longest", "left_out", "z_scores", "step"),
        "official": ("ids", "full", "zeros", "raw", "epoch"),
    }
    assert (*layout[1:], model.schedule) == expected[variant]
    assert layout.shapes == SHAPES
    assert LNLN.reads(model.settings, SHAPES, "ids").text == "ids"
