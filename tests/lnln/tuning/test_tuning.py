"""Tuning a language encoder on rated sentences, on a tiny one."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from extractors.assets.adapters import merged
from lnln.data.language import FrozenLanguageEncoder
from lnln.tuning.adapter import describe, save
from lnln.tuning.judging import constant, judge, tuned
from lnln.tuning.run import RatedEncoder, rate, tune
from lnln.tuning.sentences import Sentences, batch, shuffled, tokenise
from lnln.tuning.settings import TuningSettings

GOOD, BAD, REST = ["good", "fine", "great"], ["bad", "awful", "sad"], ["film", "the", "was", "it"]
SETTINGS = TuningSettings(rank=4, epochs=20, batch_size=8, learning_rate=0.02)


@pytest.fixture
def folder(make_bert) -> Path:
    return make_bert([*GOOD, *BAD, *REST])


@pytest.fixture
def sentences(folder: Path) -> Sentences:
    """Sentences whose rating is that of their one word that matters."""
    draw = np.random.default_rng(0)
    texts, ratings = [], []
    for i in range(96):
        words = list(draw.choice(REST, size=draw.integers(1, 5)))
        words.insert(int(draw.integers(len(words) + 1)), str(draw.choice(GOOD if i % 2 else BAD)))
        texts.append(" ".join(words))
        ratings.append(0.75 if i % 2 else -0.75)
    return tokenise(folder, texts, np.array(ratings), 16)


def test_tuned_encoder_rates_sentences_that_it_has_not_seen(folder, sentences):
    seen, unseen = sentences.take(range(64)), sentences.take(range(64, 96))
    found = judge(unseen, [0.0, 1.0], tuned(folder, seen, SETTINGS))
    assert found[0].corr is not None and found[0].corr > 0.5
    assert found[0].mae < judge(unseen, [0.0], constant(seen))[0].mae
    assert found[1].corr is None  # without words every sentence is the same


def test_saved_adapter_rates_as_the_tuned_encoder_did(folder, sentences, tmp_path):
    tuned = tune(folder, sentences, SETTINGS)
    save(tuned, tmp_path / "a", "tiny", describe(SETTINGS, len(sentences), ["made up"]))
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert config["about"]["sentences"] == 96 and config["base_model_name_or_path"] == "tiny"
    encoder = FrozenLanguageEncoder.from_folder(merged(tmp_path / "a", folder))
    head = encoder.head
    assert head is not None
    shown = batch(sentences, np.full(96, 0.4), np.random.default_rng(1))
    states = encoder(shown.ids, shown.mask)
    content = shown.content[..., None].float()
    means = (states * content).sum(1) / content.sum(1).clamp(min=1)
    with torch.inference_mode():
        expected = tuned.model(shown) / 3
    torch.testing.assert_close(means @ head.weight + head.bias, expected, atol=0.02, rtol=0)


def test_same_seed_gives_the_same_bytes(folder, sentences, tmp_path):
    for name in "ab":
        save(tune(folder, sentences, SETTINGS), tmp_path / name, "tiny", {})
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


@pytest.mark.parametrize("method", ["low_rank", "truncated"])
def test_only_matrices_of_layers_and_the_head_are_learnt(folder, method):
    settings = SETTINGS.model_copy(update={"method": method})
    learnt = [n for n, p in RatedEncoder(folder, settings).named_parameters() if p.requires_grad]
    within = "lora_" if method == "low_rank" else "layer."
    assert all(within in name or name.startswith("head.") for name in learnt)
    assert not any("bias" in name and not name.startswith("head.") for name in learnt)


def test_freezing_every_layer_is_refused(folder):
    with pytest.raises(ValueError, match="frozen_layers=1 leaves none of the 1 layers"):
        RatedEncoder(folder, SETTINGS.model_copy(update={"frozen_layers": 1}))


def test_lost_words_are_left_out_and_change_nothing(folder, sentences):
    encoder = FrozenLanguageEncoder.from_folder(folder)
    shown = batch(sentences.take([0, 1]), np.array([0.6, 0.6]), np.random.default_rng(2))
    lost = shown.mask & (shown.ids == 0)
    assert lost.any()
    states = encoder(shown.ids, shown.mask)
    assert not states[lost].any()
    # The words that are left say what they say where nothing stands in the lost ones' places.
    for i in range(2):
        kept = shown.mask[i] & ~lost[i]
        alone = encoder.model(
            input_ids=shown.ids[i][kept][None],
            position_ids=torch.arange(len(kept))[kept][None],
        ).last_hidden_state[0]
        torch.testing.assert_close(states[i][kept], alone)


def test_every_sentence_comes_once_an_epoch(sentences):
    seen = np.concatenate(list(shuffled(sentences, 7, np.random.default_rng(0))))
    assert sorted(seen.tolist()) == list(range(96))


def test_rating_without_words_is_the_same_for_every_sentence(folder, sentences):
    model = tune(folder, sentences, SETTINGS.model_copy(update={"epochs": 1})).model
    rated = rate(model, sentences, 1.0, seed=0)
    assert np.allclose(rated, rated[0])
    assert np.isclose(rated[0], load_bias(model))


def load_bias(model: RatedEncoder) -> float:
    return float(model.head.bias.detach()) / 3


def test_head_is_stored_for_ratings_of_minus_one_to_one(folder, sentences, tmp_path):
    tuned = tune(folder, sentences, SETTINGS.model_copy(update={"epochs": 1}))
    save(tuned, tmp_path, "tiny", {})
    head = load_file(tmp_path / "head.safetensors")
    torch.testing.assert_close(3 * head["weight"], tuned.model.head.weight.detach()[0])
