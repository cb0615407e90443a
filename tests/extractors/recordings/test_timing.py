from extractors.recordings.timing import timed
from extractors.speech.activity import Span
from extractors.words import Word


def test_words_of_a_caption_share_its_time_by_their_length():
    caption = [Word(word, 2.0, 4.0, None) for word in ("a", "bcd")]
    words = timed("a bcd", caption, [], 9.0)
    assert [word[:3] for word in words] == [("a", 2.0, 2.5), ("bcd", 2.5, 4.0)]


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
