from itertools import pairwise

import numpy as np

from extractors.media.container import Clip, probe
from extractors.speech.activity import STEP_S, Span, VoiceActivity, voiced, windows


def test_speech_lasts_through_breaths_and_clicks_are_none():
    heard = np.zeros(100, np.float32)
    heard[20:40] = 0.9
    heard[30:32] = 0.1  # 64 ms
    heard[60:62] = 0.9
    heard[80:100] = 0.6
    assert voiced(heard) == [Span(20 * STEP_S, 40 * STEP_S), Span(80 * STEP_S, 100 * STEP_S)]
    assert voiced(np.zeros(0, np.float32)) == []


def test_windows_follow_one_another_and_end_where_speech_is_least_probable():
    heard = np.ones(1000, np.float32)  # 32 s
    quiet = (250, 540, 800)
    for step in quiet:
        heard[step - 8 : step + 8] = 0
    spans = windows(heard, 32.0, 10.0, 5.0)
    assert spans[0].start_s == 0
    assert spans[-1].end_s == 32.0
    assert all(a.end_s == b.start_s for a, b in pairwise(spans))
    assert all(span.end_s - span.start_s <= 10.0 for span in spans)
    for span, step in zip(spans, quiet, strict=False):
        assert abs(span.end_s - step * STEP_S) < 0.3


def test_a_recording_without_sound_is_cut_as_well():
    spans = windows(np.zeros(0, np.float32), 130.0, 60.0, 15.0)
    assert [span.start_s for span in spans] == [0.0, *(span.end_s for span in spans[:-1])]


def test_voice_is_heard_where_it_is_whatever_the_block_it_lies_in(
    spoken_clip, decode_sound, monkeypatch
):
    path = str(spoken_clip[0])
    seconds = probe(path).duration_s
    signal = np.concatenate([np.zeros(16_000 * 3, np.float32), decode_sound(path, seconds)])
    size = 16_000 * 4 // 512 * 512  # a cut in the midst of the speech

    def blocks(*_):
        yield from (signal[i : i + size] for i in range(0, len(signal), size))

    monkeypatch.setattr("extractors.media.sound.sound_blocks", blocks)
    heard = VoiceActivity().extract(Clip(path, 0.0, 3 + seconds)).probabilities
    assert len(heard) == -(-len(signal) // 512)
    (first, *_, last) = (*voiced(heard), *voiced(heard))
    assert 2.9 < first.start_s < 3.6
    assert 3 + seconds / 2 < last.end_s <= 3 + seconds + 0.1
