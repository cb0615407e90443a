"""Explanations are true: they add up, and they point to where the sentiment is."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from contracts.schemas import MODALITIES
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.data.extent import Spoken
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.explaining.explain import explain
from lnln.explaining.explanation import Explanation
from lnln.explaining.reader import Reader
from lnln.models import registry
from lnln.models.lnln.settings import LNLNSettings
from lnln.models.ridge.model import Ridge
from lnln.settings import Shapes
from tests.lnln.explaining.conftest import said

Make = Callable[..., Checkpoint]


def ridge(make_checkpoint: Make, clips: FeatureSet, *modalities: str) -> Checkpoint:
    """A line that reads the first feature of some modalities, and answers 0.25 beside it."""
    model = make_checkpoint(clips, registry.find("ridge").settings(), name="ridge")
    assert isinstance(model.model, Ridge)
    starts = {"text": 0, "audio": 8, "vision": 12}
    for modality in modalities:
        model.model.weights[starts[modality]] = 1
    model.model.intercept.fill_(0.25)
    return model


def explained(clips: FeatureSet, model: Checkpoint, reader: Reader) -> list[Explanation]:
    return explain(model.prepare(clips), model, reader, said(clips))


@pytest.mark.parametrize("name", registry.names())
def test_contributions_of_every_model_add_up_to_its_answer(
    name: str,
    make_checkpoint: Make,
    timed: FeatureSet,
    reader: Reader,
    language: FrozenLanguageEncoder,
    tiny: LNLNSettings,
    shapes: Shapes,
) -> None:
    kind = registry.find(name)
    settings = tiny if name == "lnln" else kind.settings()
    runs_encoder = kind.load().reads(settings, shapes, "states").text == "ids"
    own = language if runs_encoder else None
    model = make_checkpoint(timed, settings, own, name=name)
    assert language.head is not None
    model.model.take_head(language.head)
    with torch.no_grad():
        for weight in model.model.parameters():
            if weight.requires_grad:  # not those of the encoder
                weight.add_(0.1 * torch.randn_like(weight))
    answers = model.predict(model.prepare(timed)).prediction
    for clip, told in zip(answers, explained(timed, model, reader), strict=True):
        assert told.score == pytest.approx(clip, abs=1e-4)
        assert told.nothing + sum(told.modalities.values()) == pytest.approx(told.score, abs=1e-6)


@pytest.mark.parametrize("modality", MODALITIES)
def test_modality_in_which_the_sentiment_is_carries_the_contribution(
    modality: str, make_checkpoint: Make, timed: FeatureSet, reader: Reader
) -> None:
    model = ridge(make_checkpoint, timed, modality)
    for told in explained(timed, model, reader):
        rest = [share for m, share in told.modalities.items() if m != modality]
        assert rest == pytest.approx([0, 0], abs=1e-9)
        assert told.modalities[modality] == pytest.approx(told.score - 0.25, abs=1e-9)


@pytest.mark.parametrize("modality", ["audio", "vision"])
def test_trained_model_is_told_to_read_the_modality_that_says_the_label(
    modality: str, make_checkpoint: Make, make_set: Callable[..., FeatureSet], reader: Reader
) -> None:
    clips = make_set("train", 40)
    labels = np.random.default_rng(0).uniform(-3, 3, 40).astype(np.float32)
    rows = clips.modality(modality)
    values = rows.values.copy()  # of the modalities, this one alone knows the new labels
    values[:, 1] += 25 * np.repeat(labels, rows.counts)
    values[~rows.observed] = 0
    clips = replace(clips, labels=labels, **{modality: replace(rows, values=values)})
    model = make_checkpoint(clips, registry.find("ridge").settings(), name="ridge")
    assert isinstance(model.model, Ridge)
    prepared = model.prepare(clips)
    model.model.fit([prepared], [prepared])
    told = explained(clips, model, reader)
    moved = {m: np.mean([abs(e.modalities[m]) for e in told]) for m in MODALITIES}
    assert moved.pop(modality) > 3 * sum(moved.values())


def test_modalities_that_are_added_get_what_each_adds(
    make_checkpoint: Make, timed: FeatureSet, reader: Reader
) -> None:
    both = explained(timed, ridge(make_checkpoint, timed, "audio", "vision"), reader)
    each = [explained(timed, ridge(make_checkpoint, timed, m), reader) for m in MODALITIES[1:]]
    for together, audio, vision in zip(both, *each, strict=True):
        shares = [audio.modalities["audio"], vision.modalities["vision"]]
        assert [*together.modalities.values()] == pytest.approx([0, *shares], abs=1e-9)


def test_what_each_word_did_is_the_answer_with_it_minus_that_without_it(
    make_checkpoint: Make, timed: FeatureSet, reader: Reader, language: FrozenLanguageEncoder
) -> None:
    model = ridge(make_checkpoint, timed, "text")
    told = explained(timed.take([0]), model, reader)[0]
    text = timed.take([0]).text
    content = np.flatnonzero(~text.special)
    assert [part.text for part in told.words] == [f"w{text.token_ids[row]}" for row in content]
    for row, part in zip(content, told.words, strict=True):
        ids, left = text.token_ids.copy(), ~text.special
        ids[row], left[row] = text.info.unk_id, False
        tokens = torch.from_numpy(ids)[None]
        states = language(tokens, tokens >= 0)[0].numpy()
        without = 0.25 + states[left, 0].mean()
        assert part.observed
        assert part.contribution == pytest.approx(told.score - without, abs=1e-5)


def test_half_second_in_which_the_sentiment_is_carries_the_contribution(
    make_checkpoint: Make, timed: FeatureSet, reader: Reader
) -> None:
    model = ridge(make_checkpoint, timed, "audio")
    clip = model.prepare(timed.take([0]))
    values = np.zeros_like(clip.audio.values)
    loud = clip.audio.observed & (clip.audio.times < 0.5)
    values[loud, 0] = 1
    clip = replace(clip, audio=replace(clip.audio, values=values))
    (told,) = explain(clip, model, reader, said(timed))
    stretches = [(part.start_s, part.end_s) for part in told.audio]
    rows = len(values)
    assert stretches == [(0, 0.5), (0.5, pytest.approx(rows * 0.04))] and rows < 25
    with_sentiment, without = told.audio
    assert with_sentiment.contribution == pytest.approx(told.score - 0.25)
    assert without.contribution <= 0  # the mean is higher without rows that say nothing
    assert [part.contribution for part in told.vision] == pytest.approx([0] * len(told.vision))


def test_what_was_not_observed_contributes_nothing(
    make_checkpoint: Make, timed: FeatureSet, reader: Reader
) -> None:
    model = ridge(make_checkpoint, timed, *MODALITIES)
    told = explained(timed, model, reader)
    wordless, silent = told[3], told[4]
    assert wordless.words == () and wordless.modalities["text"] == 0
    assert silent.modalities["audio"] == 0 and silent.audio
    assert not any(part.observed or part.contribution for part in silent.audio)


def test_explanation_of_a_clip_does_not_depend_on_others(
    make_checkpoint: Make, timed: FeatureSet, reader: Reader, tiny: LNLNSettings
) -> None:
    model = make_checkpoint(timed, tiny)
    prepared, words = model.prepare(timed), said(timed)
    together = explain(prepared, model, reader, words)
    assert explain(prepared.take([4, 1]), model, reader, words) == [together[4], together[1]]


def test_model_that_reads_its_own_encoder_is_explained_without_stored_states(
    make_checkpoint: Make, timed: FeatureSet, reader: Reader, tiny: LNLNSettings
) -> None:
    own = LanguageEncoder(reader.encoder.model)
    model = make_checkpoint(timed, tiny, language=own)
    assert model.model.layout.text == "ids"
    for told in explained(timed, model, reader):
        assert told.nothing + sum(told.modalities.values()) == pytest.approx(told.score, abs=1e-6)
    assert any(part.contribution for part in told.words)


def test_modality_without_times_has_no_stretches(
    make_checkpoint: Make, clips: FeatureSet, reader: Reader
) -> None:
    told = explained(clips.take([0]), ridge(make_checkpoint, clips, "audio"), reader)[0]
    assert told.audio == told.vision == () and told.modalities["audio"] != 0


def test_encoder_of_another_text_model_is_refused(
    make_checkpoint: Make, timed: FeatureSet, reader: Reader
) -> None:
    model = ridge(make_checkpoint, timed, "text")
    other = FrozenLanguageEncoder.from_folder(reader.encoder.model.config._name_or_path)
    with torch.no_grad():
        other.model.encoder.layer[-1].output.LayerNorm.bias.add_(1)
    with pytest.raises(ValueError, match="does not give the hidden states"):
        explain(model.prepare(timed), model, Reader(other, reader.tokenizer), said(timed))


def test_words_whose_tokens_are_not_those_of_the_text_are_told_apart_by_token(
    make_checkpoint: Make, timed: FeatureSet, reader: Reader
) -> None:
    model = ridge(make_checkpoint, timed, "text")
    clip = model.prepare(timed.take([0]))
    (by_word,) = explain(clip, model, reader, said(timed))
    (by_token,) = explain(clip, model, reader, {clip.clip_ids[0]: Spoken("w5 something else")})
    assert [(w.text, w.contribution) for w in by_token.words] == [
        (w.text, w.contribution) for w in by_word.words
    ]
