"""Sections of datasets.yaml about corpora of rated sentences."""

import re
from collections.abc import Callable

import pytest

from pipeline.checking import ParamsError
from pipeline.corpora import load_corpora
from pipeline.params import load_datasets, load_params, resolve_dataset

Change = Callable[..., None]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("sample.sentences", {"rated": 0.5}, "no section of kind sentences; known: rated_sent"),
        ("sample.sentences", {"mosi": 0.5}, "sentences.mosi: no section of kind sentences"),
        ("sample.sentences", {"rated_sentences": 0}, "0 is not allowed: Input should be greater"),
        ("rated_sentences.label_range", [4, -4], "is no range: the least rating comes first"),
        ("rated_sentences.splits", {"dev": []}, "dev"),
        ("rated_sentences.splits", {"train": ["tweets"], "test": ["tweets"]}, "'tweets' stands in"),
        ("rated_sentences.splits", None, "an archive has no splits of its own"),
        ("rated_sentences.metric_set", "mosi", "unknown key; allowed here: archive, kind, lab"),
        ("rated_sentences.kind", "sentence", "'sentence' is not allowed: sentences, or no such"),
    ],
)
def test_mistakes_about_corpora_of_sentences_are_told(
    change: Change, key: str, value: object, told: str
) -> None:
    change(key, value, file="datasets.yaml")
    with pytest.raises(ParamsError, match=re.escape(told)):
        load_datasets()


def test_a_corpus_of_sentences_is_no_dataset_of_clips(change: Change) -> None:
    assert "rated_sentences" not in load_datasets() and "rated_sentences" in load_corpora()
    change("dataset", "rated_sentences")
    with pytest.raises(ParamsError, match=r"is a corpus of sentences, which a dataset of clips"):
        resolve_dataset(load_params())


def test_a_dataset_carries_the_corpora_that_it_names(change: Change) -> None:
    assert resolve_dataset(load_params()).corpora == {}
    change("sample.sentences", {"rated_sentences": 0.5}, file="datasets.yaml")
    resolved = resolve_dataset(load_params())
    assert resolved.sentences == {"rated_sentences": 0.5}
    assert resolved.corpora == load_corpora()
