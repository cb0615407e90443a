"""Training with each speaker's own mean and deviation: it chooses as it will be asked."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lnln.data.language import FrozenLanguageEncoder
from lnln.missing.dropping import drop
from lnln.missing.scaling import scale
from lnln.models.lnln.settings import LNLNSettings
from lnln.models.registry import find
from lnln.training.run import Trained
from tests.lnln.training.conftest import FAST, same_weights


def by_speaker(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs with clips of four people, each far from the others."""
    sets = {}
    for name in ("train_set", "valid_set"):
        clips = inputs[name]
        people = np.arange(len(clips)) % 4
        far = np.repeat(200.0 * people, clips.audio.counts)[:, None] * clips.audio.observed[:, None]
        audio = replace(clips.audio, values=(clips.audio.values + far).astype(np.float32))
        sets[name] = replace(clips, audio=audio, groups=tuple(f"p{p}" for p in people))
    return sets


@pytest.mark.parametrize("name", ["lnln", "ridge"])
def test_by_speaker_the_epoch_is_chosen_by_what_masks_leave(
    run: Callable[..., Trained], inputs: dict[str, Any], language: FrozenLanguageEncoder, name: str
) -> None:
    sets = by_speaker(inputs)
    settings = FAST.model_copy(update={"normalisation": "speaker"})
    model = {"name": name, "model_settings": find(name).settings()} if name == "ridge" else {}
    trained = run(settings, **sets, **model)
    assert trained.normalisation is not None and trained.normalisation.by == "speaker"
    (masks,) = inputs["valid_masks"]
    errors = []
    for seen in (masks, None):
        clips = drop(scale(sets["valid_set"], trained.normalisation, seen), masks, language)
        error = np.abs(trained.model.predict(clips).prediction - clips.known_labels()).mean()
        errors.append(float(error))
    assert errors[0] == min(row["valid/mae"] for row in trained.history) != errors[1]


def test_by_speaker_two_runs_give_the_same_bytes(
    run: Callable[..., Trained], inputs: dict[str, Any]
) -> None:
    sets, settings = by_speaker(inputs), FAST.model_copy(update={"normalisation": "speaker"})
    first, second = run(settings, **sets), run(settings, **sets)
    assert first.history == second.history and same_weights(first, second)
    assert not same_weights(first, run(**sets))


def test_by_speaker_is_refused_where_features_are_raw_or_nobody_says_whose_they_are(
    run: Callable[..., Trained], inputs: dict[str, Any], tiny: LNLNSettings
) -> None:
    settings = FAST.model_copy(update={"normalisation": "speaker"})
    with pytest.raises(ValueError, match="column group, or take normalisation=split"):
        run(settings)
    official = tiny.model_copy(update={"variant": "official"})
    with pytest.raises(ValueError, match=r"lnln reads features as they come.*normalisation=split"):
        run(settings, **by_speaker(inputs), model_settings=official)
