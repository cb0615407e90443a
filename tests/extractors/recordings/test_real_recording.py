"""Utterances of real speech, where `LNLN_REAL_CLIPS` names the folder of real clips."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from extractors.media.container import probe
from extractors.recordings.cutting import Limits, cut
from extractors.speech.activity import probabilities_of, voiced

FOLDER = os.environ.get("LNLN_REAL_CLIPS", "")
RATE = 16_000
GAP_S = 0.5

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="LNLN_REAL_CLIPS names no folder"),
]


def spoken(signal: np.ndarray) -> np.ndarray:
    """The part of a sentence's recording between its first and last sound above 300 Hz that is
    within 25 dB of the loudest."""
    from scipy.signal import butter, sosfiltfilt

    high = sosfiltfilt(butter(4, 300, "high", fs=RATE, output="sos"), signal)
    power = np.square(high[: len(high) // 160 * 160]).reshape(-1, 160).mean(1)
    power = np.convolve(power, np.ones(5) / 5, "same")
    loud = np.flatnonzero(power > power.max() * 10**-2.5)
    return signal[loud[0] * 160 : (loud[-1] + 1) * 160]


@pytest.fixture(scope="module")
def recording(decode_sound) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """30 sentences of GRID with gaps of half a second, and where each begins and ends, s."""
    grid = Path(FOLDER) / "grid"
    with (grid / "clips.csv").open(newline="", encoding="utf-8") as file:
        paths = [grid / row["file"] for row in csv.DictReader(file)]
    gap = np.zeros(round(GAP_S * RATE), np.float32)
    parts, truth, position = [], [], 0
    for path in paths:
        sentence = spoken(decode_sound(path, probe(str(path)).duration_s))
        truth.append((position / RATE, (position + len(sentence)) / RATE))
        parts += [sentence, gap]
        position += len(sentence) + len(gap)
    assert len(truth) == 30
    return np.concatenate(parts), truth


@pytest.mark.parametrize("below_speech_db", [None, 30, 20, 10])
def test_nine_in_ten_sentences_with_pauses_of_half_a_second_are_cut_within_0_3_s_of_the_truth(
    recording, below_speech_db
):
    """In silence, and with white noise throughout that is so many dB below the speech (RMS)."""
    signal, truth = recording
    if below_speech_db is not None:
        level = signal[signal != 0].std() * 10 ** (-below_speech_db / 20)
        noise = np.random.default_rng(0).normal(0, level, len(signal))
        signal = (signal + noise).astype(np.float32)
    speech = voiced(probabilities_of(signal))
    utterances = cut([], speech, len(signal) / RATE, Limits(6.0), "gaps")
    found = [
        any(abs(u.start_s - begin) <= 0.3 and abs(u.end_s - end) <= 0.3 for u in utterances)
        for begin, end in truth
    ]
    assert sum(found) >= 0.9 * len(truth), sum(found)
    assert len(utterances) <= 31
