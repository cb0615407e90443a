"""The network against the direct implementation that benchmarks compare it with."""

import copy
from collections.abc import Callable

import pytest
import torch

from benchmarks.direct import Direct
from lnln.data.batches import Layout, collate, incomplete
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.missing.masks import evaluation_masks, training_masks
from lnln.models.lnln.losses import compute
from lnln.models.lnln.network import LNLN
from lnln.settings import LossSettings, NetworkSettings, Shapes, Variant

WEIGHTS = LossSettings()


@pytest.mark.parametrize("finetuned", [False, True])
@pytest.mark.parametrize("variant", ["paper", "masked", "official"])
def test_loss_gradients_and_scores_are_those_of_the_direct_implementation(
    variant: Variant,
    finetuned: bool,
    tiny: NetworkSettings,
    language: FrozenLanguageEncoder,
    make_set: Callable[..., FeatureSet],
) -> None:
    clips = make_set("train", 12, without={"train/003": ("text", "vision")})
    shapes = Shapes(
        text_dim=8, audio_dim=4, vision_dim=3, text_length=12, audio_length=20, vision_length=10
    )
    settings = tiny.model_copy(update={"variant": variant})
    encoder = language
    if finetuned:
        encoder = LanguageEncoder(copy.deepcopy(language.model)).requires_grad_()
        for module in encoder.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    model = LNLN(settings, shapes, encoder)
    direct = Direct(model, shapes)
    layout = Layout.of(settings, shapes, finetuned)
    plain = layout._replace(ids=True, full=True)
    masks, _ = training_masks(clips, seed=1, epoch=1)
    labels = torch.from_numpy(clips.known_labels())

    losses = []
    for net, how in ((model, layout), (direct, plain)):
        masked = incomplete(clips, masks, None if how.ids else language)
        output = net(collate(masked, how), collate(clips, how))
        losses.append(compute(output, labels, labels / 6 + 0.5, WEIGHTS))
        losses[-1].total.backward()
    for ours, theirs in zip(*losses, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-6)
    for (name, ours), theirs in zip(
        model.named_parameters(), direct.copy.parameters(), strict=True
    ):
        if ours.requires_grad:
            torch.testing.assert_close(
                ours.grad, theirs.grad, atol=1e-6, rtol=1e-4, msg=lambda m, name=name: name + m
            )

    lost = incomplete(clips, evaluation_masks(clips, 0.7, seed=1, purpose="test"), language)
    with torch.no_grad():
        ours, theirs = model(collate(lost, layout)), direct(collate(lost, plain))
    torch.testing.assert_close(ours.sentiment, theirs.sentiment, atol=1e-6, rtol=1e-6)
