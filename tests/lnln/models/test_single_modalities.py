"""Voice alone, the face alone, and late fusion of the three modalities."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lnln.data.batches import collate
from lnln.data.features import FeatureSet, ModalityFeatures
from lnln.models.audio_only.model import AudioOnly
from lnln.models.audio_only.settings import AudioOnlySettings
from lnln.models.interface import Network, Targets
from lnln.models.late_fusion.model import LateFusion
from lnln.models.late_fusion.settings import LateFusionSettings
from lnln.models.vision_only.model import VisionOnly
from lnln.models.vision_only.settings import VisionOnlySettings
from lnln.settings import Shapes

KINDS: dict[str, tuple[type[Network], Any]] = {
    "audio": (AudioOnly, AudioOnlySettings()),
    "vision": (VisionOnly, VisionOnlySettings()),
}


def other(modality: ModalityFeatures) -> Any:
    return replace(modality, values=3 * modality.values + 1)


def missing(modality: ModalityFeatures) -> Any:
    return replace(
        modality,
        values=np.zeros_like(modality.values),
        observed=np.zeros_like(modality.observed),
    )


@pytest.mark.parametrize("modality", KINDS)
def test_the_other_modalities_change_nothing(
    modality: str, clips: FeatureSet, shapes: Shapes
) -> None:
    kind, settings = KINDS[modality]
    model = kind(settings, shapes)
    others = {m: other(clips.modality(m)) for m in ("text", "audio", "vision") if m != modality}
    before, after = model.predict(clips), model.predict(replace(clips, **others))
    assert np.array_equal(before.prediction, after.prediction)
    changed = model.predict(replace(clips, **{modality: other(clips.modality(modality))}))
    assert not np.allclose(before.prediction, changed.prediction)


@pytest.mark.parametrize("modality", KINDS)
def test_missing_rows_do_not_dilute_those_that_are_left(
    modality: str, clips: FeatureSet, shapes: Shapes
) -> None:
    kind, settings = KINDS[modality]
    model = kind(settings, shapes).eval()
    inputs = collate(clips, model.layout)
    sequence = getattr(inputs, modality)
    holes = sequence.seen.clone()
    holes[:, 1::2] = False
    zeroed = sequence._replace(values=sequence.values * holes[:, :, None], observed=holes)
    packed = sequence._replace(
        values=sequence.values[:, ::2], mask=sequence.mask[:, ::2], observed=holes[:, ::2]
    )
    answers = [model(inputs._replace(**{modality: s})).prediction for s in (zeroed, packed)]
    torch.testing.assert_close(*answers, atol=1e-5, rtol=0)


@pytest.mark.parametrize("modality", KINDS)
def test_no_language_model_is_asked_for(modality: str, shapes: Shapes) -> None:
    kind, settings = KINDS[modality]
    assert not kind.reads_text
    assert kind(settings, shapes).layout.text == "none"


def test_an_absent_modality_has_no_weight(clips: FeatureSet, shapes: Shapes) -> None:
    model = LateFusion(LateFusionSettings(), shapes).eval()
    output = model(collate(replace(clips, audio=missing(clips.audio)), model.layout))
    alone, present = output.alone, output.present
    assert not present[:, 1].any()
    for clip in range(len(clips)):
        there = present[clip] if present[clip].any() else torch.ones(3, dtype=torch.bool)
        expected = alone[clip][there].mean()  # the weights are equal at first
        torch.testing.assert_close(output.prediction[clip], expected)


def test_late_fusion_learns_from_every_answer(clips: FeatureSet, shapes: Shapes) -> None:
    model = LateFusion(LateFusionSettings(dropout=0), shapes)
    output = model(collate(clips, model.layout))
    nothing = torch.zeros(len(clips))
    terms = model.losses(output, Targets(nothing + 2, nothing, nothing, torch.arange(len(clips))))
    single = (output.alone[output.present] - 2) ** 2
    torch.testing.assert_close(terms["loss_alone"], single.mean())
    torch.testing.assert_close(terms["loss_prediction"], ((output.prediction - 2) ** 2).mean())
    assert terms["total"] == terms["loss_prediction"] + terms["loss_alone"]
    terms["total"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
