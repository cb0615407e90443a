"""Words are found among the tokens: of several pieces, with times, cut, or lost already."""

import numpy as np
import pytest
from transformers import BertTokenizerFast

from lnln.data.extent import Spoken
from lnln.explaining.words import SpokenWord, spoken_words
from tests.conftest import SPECIAL

PIECES = ("love", "##ly", "day", "!", "it", "'", "s", "好", "的")


@pytest.fixture
def tokenizer(tmp_path) -> BertTokenizerFast:
    (tmp_path / "vocab.txt").write_text("\n".join([*SPECIAL, *PIECES]) + "\n", "utf-8")
    return BertTokenizerFast(str(tmp_path / "vocab.txt"))


def words_of(spoken: Spoken, tokenizer: BertTokenizerFast, cut: int = 99) -> list[SpokenWord]:
    ids = np.array(tokenizer(spoken.text)["input_ids"])
    ids = ids if len(ids) <= cut else np.append(ids[: cut - 1], ids[-1])
    return spoken_words(spoken, ids, np.arange(1, len(ids) - 1), tokenizer)


def test_word_of_several_pieces_is_one_word(tokenizer: BertTokenizerFast) -> None:
    words = words_of(Spoken("It's lovely day!"), tokenizer)
    assert [(w.text, w.rows.tolist()) for w in words] == [
        ("It's", [1, 2, 3]),
        ("lovely", [4, 5]),
        ("day!", [6, 7]),
    ]


def test_every_chinese_character_is_a_word(tokenizer: BertTokenizerFast) -> None:
    assert [(w.text, w.rows.tolist()) for w in words_of(Spoken("好的"), tokenizer)] == [
        ("好", [1]),
        ("的", [2]),
    ]


def test_listed_words_keep_their_times(tokenizer: BertTokenizerFast) -> None:
    listed = [
        {"word": "lovely", "start_s": 0.1, "end_s": 0.5},
        {"word": "day", "start_s": None, "end_s": None},
    ]
    words = words_of(Spoken("lovely day", listed), tokenizer)
    assert [(w.text, w.start_s, w.end_s) for w in words] == [
        ("lovely", 0.1, 0.5),
        ("day", None, None),
    ]


def test_word_beyond_what_is_read_has_no_tokens(tokenizer: BertTokenizerFast) -> None:
    words = words_of(Spoken("day lovely day"), tokenizer, cut=4)
    assert [w.rows.tolist() for w in words] == [[1], [2], []]


def test_tokens_that_were_lost_already_are_not_compared(tokenizer: BertTokenizerFast) -> None:
    ids = np.array(tokenizer("lovely day")["input_ids"])
    ids[1] = tokenizer.unk_token_id
    words = spoken_words(Spoken("lovely day"), ids, np.array([2, 3]), tokenizer)
    assert [w.text for w in words] == ["lovely", "day"]


def test_no_words_and_no_tokens_are_no_error(tokenizer: BertTokenizerFast) -> None:
    assert words_of(Spoken(""), tokenizer) == []
