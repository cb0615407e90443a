"""Rated sentences beside the clips: which, how many, what is read of them, and who takes them."""

import os
import signal
from collections.abc import Callable
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from contracts.schemas import TRAINING_SENTENCES
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.data.sentences import Sentences, as_clips
from lnln.missing.dropping import SentenceCache
from lnln.models import registry
from lnln.models.lnln.model import LNLN
from lnln.models.registry import find
from lnln.models.ridge.model import Ridge
from lnln.settings import TrainSettings
from lnln.training.epoch_clips import EpochClips
from lnln.training.fingerprint import fingerprint
from lnln.training.resume import StateFile, Stopped
from lnln.training.run import train

CLS, SEP = 2, 3
Run = dict[str, Any]


@pytest.fixture(scope="module")
def make_corpus(make_set: Callable[..., FeatureSet]) -> Callable[..., Sentences]:
    """Make a corpus of sentences of three words: `make_corpus(sentences, share, name="rated")`."""

    def make(sentences: int, share: float, name: str = "rated") -> Sentences:
        draws = np.random.default_rng(len(name))
        words = draws.integers(5, 30, (sentences, 3)).tolist()
        table = pa.Table.from_pylist(
            [
                {
                    "corpus": name,
                    "sentence_id": str(i),
                    "source": "tweets",
                    "text": "",
                    "label": float((i % 5) - 2),
                    "split": "train",
                    "token_ids": [CLS, *words[i], SEP],
                    "special": [True, False, False, False, True],
                }
                for i in range(sentences)
            ],
            schema=TRAINING_SENTENCES,
        )
        return Sentences(name, as_clips(table, make_set("train", 4)), share)

    return make


@pytest.fixture
def inputs(make_inputs: Callable[..., Run], make_corpus: Callable[..., Sentences]) -> Run:
    return make_inputs(further=[make_corpus(30, 0.5)])


def drawn(corpus: Sentences, clips: FeatureSet, epoch: int, seed: int = 1) -> list[str]:
    passed = EpochClips.draw(clips, [corpus], seed=seed, epoch=epoch)
    assert passed.sentences is not None
    return list(passed.sentences.clip_ids)


def test_no_sentence_comes_again_before_all_have_come(
    make_corpus: Callable[..., Sentences], make_set: Callable[..., FeatureSet]
) -> None:
    corpus, clips = make_corpus(30, 0.5), make_set("train", 20)
    epochs = [drawn(corpus, clips, epoch) for epoch in range(1, 7)]
    assert [len(epoch) for epoch in epochs] == [10] * 6
    first, second = ([*chain(*three)] for three in (epochs[:3], epochs[3:]))
    assert sorted(first) == sorted(second) == sorted(corpus.clips.clip_ids)
    assert first != second
    assert drawn(corpus, clips, 2) == epochs[1] != drawn(corpus, clips, 2, seed=2)


def test_an_epoch_may_take_more_sentences_than_there_are(
    make_corpus: Callable[..., Sentences], make_set: Callable[..., FeatureSet]
) -> None:
    corpus, clips = make_corpus(3, 2.0), make_set("train", 4)
    names = drawn(corpus, clips, 1) + drawn(corpus, clips, 2)
    assert len(names) == 16
    assert {names.count(name) for name in corpus.clips.clip_ids} <= {5, 6}


def test_two_corpora_each_have_their_share(
    make_corpus: Callable[..., Sentences], make_set: Callable[..., FeatureSet]
) -> None:
    corpora = [make_corpus(30, 0.5, "rated"), make_corpus(30, 0.01, "other")]
    passed = EpochClips.draw(make_set("train", 20), corpora, seed=1, epoch=1)
    assert passed.sentences is not None and len(passed) == 20 + 10 + 1
    of_corpus = [name.partition("/")[0] for name in passed.sentences.clip_ids]
    assert of_corpus == ["rated"] * 10 + ["other"]


def test_words_are_masked_and_complete_ones_encoded_in_the_batch_s_order(
    make_corpus: Callable[..., Sentences],
    make_set: Callable[..., FeatureSet],
    language: FrozenLanguageEncoder,
) -> None:
    clips = make_set("train", 20)
    passed = EpochClips.draw(clips, [make_corpus(30, 2.0)], seed=1, epoch=1)
    batch = np.array([25, 3, 59, 30, 0, 21])
    masked, complete = passed.incomplete(batch, language), passed.complete(batch, language)
    assert list(masked.clip_ids) == list(complete.clip_ids) == passed.names(batch)
    assert complete.labels is not None
    assert complete.labels[1] == clips.known_labels()[3]
    assert masked.text.values.shape[1] == complete.text.values.shape[1] == 8
    for clip in (0, 2, 3, 5):  # sentences
        ids = torch.from_numpy(complete.text.token_ids[complete.text.rows(clip)])[None]
        states = language(ids, ids >= 0)[0].numpy()
        assert np.allclose(complete.text.values[complete.text.rows(clip)], states, atol=1e-5)
        for modality in ("audio", "vision"):
            rows = masked.modality(modality).rows(clip)
            assert rows.stop - rows.start == 1
            assert not masked.modality(modality).observed[rows].any()
            assert not masked.modality(modality).values[rows].any()
    of_sentences = passed.incomplete(np.arange(20, 60), language)
    shares = of_sentences.text.completeness()
    assert 0.2 < (shares == 1).mean() < 0.9  # half of them complete, as of clips
    assert set(of_sentences.text.token_ids[~of_sentences.text.observed]) <= {CLS, SEP, 1}


