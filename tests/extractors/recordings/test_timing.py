import itertools

import numpy as np

from extractors.recordings.timing import timed
from extractors.speech.activity import Span
from extractors.words import Word


def test_words_of_a_caption_share_its_time_by_their_length():
    caption = [Word(word, 2.0, 4.0, None) for word in ("a", "bcd")]
    words = timed("a bcd", caption, [], 9.0)
    assert [word[:3] for word in words] == [("a", 2.0, 2.5), ("bcd", 2.5, 4.0)]


def captions(*said: tuple[str, float, float]) -> list[Word]:
    """Words of captions as they are read: all of a caption have its time."""
    return [Word(w, start_s, end_s, None) for text, *(start_s, end_s) in said for w in text.split()]


def test_captions_that_roll_up_end_where_the_next_begins():
    words = timed("", captions(("aa bb", 0.0, 4.0), ("cc dd", 2.0, 6.0), ("ee", 4.0, 8.0)), [], 9.0)
    assert [word[:3] for word in words] == [
        *(("aa", 0.0, 1.0), ("bb", 1.0, 2.0), ("cc", 2.0, 3.0), ("dd", 3.0, 4.0)),
        ("ee", 4.0, 8.0),
    ]


def test_caption_within_another_shares_its_time():
    both = captions(("aa bb", 0.0, 8.0), ("cc", 2.0, 4.0), ("dd", 0.0, 8.0))
    words = timed("", both, [], 9.0)
    assert [word[:3] for word in words] == [
        *(("aa", 0.0, 2.0), ("bb", 2.0, 4.0), ("dd", 4.0, 6.0), ("cc", 6.0, 8.0)),
    ]


def test_words_of_captions_are_in_order_however_these_overlap():
    draw = np.random.default_rng(0)
    for _ in range(200):
        begins = draw.integers(0, 20, 12).tolist()
        said = [
            (f"a{n} b{n} c{n}", float(b), b + draw.integers(0, 9)) for n, b in enumerate(begins)
        ]
        words = timed("", captions(*said), [], 30.0)
        assert sorted(word.word for word in words) == sorted(w for s in said for w in s[0].split())
        assert all(word.start_s <= word.end_s for word in words)
        assert all(a.end_s <= b.start_s + 1e-9 for a, b in itertools.pairwise(words))


def test_recognised_words_keep_their_times():
    words = [Word("a", 1.0, 1.5, 0.5), Word("b", 1.5, 2.0, 0.6)]
    assert timed("a b", words, [], 9.0) == words


def test_words_without_times_are_spread_over_the_voices_and_none_lies_in_a_pause():
    words = timed("ab cd ef gh", [], [Span(1.0, 2.0), Span(5.0, 6.0)], 9.0)
    assert [word[:3] for word in words] == [
        ("ab", 1.0, 1.5),
        ("cd", 1.5, 2.0),
        ("ef", 5.0, 5.5),
        ("gh", 5.5, 6.0),
    ]
    assert timed("ab", [], [], 9.0) == [Word("ab", 0.0, 9.0, None)]


def test_chinese_is_spread_by_characters():
    words = timed("我很好 ok", [], [Span(0.0, 5.0)], 9.0)
    assert [word.word for word in words] == ["我", "很", "好", "ok"]


def test_nothing_said_is_no_words():
    assert timed("", [], [Span(0.0, 1.0)], 2.0) == []
