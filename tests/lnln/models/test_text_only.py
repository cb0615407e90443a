"""Language alone: nothing but the words that are left decides."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lnln.data.batches import collate
from lnln.data.features import FeatureSet, ModalityFeatures
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.missing.dropping import drop
from lnln.missing.masks import Masks
from lnln.models.interface import Targets
from lnln.models.text_only.model import TextOnly
from lnln.models.text_only.settings import TextOnlySettings
from lnln.settings import Shapes


@pytest.fixture
def model(shapes: Shapes) -> TextOnly:
    return TextOnly(TextOnlySettings(), shapes)


def other(modality: ModalityFeatures) -> ModalityFeatures:
    return replace(
        modality, values=3 * modality.values + 1, observed=np.zeros_like(modality.observed)
    )


def test_audio_and_vision_change_nothing(model: TextOnly, clips: FeatureSet) -> None:
    changed = replace(clips, audio=other(clips.audio), vision=other(clips.vision))
    before, after = model.predict(clips), model.predict(changed)
    assert np.array_equal(before.prediction, after.prediction)
    assert before.w is None and after.w is None


def test_lost_words_change_the_answer(
    model: TextOnly,
    clips: FeatureSet,
    masks_at: Callable[..., Masks],
    language: FrozenLanguageEncoder,
) -> None:
    lost = drop(clips, masks_at(clips, pattern="no_text", rate=0.0), language)
    before, after = model.predict(clips).prediction, model.predict(lost).prediction
    spoken = np.arange(len(clips)) != 3  # in which no words were from the beginning
    assert (before != after).tolist() == spoken.tolist()


def test_neighbours_in_a_batch_do_not_change_an_answer(model: TextOnly, clips: FeatureSet) -> None:
    together = model.predict(clips).prediction
    alone = [model.predict(clips.take([i])).prediction[0] for i in range(len(clips))]
    assert together == pytest.approx(alone, abs=1e-6)


def test_token_ids_and_their_hidden_states_give_the_same_answer(
    model: TextOnly, clips: FeatureSet, shapes: Shapes, bert: Path
) -> None:
    encoder = LanguageEncoder.from_folder(bert).eval()
    reading = TextOnly(TextOnlySettings(), shapes, encoder)
    reading.head.load_state_dict(model.head.state_dict())
    assert (model.layout.text, reading.layout.text) == ("states", "ids")
    assert reading.predict(clips).prediction == pytest.approx(
        model.predict(clips).prediction, abs=1e-5
    )


def test_loss_is_the_mean_squared_error(model: TextOnly, clips: FeatureSet) -> None:
    output = model(collate(clips, model.layout))
    nothing = torch.zeros(len(clips))
    targets = Targets(nothing + 2, nothing, nothing, torch.arange(len(clips)))
    terms = model.losses(output, targets)
    assert terms.keys() == {"total"}
    torch.testing.assert_close(terms["total"], ((output.prediction - 2) ** 2).mean())