def test_a_sentence_that_lost_nothing_is_encoded_once(
    make_corpus: Callable[..., Sentences],
    make_set: Callable[..., FeatureSet],
    language: FrozenLanguageEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoded: list[int] = []
    forward = FrozenLanguageEncoder.forward

    def counting(self: FrozenLanguageEncoder, ids: torch.Tensor, mask: torch.Tensor) -> Any:
        encoded.append(len(ids))
        return forward(self, ids, mask)

    passed = EpochClips.draw(make_set("train", 4), [make_corpus(30, 7.0)], seed=1, epoch=1)
    batch, states = np.arange(4, 32), SentenceCache()
    monkeypatch.setattr(FrozenLanguageEncoder, "forward", counting)
    masked = passed.incomplete(batch, language, states)
    first, encoded[:] = sum(encoded), []
    complete = passed.complete(batch, language, states)
    lost = int((masked.text.completeness() < 1).sum())
    assert sum(encoded) <= lost < first <= 28  # those that read the same are one
    assert np.isfinite(complete.text.values).all() and complete.text.values.any(1).all()


def test_a_batch_of_sentences_alone_is_one(
    make_corpus: Callable[..., Sentences],
    make_set: Callable[..., FeatureSet],
    language: FrozenLanguageEncoder,
) -> None:
    passed = EpochClips.draw(make_set("train", 4), [make_corpus(9, 2.0)], seed=1, epoch=1)
    batch = np.array([5, 4])
    masked, complete = passed.incomplete(batch, language), passed.complete(batch, language)
    assert len(masked) == len(complete) == 2
    without = passed.incomplete(np.array([5, 0]), None)  # for a model that reads token ids
    assert without.text.values.shape[1] == 0


def test_sentences_change_what_is_learnt_and_two_runs_are_the_same(inputs: Run) -> None:
    first, second = train(**inputs), train(**inputs)
    assert first.history == second.history
    assert first.sentences == {"rated": 10}
    alone = train(**inputs | {"further": ()})
    assert alone.sentences == {}
    assert alone.history != first.history
    assert alone.normalisation == first.normalisation  # statistics of the clips alone


def test_no_sentences_are_the_same_as_none_asked_for(inputs: Run) -> None:
    asked = train(**inputs | {"further": []}).history
    del inputs["further"]
    assert train(**inputs).history == asked


def test_sentences_are_part_of_the_name_of_a_run(
    inputs: Run, make_corpus: Callable[..., Sentences]
) -> None:
    keys = {
        fingerprint(inputs | {"further": further})
        for further in ([], inputs["further"], [make_corpus(30, 0.6)], [make_corpus(29, 0.5)])
    }
    assert len(keys) == 4


def test_a_run_with_sentences_resumes_with_the_bytes_of_an_undisturbed_one(
    inputs: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, compute = count(), LNLN.losses

    def terminate_in_the_sixth(self: LNLN, *arguments: Any) -> Any:
        if next(steps) == 5:  # the second of the second epoch's four
            os.kill(os.getpid(), signal.SIGTERM)
        return compute(self, *arguments)

    undisturbed = train(**inputs)
    state = StateFile(tmp_path / "run.state")
    with monkeypatch.context() as patched:
        patched.setattr(LNLN, "losses", terminate_in_the_sixth)
        with pytest.raises(Stopped):
            train(**inputs, state=state)
    resumed = train(**inputs, state=state)
    assert resumed.history == undisturbed.history
    before, after = undisturbed.model.state_dict(), resumed.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_an_encoder_that_is_trained_along_reads_them_too(inputs: Run, bert: Path) -> None:
    settings = inputs["settings"].model_copy(update={"finetune_language": True, "epochs": 1})
    encoder = LanguageEncoder.from_folder(bert)
    assert train(**inputs | {"settings": settings, "language": encoder}).sentences == {"rated": 10}


@pytest.mark.parametrize("name", registry.names())
def test_every_model_trains_with_them_or_says_that_it_does_not(
    name: str, inputs: Run, recwarn: pytest.WarningsRecorder
) -> None:
    kind = find(name)
    settings = kind.settings() if name != "lnln" else inputs["model_settings"]
    training = TrainSettings(**kind.training | {"epochs": 1, "batch_size": 8})
    changed = {"name": name, "model_settings": settings, "settings": training}
    trained = train(**inputs | changed)
    told = [str(w.message) for w in recwarn if "trains without the sentences" in str(w.message)]
    model = kind.load()
    assert trained.sentences == (
        {"rated": 10} if model.reads_text and model.takes_sentences else {}
    )
    assert bool(told) == (model.reads_text and not model.takes_sentences)
    assert told == [] or "trains without the sentences of rated" in told[0]


def test_networks_that_keep_something_per_clip_take_none() -> None:
    refusing = {name for name in registry.names() if not find(name).load().takes_sentences}
    assert refusing == {"self_mm", "tetfn"}


def test_the_ridge_learns_from_them(
    inputs: Run, make_corpus: Callable[..., Sentences], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    fit = Ridge.fit

    def counting(self: Ridge, train_sets: Any, valid_sets: Any) -> None:
        sets = list(train_sets)
        seen.extend(len(clips) for clips in sets)
        fit(self, sets, valid_sets)

    monkeypatch.setattr(Ridge, "fit", counting)
    kind = find("ridge")
    train(**inputs | {"name": "ridge", "model_settings": kind.settings()})
    assert seen == [30, 30, 30]
