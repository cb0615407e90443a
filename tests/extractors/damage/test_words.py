import csv
from pathlib import Path

import numpy as np
import pytest

from extractors.damage.draws import generator
from extractors.damage.words import Vocabulary, distance, plain, split, word_errors

SAMPLE = Path(__file__).parents[3] / "data" / "sample" / "label.csv"


@pytest.fixture(scope="module")
def texts() -> list[str]:
    with SAMPLE.open(newline="", encoding="utf-8-sig") as file:
        return [text for row in csv.DictReader(file) if (text := row["text"])]


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b c", "c", 2), ("", "a b", 2), ("a", "", 1)],
)
def test_distance_counts_the_fewest_errors(one: str, other: str, errors: int):
    assert distance(one.split(), other.split()) == errors


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.8])
def test_the_error_rate_asked_for_is_met_over_a_corpus(texts: list[str], rate: float):
    vocabulary = Vocabulary(texts)
    errors = words = 0.0
    for number, text in enumerate(texts):
        damaged, realised = word_errors(
            text, rate, vocabulary, generator(0, "word_errors", str(number))
        )
        assert realised is not None
        measured = distance(*([plain(t) for t in split(x)] for x in (text, damaged)))
        assert measured == realised["errors"] == pytest.approx(rate * realised["words"], abs=1)
        errors += realised["errors"]
        words += realised["words"]
    assert errors / words == pytest.approx(rate, abs=0.01)


def test_errors_are_substitutions_deletions_and_insertions(texts: list[str]):
    vocabulary = Vocabulary(texts)
    lengths = []
    for number, text in enumerate(texts):
        damaged, _ = word_errors(text, 0.2, vocabulary, generator(0, "w", str(number)))
        lengths.append(len(split(damaged)) - len(split(text)))
    assert min(lengths) < 0 < max(lengths)
    assert np.mean(lengths) < 0, "more are lost than are made up"


def test_a_word_is_taken_for_one_that_resembles_it():
    vocabulary = Vocabulary(["the weather is nice whether bicycle xylophone"])
    draw = generator(0, "w", "a")
    taken = [vocabulary.similar("weather", draw) for _ in range(20)]
    assert taken.count("whether") > 15 and "weather" not in taken


def test_punctuation_stays_around_a_word_that_is_substituted():
    vocabulary = Vocabulary(["nice", "mice"])
    damaged = {
        word_errors("Nice!", 1.0, vocabulary, generator(0, "w", str(n)))[0] for n in range(40)
    }
    assert "mice!" in damaged


def test_words_of_chinese_are_characters():
    texts = ["我今天很高兴。", "他不喜欢 iPhone。"]
    assert (
        split(texts[1]) == ["他", "不", "喜", "欢", "iPhone", "。"] or split(texts[1])[-1] == "。"
    )
    damaged, realised = word_errors(texts[0], 0.5, Vocabulary(texts), generator(0, "w", "a"))
    assert realised is not None and realised["words"] == 6
    assert realised["errors"] == 3 and " " not in damaged


@pytest.mark.parametrize("text", ["", "  ", "...", "。"])
def test_without_words_there_is_nothing_to_damage(text: str):
    assert word_errors(text, 0.5, Vocabulary(["a b"]), generator(0, "w", "a")) == (text, None)


@pytest.mark.parametrize("text", ["Word", "Two words", "a a a a"])
@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_a_vocabulary_of_next_to_nothing_is_enough(text: str, rate: float):
    damaged, realised = word_errors(text, rate, Vocabulary([text]), generator(0, "w", "a"))
    assert realised is not None and realised["wer"] >= rate - 1 / realised["words"]
    assert (damaged == text) == (realised["errors"] == 0)


def test_a_text_without_errors_stays_as_it_is():
    text = "  Odd   spacing,  kept. "
    assert word_errors(text, 0.0, Vocabulary([text]), generator(0, "w", "a"))[0] == text
