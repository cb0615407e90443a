"""Clips padded into batches, as each variant reads them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from lnln.data.batches import collate, in_batches
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.missing.dropping import drop
from lnln.missing.masks import Kept
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import VARIANTS, LNLNSettings, Variant
from lnln.settings import Shapes

PAD = 0

MasksAt = Callable[..., dict[str, Kept]]


@pytest.mark.parametrize("variant", ["paper", "masked"])
def test_batches_hold_hidden_states_padded_to_the_longest(
    variant: Variant, clips: FeatureSet, shapes: Shapes, tiny: LNLNSettings
) -> None:
    settings = tiny.model_copy(update={"variant": variant})
    batch = collate(clips, LNLN.reads(settings, shapes, "states"))
    for name in ("text", "audio", "vision"):
        sequence, ragged = getattr(batch, name), clips.modality(name)
        assert sequence.values.shape == (12, ragged.counts.max(), ragged.values.shape[1])
        rows = torch.arange(sequence.mask.shape[1]) < torch.tensor(ragged.counts)[:, None]
        assert not sequence.values[~rows].any()
        assert np.array_equal(sequence.values[rows].numpy(), ragged.values)
        left_out = variant == "masked" and name != "text"
        attended = ragged.count(ragged.observed) if left_out else ragged.counts
        assert sequence.mask.sum(dim=1).tolist() == attended.tolist()
        assert not (sequence.mask & ~rows).any()


def test_masked_batches_leave_missing_rows_out_of_attention_and_keep_unk(
    masks_at: MasksAt,
    clips: FeatureSet,
    shapes: Shapes,
    tiny: LNLNSettings,
    language: FrozenLanguageEncoder,
) -> None:
    lost = drop(clips, masks_at(clips), language)
    masked = tiny.model_copy(update={"variant": "masked"})
    plain = collate(lost, LNLN.reads(tiny, shapes, "states"))
    batch = collate(lost, LNLN.reads(masked, shapes, "states"))
    for name in ("audio", "vision"):
        sequence, before = getattr(batch, name), getattr(plain, name)
        assert sequence.mask.sum() == lost.modality(name).observed.sum() < before.mask.sum()
        assert not (sequence.mask & ~before.mask).any()
    assert torch.equal(batch.text.mask, plain.text.mask)


@pytest.mark.parametrize("variant", VARIANTS)
def test_values_of_missing_rows_matter_but_to_the_masked_variant(
    variant: Variant,
    masks_at: MasksAt,
    clips: FeatureSet,
    shapes: Shapes,
    tiny: LNLNSettings,
    language: FrozenLanguageEncoder,
) -> None:
    lost = drop(clips, masks_at(clips), language)
    loud = replace(
        lost,
        audio=replace(
            lost.audio, values=np.where(lost.audio.observed[:, None], lost.audio.values, 9)
        ),
    )
    settings = tiny.model_copy(update={"variant": variant})
    model = LNLN(settings, shapes, language if variant == "official" else None).eval()
    with torch.no_grad():
        said, again = (model(collate(c, model.layout)).prediction for c in (lost, loud))
    assert torch.equal(said, again) is (variant == "masked")


@pytest.mark.parametrize("variant", VARIANTS)
def test_finetuned_batches_hold_token_ids(
    variant: Variant, clips: FeatureSet, shapes: Shapes, tiny: LNLNSettings
) -> None:
    settings = tiny.model_copy(update={"variant": variant})
    text = collate(clips, LNLN.reads(settings, shapes, "ids")).text
    assert text.values.dtype == torch.int64
    assert (text.values[~text.mask] == PAD).all()
    assert np.array_equal(text.values[text.mask].numpy(), clips.text.token_ids)


def test_official_batches_hold_token_ids_padded_to_the_greatest_length(
    clips: FeatureSet, shapes: Shapes, tiny: LNLNSettings
) -> None:
    official = tiny.model_copy(update={"variant": "official"})
    batch = collate(clips, LNLN.reads(official, shapes, "states"))
    assert batch.text.values.shape == (12, shapes.text_length)
    assert batch.audio.values.shape == (12, shapes.audio_length, 4)
    assert batch.vision.values.shape == (12, shapes.vision_length, 3)


@pytest.mark.parametrize("variant", ["paper", "masked"])
def test_masked_sentences_without_an_encoder_are_an_error_where_states_are_read(
    variant: Variant, masks_at: MasksAt, clips: FeatureSet, shapes: Shapes, tiny: LNLNSettings
) -> None:
    lost = drop(clips, masks_at(clips))
    settings = tiny.model_copy(update={"variant": variant})
    with pytest.raises(ValueError, match="give the language encoder"):
        collate(lost, LNLN.reads(settings, shapes, "states"))
    collate(lost, LNLN.reads(settings, shapes, "ids"))


def test_batches_are_of_like_size_and_hold_every_clip_once() -> None:
    batches = in_batches(range(130), 64)
    assert [len(b) for b in batches] == [44, 43, 43]
    assert np.concatenate(batches).tolist() == list(range(130))
    assert [len(b) for b in in_batches(range(3), 64)] == [3]
