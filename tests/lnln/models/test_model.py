"""The network as a whole, and where its two variants differ."""

from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.models.lnln.losses import compute
from lnln.models.lnln.network import LNLN, Inputs, Sequence
from lnln.settings import LossSettings, NetworkSettings, Shapes, Variant

B, T, D = 2, 3, 16
SHAPES = Shapes(
    text_dim=6, audio_dim=5, vision_dim=4, text_length=12, audio_length=20, vision_length=16
)
DIMS = (SHAPES.text_dim, SHAPES.audio_dim, SHAPES.vision_dim)
LENGTHS = (7, 11, 9)
VARIANTS: list[Variant] = ["paper", "official"]


def build(variant: Variant, language: nn.Module | None = None) -> LNLN:
    torch.manual_seed(0)
    settings = NetworkSettings(
        variant=variant, width=D, tokens=T, heads=2, head_width=4, hyper_head_width=4
    )
    return LNLN(settings, SHAPES, language)


def random_inputs(seed: int) -> Inputs:
    generator = torch.Generator().manual_seed(seed)
    return Inputs(
        *(
            Sequence(
                torch.randn(B, length, dim, generator=generator),
                torch.ones(B, length, dtype=torch.bool),
            )
            for length, dim in zip(LENGTHS, DIMS, strict=True)
        )
    )


def padded(inputs: Inputs, rows: int) -> Inputs:
    return Inputs(
        *(
            Sequence(F.pad(values, (0, 0, 0, rows)), F.pad(mask, (0, rows), value=False))
            for values, mask in inputs
        )
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_output_has_the_documented_shapes(variant: Variant) -> None:
    output = build(variant)(random_inputs(0), random_inputs(1))
    assert output.sentiment.shape == output.completeness.shape == (B,)
    assert ((output.completeness > 0) & (output.completeness < 1)).all()
    assert output.discriminator_logits is not None
    assert output.discriminator_logits.shape == (2 * B * T, 2)
    assert output.reconstructed is not None and output.targets is not None
    assert output.reconstructed.shape == output.targets.shape == (B, 3 * T, D)


def test_proxy_and_hyper_modality_start_as_ones() -> None:
    model = build("paper")
    for start in (model.proxy_start, model.hyper_start):
        assert torch.equal(start, torch.ones(1, T, D))


def test_training_parts_run_only_with_complete_inputs() -> None:
    model = build("paper").eval()
    alone, both = model(random_inputs(0)), model(random_inputs(0), random_inputs(1))
    assert alone[2:] == (None, None, None)
    torch.testing.assert_close(alone.sentiment, both.sentiment)
    torch.testing.assert_close(alone.completeness, both.completeness)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_parameter_takes_part_in_training(variant: Variant) -> None:
    model, labels = build(variant), torch.zeros(B)
    output = model(random_inputs(0), random_inputs(1))
    compute(output, labels, labels, LossSettings()).total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_a_batch_of_one_agrees_with_the_batch() -> None:
    model, inputs = build("paper").eval(), random_inputs(0)
    one = Inputs(*(Sequence(s.values[:1], s.mask[:1]) for s in inputs))
    torch.testing.assert_close(model(one).sentiment, model(inputs).sentiment[:1])


# Padding


def test_padding_does_not_change_what_paper_says() -> None:
    model, inputs = build("paper"), random_inputs(0)
    plain, longer = model(inputs, inputs), model(padded(inputs, 5), padded(inputs, 3))
    for actual, expected in zip(longer, plain, strict=True):
        torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)


def test_padding_is_attended_in_official() -> None:
    model, inputs = build("official"), random_inputs(0)
    assert (model(padded(inputs, 5)).sentiment - model(inputs).sentiment).abs().max() > 1e-4


def test_missing_rows_are_seen_unlike_padding() -> None:
    model, inputs = build("paper"), random_inputs(0)
    values, mask = inputs.audio
    dropped, hidden = values.clone(), mask.clone()
    dropped[:, 6:] = 0
    hidden[:, 6:] = False
    as_missing = model(inputs._replace(audio=Sequence(dropped, mask))).sentiment
    as_padding = model(inputs._replace(audio=Sequence(dropped, hidden))).sentiment
    assert (as_missing - as_padding).abs().max() > 1e-5


