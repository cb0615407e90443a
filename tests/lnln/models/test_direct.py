"""The network against the direct implementation that benchmarks compare it with."""

import copy
from collections.abc import Callable

import pytest
import torch

from benchmarks.direct import Direct
from lnln.data.batches import collate
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.missing.dropping import drop
from lnln.missing.masks import evaluation_masks, training_masks
from lnln.models.lnln.losses import compute
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import VARIANTS, LNLNSettings, LossWeights, Variant
from lnln.settings import Shapes

WEIGHTS = LossWeights()


@pytest.mark.parametrize("finetuned", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_loss_gradients_and_scores_are_those_of_the_direct_implementation(
    variant: Variant,
    finetuned: bool,
    tiny: LNLNSettings,
    shapes: Shapes,
    language: FrozenLanguageEncoder,
    make_set: Callable[..., FeatureSet],
) -> None:
    clips = make_set("train", 12, without={"train/003": ("text", "vision")})
    settings = tiny.model_copy(update={"variant": variant})
    encoder = language
    if finetuned:
        encoder = LanguageEncoder(copy.deepcopy(language.model)).requires_grad_()
        for module in encoder.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
    model = LNLN(settings, shapes, encoder)
    direct = Direct(model, shapes)
    layout = LNLN.reads(settings, shapes, "ids" if finetuned else "states")
    plain = layout._replace(text="ids", length="full")
    masks, _ = training_masks(clips, seed=1, epoch=1)
    labels = torch.from_numpy(clips.known_labels())

    losses = []
    for net, how in ((model, layout), (direct, plain)):
        masked = drop(clips, masks, None if how.text == "ids" else language)
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

    lost = drop(clips, evaluation_masks(clips, 0.7, seed=1, purpose="test"), language)
    with torch.no_grad():
        ours, theirs = model(collate(lost, layout)), direct(collate(lost, plain))
    torch.testing.assert_close(ours.prediction, theirs.prediction, atol=1e-6, rtol=1e-6)
