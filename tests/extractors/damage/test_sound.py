import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.damage.draws import generator
from extractors.damage.reading import read_sound
from extractors.damage.registry import DAMAGES
from extractors.damage.speech_level import active_level_db, level_db

RATE = 16_000


def syllables(seconds: float = 4.0, rate: int = RATE, pause_s: float = 2.0) -> np.ndarray:
    """Bursts of sound, and then a pause, as mono [1, samples]."""
    time = np.arange(round(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * f * time) / 9 for f in (150, 450, 900, 2500))
    tones *= np.sin(2 * np.pi * 2 * time) ** 2 * (time < seconds - pause_s)
    return np.asarray(tones, np.float32)[None]


def applied(name: str, samples: np.ndarray, severity: float, seed: int = 0) -> Any:
    return DAMAGES[name].apply(samples, RATE, severity, generator(seed, name, "a/1"))


def test_pauses_do_not_count_in_the_level_of_speech():
    speech = syllables(pause_s=0.0)[0]
    with_pause = np.concatenate([speech, np.zeros(6 * RATE, np.float32)])
    assert active_level_db(with_pause, RATE) == pytest.approx(active_level_db(speech, RATE), abs=1)
    assert level_db(with_pause) < level_db(speech) - 3


def test_a_steady_tone_is_active_all_the_time():
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(5 * RATE) / RATE)
    assert active_level_db(tone, RATE) == pytest.approx(level_db(tone), abs=0.3)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(RATE), np.full(RATE, 1e-6)])
def test_silence_has_no_level_of_speech(samples: np.ndarray):
    assert active_level_db(samples, RATE) == -math.inf


@pytest.mark.parametrize("name", ["noise", "pink_noise", "music"])
@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 20.0])
def test_what_is_added_has_the_level_asked_for(name: str, snr_db: float):
    clean = syllables()
    damaged, realised = applied(name, clean, snr_db)
    gain = 10 ** (realised["gain_db"] / 20)
    added = damaged[0] - gain * clean[0]
    assert active_level_db(gain * clean[0], RATE) - level_db(added) == pytest.approx(
        snr_db, abs=0.05
    )
    assert realised["snr_db"] == pytest.approx(snr_db, abs=0.05)
    assert np.abs(damaged).max() < 1 and damaged.dtype == np.float32


def test_pink_noise_falls_by_three_decibels_per_octave():
    clean = syllables(20.0)
    levels = {}
    for name in ("noise", "pink_noise"):
        damaged, _ = applied(name, clean, -20.0)
        power = np.abs(np.fft.rfft(damaged[0])) ** 2
        hz = np.fft.rfftfreq(clean.shape[1], 1 / RATE)
        octaves = [power[(hz > f) & (hz < 2 * f)].mean() for f in (3000, 750)]
        levels[name] = 10 * np.log10(octaves[1] / octaves[0])
    assert levels["noise"] == pytest.approx(0, abs=0.5)
    assert levels["pink_noise"] == pytest.approx(6, abs=0.7)


def test_music_is_tones():
    damaged, _ = applied("music", syllables(), -30.0)
    spectrum = np.sort(np.abs(np.fft.rfft(damaged[0])) ** 2)[::-1]
    assert spectrum[: len(spectrum) // 50].sum() > 0.9 * spectrum.sum()


def test_all_channels_get_the_same():
    stereo = np.concatenate([syllables(), 0.5 * syllables()])
    damaged, realised = applied("noise", stereo, 10.0)
    assert realised["gain_db"] == 0
    np.testing.assert_allclose(*(damaged - stereo), atol=1e-6)


@pytest.mark.parametrize("name", ["noise", "pink_noise", "music", "clipping", "band_limit"])
def test_silence_stays_silence(name: str):
    silence = np.zeros((2, RATE), np.float32)
    damaged, realised = applied(name, silence, DAMAGES[name].most / 2)
    assert realised is None and damaged is silence


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
def test_the_share_asked_for_clips(share: float):
    clean = syllables(pause_s=0.0)
    damaged, realised = applied("clipping", clean, share)
    assert realised["share"] == pytest.approx(share, abs=1e-3)
    assert np.mean(damaged != clean) == pytest.approx(share, abs=2e-3)
    assert np.abs(damaged).max() <= np.abs(clean).max()


def test_nothing_is_left_above_the_cut_off_and_below_the_telephone():
    clean = np.random.default_rng(0).standard_normal((1, 4 * RATE)).astype(np.float32) / 10
    damaged, realised = applied("band_limit", clean, 3400.0)
    hz = np.fft.rfftfreq(clean.shape[1], 1 / RATE)
    window = np.hanning(clean.shape[1])
    before, after = (np.abs(np.fft.rfft(window * sound[0])) ** 2 for sound in (clean, damaged))
    for band in (hz > 3700, hz < 270):
        assert 10 * np.log10(after[band].sum() / before[band].sum()) < -50
    inside = (hz > 400) & (hz < 3200)
    assert 10 * np.log10(after[inside].sum() / before[inside].sum()) == pytest.approx(0, abs=0.6)
    assert realised["above_db"] < -50


def test_a_cut_off_above_what_the_file_holds_limits_below_only():
    clean = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32) / 10
    damaged, _ = applied("band_limit", clean, 8000.0)
    assert np.abs(np.fft.rfft(damaged[0])[-100:]).mean() > 5


@pytest.mark.parametrize("count", [1, 2, 30])
@pytest.mark.parametrize("name", ["noise", "pink_noise", "music", "clipping", "band_limit"])
def test_a_few_samples_are_damaged_too(name: str, count: int):
    severity = {"clipping": 0.5, "band_limit": 3400.0}.get(name, 0.0)
    damaged, _ = applied(name, np.full((1, count), 0.5, np.float32), severity)
    assert damaged.shape == (1, count) and np.isfinite(damaged).all()


def test_draws_depend_on_seed_clip_and_damage_only():
    draws = {
        float(generator(seed, damage, clip).standard_normal())
        for seed in (0, 1)
        for damage in ("noise", "music")
        for clip in ("a/1", "a/2")
    }
    assert len(draws) == 8
    assert generator(0, "noise", "a/1").uniform() == generator(0, "noise", "a/1").uniform()


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@pytest.mark.parametrize("snr_db", [0.0, 15.0])
def test_the_file_has_the_snr_asked_for(
    make_clip: Any, degrade_clip: Any, snr_db: float, rate: int
):
    clip = make_clip(seconds=3, rate=rate, level=0.2, layout="stereo")
    damaged, realised = degrade_clip(clip, noise=snr_db)
    clean, noisy = (read_sound(str(path)).samples for path in (clip, damaged))
    gain = 10 ** (realised["noise"]["gain_db"] / 20)
    added = noisy.mean(0) - gain * clean.mean(0)[: noisy.shape[1]]
    measured = active_level_db(gain * clean.mean(0), rate) - level_db(added)
    assert measured == pytest.approx(snr_db, abs=0.5)


def test_sound_that_begins_late_stays_where_it_is(
    make_clip: Any, degrade_clip: Any, decode_sound: Any, tmp_path: Path
):
    clip = make_clip(seconds=2, audio_span=(0.7, 1.5))
    damaged, _ = degrade_clip(clip, noise=40)
    before, after = (np.abs(decode_sound(path, 2.0)) > 0.05 for path in (clip, damaged))
    for sound in (before, after):
        assert np.flatnonzero(sound)[0] / RATE == pytest.approx(0.7, abs=0.03)
        assert np.flatnonzero(sound)[-1] / RATE == pytest.approx(1.5, abs=0.03)