def test_a_clip_without_any_row_is_answered() -> None:
    empty = Inputs(
        *(Sequence(torch.zeros(B, 0, dim), torch.zeros(B, 0, dtype=torch.bool)) for dim in DIMS)
    )
    assert build("paper")(empty).sentiment.isfinite().all()


# Where gradients go


def gradients_of(loss: Tensor, module: nn.Module) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss, list(module.parameters()))


def sentiment(model: LNLN) -> Tensor:
    return model(random_inputs(0)).sentiment.sum()


def adversarial(model: LNLN) -> Tensor:
    output, zeros = model(random_inputs(0), random_inputs(1)), torch.zeros(B)
    return compute(output, zeros, zeros, LossSettings()).adversarial


@pytest.mark.parametrize(
    ("variant", "loss", "part", "sign"),
    [
        ("paper", sentiment, "proxy_encoder", +1),
        ("official", sentiment, "proxy_encoder", -1),
        ("paper", adversarial, "proxy_encoder", -1),
        ("official", adversarial, "proxy_encoder", -1),
        ("paper", adversarial, "discriminator", +1),
        ("official", adversarial, "discriminator", +1),
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
    monkeypatch.setattr("lnln.models.lnln.network.reverse_gradient", lambda x: x)
    true = gradients_of(loss(model), model.get_submodule(part))
    assert any(gradient.abs().max() > 1e-6 for gradient in true)
    for a, t in zip(actual, true, strict=True):
        torch.testing.assert_close(a, sign * t, atol=1e-7, rtol=1e-4)


def test_discriminator_sees_the_proxy_in_paper_and_the_mixture_in_official() -> None:
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
    assert depends_on_incomplete_text == {"paper": False, "official": True}


@pytest.mark.parametrize("variant", VARIANTS)
def test_complete_inputs_get_a_gradient_in_official_alone(variant: Variant) -> None:
    rows, labels = random_inputs(1), torch.zeros(B)
    complete = rows._replace(text=rows.text._replace(values=rows.text.values.requires_grad_()))
    output = build(variant)(random_inputs(0), complete)
    losses = compute(output, labels, labels, LossSettings())
    for loss in (losses.reconstruction, losses.adversarial):
        (gradient,) = torch.autograd.grad(
            loss, complete.text.values, retain_graph=True, allow_unused=True
        )
        assert (gradient is not None) == (variant == "official")


# Losses


def test_losses_are_the_weighted_sum_of_their_terms() -> None:
    output = build("paper")(random_inputs(0), random_inputs(1))
    weights = LossSettings(completeness=2, adversarial=3, reconstruction=5, sentiment=7)
    losses = compute(output, torch.ones(B), torch.full((B,), 0.5), weights)
    expected = (
        2 * losses.completeness
        + 3 * losses.adversarial
        + 5 * losses.reconstruction
        + 7 * losses.sentiment
    )
    torch.testing.assert_close(losses.total, expected)
    torch.testing.assert_close(losses.sentiment, ((output.sentiment - 1) ** 2).mean())
    torch.testing.assert_close(losses.completeness, ((output.completeness - 0.5) ** 2).mean())


def test_losses_without_complete_inputs_say_what_to_call() -> None:
    with pytest.raises(ValueError, match=r"call model\(incomplete, complete\)"):
        compute(build("paper")(random_inputs(0)), torch.ones(B), torch.ones(B), LossSettings())


def test_labels_that_would_broadcast_are_refused() -> None:
    output = build("paper")(random_inputs(0), random_inputs(1))
    with pytest.raises(ValueError, match=r"sentiment labels have the shape \[2, 1\]"):
        compute(output, torch.ones(B, 1), torch.ones(B), LossSettings())


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


def test_more_hyper_layers_than_dominant_features_are_refused() -> None:
    with pytest.raises(ValidationError, match="set hyper_depth to at most that"):
        NetworkSettings(depth=1)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="widht"):
        NetworkSettings.model_validate({"widht": 64})
