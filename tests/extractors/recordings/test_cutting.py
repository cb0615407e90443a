import itertools

import numpy as np
import pytest

from extractors.recordings.cutting import Limits, cut
from extractors.speech.activity import Span
from extractors.words import Word

SIX = Limits(6.0)


def say(*times: tuple[float, float], ends: dict[int, str] | None = None) -> list[Word]:
    return [Word(f"w{n}{(ends or {}).get(n, '')}", *t, 0.9) for n, t in enumerate(times)]


def spans(utterances) -> list[tuple[float, float]]:
    return [utterance[:2] for utterance in utterances]


def texts(utterances) -> list[list[str]]:
    return [[word.word for word in utterance.words] for utterance in utterances]


def test_pauses_end_utterances_and_stretches_without_speech_are_gaps_or_clips():
    words = say((1.0, 1.5), (1.6, 2.5), (3.0, 4.5), (9.0, 10.2))
    gaps = cut(words, [], 12.0, SIX, "gaps")
    assert spans(gaps) == [(0.9, 2.6), (2.9, 4.6), (8.9, 10.3)]
    assert texts(gaps) == [["w0", "w1"], ["w2"], ["w3"]]
    clips = cut(words, [], 12.0, SIX, "clips")
    assert [u for u in clips if u.words] == gaps
    assert spans(u for u in clips if not u.words) == [(4.6, 8.9), (10.3, 12.0)]


def test_times_of_words_are_from_the_beginning_of_their_utterance():
    (utterance,) = cut(say((3.0, 3.5), (3.6, 4.2)), [], 8.0, SIX, "gaps")
    assert [round(time, 6) for word in utterance.words for time in word[1:3]] == [
        *(0.1, 0.6),
        *(0.7, 1.3),
    ]
    assert utterance.words[0].probability == 0.9


def test_what_is_too_long_is_cut_at_the_end_of_a_sentence_before_it_is_cut_anywhere_else():
    times = [(n * 0.5, n * 0.5 + 0.45) for n in range(20)]  # 10 s without a pause
    assert texts(cut(say(*times, ends={8: "."}), [], 10.0, SIX, "gaps")) == [
        [f"w{n}" if n != 8 else "w8." for n in range(9)],
        [f"w{n}" for n in range(9, 20)],
    ]


def test_no_utterance_is_longer_than_the_limit_and_every_word_is_in_one():
    draw = np.random.default_rng(0)
    begins = np.cumsum(draw.uniform(0.1, 0.8, 500))
    words = say(*((b, b + draw.uniform(0.05, 0.4)) for b in begins.tolist()))
    duration_s = float(begins[-1]) + 3
    for unspoken in ("gaps", "clips"):
        utterances = cut(words, [], duration_s, Limits(4.0, 9), unspoken)
        assert all(0 < u.end_s - u.start_s <= 4.0 for u in utterances)
        assert max(len(u.words) for u in utterances) <= 9
        assert [w for u in texts(utterances) for w in u] == [word.word for word in words]
        assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(utterances))
        inside = [w for u in utterances for w in u.words if w.end_s > u.end_s - u.start_s + 1e-9]
        assert not inside
    assert utterances[0].start_s >= 0
    assert utterances[-1].end_s <= duration_s


def test_a_word_that_is_longer_than_the_limit_stays_whole():
    (utterance,) = cut(say((1.0, 9.0)), [], 10.0, SIX, "gaps")
    assert spans([utterance]) == [(0.9, 9.1)]


def test_words_said_at_once_stay_together():
    words = [Word("yes", 1.0, 8.0, None), Word("no", 2.0, 3.0, None)]
    assert texts(cut(words, [], 10.0, SIX, "gaps")) == [["yes", "no"]]


def test_words_whose_times_overlap_a_little_can_still_be_parted():
    words = say(*((n * 0.5, n * 0.5 + 0.6) for n in range(40)))
    assert max(u.end_s - u.start_s for u in cut(words, [], 21.0, SIX, "gaps")) <= 6.0


def test_a_pause_that_the_recogniser_put_into_a_word_is_none_of_it():
    words = say((1.0, 1.5), (1.5, 5.0), (5.0, 5.6))
    speech = [Span(1.0, 1.9), Span(4.9, 5.6)]
    assert spans(cut(words, speech, 7.0, SIX, "gaps"))[0][0] == 0.9
    split = cut(words[:1] + words[2:], speech, 7.0, SIX, "gaps")
    assert spans(split) == [(0.9, 2.0), (4.8, 5.7)]


def test_voices_without_words_are_utterances_and_cut_evenly_where_they_are_too_long():
    utterances = cut([], [Span(1.0, 14.0)], 20.0, SIX, "gaps")
    assert spans(utterances)[0][0] == 0.9
    assert spans(utterances)[-1][1] == 14.1
    assert all(u.end_s - u.start_s <= 6 and not u.words for u in utterances)


def test_a_short_utterance_is_joined_to_the_nearer_of_its_neighbours():
    words = say((1.0, 3.0), (3.5, 3.8), (4.6, 6.0))
    assert texts(cut(words, [], 8.0, SIX, "gaps")) == [["w0", "w1"], ["w2"]]
    assert texts(cut(words, [], 8.0, Limits(2.8), "gaps")) == [["w0"], ["w1", "w2"]]
    alone = say((1.0, 3.0), (5.5, 5.8), (8.6, 10.0))
    assert len(cut(alone, [], 12.0, SIX, "gaps")) == 3


def test_a_recording_without_speech_is_clips_of_even_length_or_nothing():
    assert cut([], [], 13.0, SIX, "gaps") == []
    assert spans(cut([], [], 12.0, Limits(5.0), "clips")) == [(0.0, 4.0), (4.0, 8.0), (8.0, 12.0)]
    assert spans(cut([], [], 0.5, SIX, "clips")) == [(0.0, 0.5)]


@pytest.mark.parametrize("time", [(-1.0, 0.4), (9.8, 30.0)])
def test_times_outside_of_the_recording_are_brought_into_it(time):
    (utterance,) = cut(say(time), [], 10.0, SIX, "gaps")
    assert 0 <= utterance.start_s <= utterance.end_s <= 10.0


def test_words_that_begin_after_the_end_of_the_recording_are_in_no_utterance():
    late = [(60.0 + n, 61.0 + n) for n in range(1500)]
    assert texts(cut(say((1.0, 2.0), *late), [], 60.0, Limits(6.0, 50), "gaps")) == [["w0"]]


def test_any_number_of_words_with_one_time_is_divided():
    utterances = cut(say(*[(5.0, 5.0)] * 5000), [], 10.0, Limits(6.0, 50), "gaps")
    assert max(len(words) for words in texts(utterances)) <= 50
    assert [w for words in texts(utterances) for w in words] == [f"w{n}" for n in range(5000)]
