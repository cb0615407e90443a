"""What an ablation leaves out of LNLN is neither computed nor learnt."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lnln.data.batches import collate
from lnln.data.features import FeatureSet
from lnln.models.interface import Targets
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import ABLATIONS, LNLNSettings, Part
from lnln.settings import Shapes
from lnln.training.run import train

# Parameters and terms that a part owns.
OWNED: dict[Part, tuple[set[str], set[str]]] = {
    "correction": (
        {
            "completeness_encoder",
            "completeness_head",
            "proxy_start",
            "proxy_encoder",
            "discriminator",
        },
        {"loss_completeness", "loss_adversarial", "discriminator_accuracy"},
    ),
    "completeness": ({"completeness_encoder", "completeness_head"}, {"loss_completeness"}),
    "proxy": (
        {"proxy_start", "proxy_encoder", "discriminator"},
        {"loss_adversarial", "discriminator_accuracy"},
    ),
    "adversarial": ({"discriminator"}, {"loss_adversarial", "discriminator_accuracy"}),
    "reconstructor": (
        {"reconstruct_audio", "reconstruct_vision", "reconstruct_text"},
        {"loss_reconstruction"},
    ),
    "hyper_modality": ({"hyper_start", "hyper_layers"}, set()),
}


def parts(model: LNLN) -> set[str]:
    return {name.split(".")[0] for name, _ in model.named_parameters()}


def ablated(tiny: LNLNSettings, *names: Part) -> LNLNSettings:
    return tiny.model_validate(tiny.model_dump() | {"ablate": names})


@pytest.mark.parametrize("part", ABLATIONS)
def test_a_part_goes_with_its_parameters_and_its_loss_and_the_rest_stays(
    part: Part, tiny: LNLNSettings, shapes: Shapes, clips: FeatureSet
) -> None:
    whole, without = LNLN(tiny, shapes), LNLN(ablated(tiny, part), shapes)
    names, terms = OWNED[part]
    assert parts(whole) - parts(without) == names
    assert parts(without) <= parts(whole)

    inputs = collate(clips, without.layout)
    nothing = torch.zeros(len(clips))
    targets = Targets(nothing + 1, nothing, nothing, torch.arange(len(clips)))
    before = whole.losses(whole(inputs, inputs), targets)
    after = without.losses(without(inputs, inputs), targets)
    assert before.keys() - after.keys() == terms
    assert after.keys() <= before.keys()
    after["total"].backward()
    idle = {n for n, p in without.named_parameters() if p.grad is None}
    # The last reconstruction token is no query, and nobody asks for it.
    assert idle == {n for n, p in whole.named_parameters() if p.grad is None and n in idle}


@pytest.mark.parametrize("part", ABLATIONS)
def test_an_ablated_network_is_trained_and_asked(
    part: Part, tiny: LNLNSettings, make_inputs: Callable[..., dict[str, Any]]
) -> None:
    inputs = make_inputs(model_settings=ablated(tiny, part))
    trained = train(**inputs)
    scores = trained.model.predict(inputs["valid_set"])
    assert (scores.w is None) == (part in ("correction", "completeness"))
    assert trained.history[-1]["train/total"] < 2 * trained.history[0]["train/total"]


def test_without_correction_language_is_taken_as_it_is(
    tiny: LNLNSettings, shapes: Shapes, clips: FeatureSet
) -> None:
    model = LNLN(ablated(tiny, "correction"), shapes).eval()
    inputs = collate(clips, model.layout)
    text, audio, vision = model.embed(inputs)
    states = model.dominant_encoder(text)
    hyper = model.hyper_start.expand(len(text), -1, -1)
    for layer, state in zip(model.hyper_layers, states, strict=False):
        hyper = layer(hyper, state, audio, vision)
    expected = model.regressor(model.fusion(states[-1], hyper).mean(dim=1)).squeeze(1)
    assert torch.equal(model(inputs).prediction, expected)


def test_parts_go_together(tiny: LNLNSettings) -> None:
    left = ablated(tiny, "adversarial", "reconstructor").parts
    assert (left.discriminator, left.reconstructor) == (False, False)
    assert left.proxy and left.completeness and left.hyper_modality
    with pytest.raises(ValueError, match="put correction in their place"):
        ablated(tiny, "completeness", "proxy")
