import numpy as np
import pytest

from extractors.audio.extractor import NAMES, UNITS, AudioExtractor
from extractors.media.container import Clip
from extractors.settings import AudioSettings


@pytest.fixture(scope="module")
def extractor():
    return AudioExtractor(AudioSettings())


@pytest.fixture
def play(monkeypatch):
    """Lets the extractor hear a signal, whatever the clip."""

    def do(signal: np.ndarray) -> None:
        def blocks(clip, damage, seconds):
            size = round(seconds * 16_000)
            yield from (signal[i : i + size] for i in range(0, len(signal), size))

        monkeypatch.setattr("extractors.audio.extractor.sound_blocks", blocks)

    return do


def glide(seconds: float) -> np.ndarray:
    """A buzz from 100 to 200 Hz and back every 4 s, of which each second third is noise."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    phase = np.cumsum(150 - 50 * np.cos(2 * np.pi * time / 4)) / 16_000
    noise = np.random.default_rng(0).normal(0, 0.05, len(time))
    return np.where(time % 0.9 < 0.6, 0.4 * (phase % 1 - 0.5), noise).astype(np.float32)


def column(rows, name):
    return rows.values[:, NAMES.index(name)]


def extract(extractor, path, seconds, start_s=0.0):
    rows = extractor.extract(Clip(str(path), start_s, seconds))
    assert rows.values.shape == (round(seconds * 25), len(NAMES))
    assert rows.values.dtype == np.float32
    assert np.isfinite(rows.values).all()
    assert not rows.values[~rows.observed].any()
    return rows


def test_every_column_has_a_name_and_a_unit(extractor):
    assert len(set(NAMES)) == len(NAMES) == len(UNITS) == 38
    assert len(extractor.info().fingerprint) == 64


def test_a_tone_has_its_pitch_level_and_note(extractor, make_clip):
    rows = extract(extractor, make_clip(seconds=2.0, tone_hz=220.0), 2.0)
    inner = slice(5, -5)
    assert rows.observed.all()
    np.testing.assert_allclose(np.exp(column(rows, "log_f0"))[inner], 220, rtol=0.02)
    np.testing.assert_allclose(column(rows, "rms")[inner], 0.35, atol=0.03)
    assert (column(rows, "chroma_a")[inner] > 0.9).all()
    assert rows.warnings == []


def test_silence_and_no_track_are_unobserved(extractor, make_clip):
    assert not extract(extractor, make_clip("a.mp4", audio=False), 1.0).observed.any()
    assert not extract(extractor, make_clip("b.mp4", level=0.0), 1.0).observed.any()
    assert not extract(extractor, make_clip("c.mp4", level=0.0005), 1.0).observed.any()
    assert extract(extractor, make_clip("d.mp4", level=0.01), 1.0).observed.all()


def test_gaps_stay_where_they_are(extractor, make_clip):
    path = make_clip("clip.mkv", seconds=3.0, audio_span=(1.0, 2.0))
    observed = extract(extractor, path, 3.0).observed
    assert not observed[:24].any()
    assert observed[26:49].all()
    assert not observed[53:].any()


def test_noise_without_a_voice_has_a_pitch_all_the_same(extractor, play):
    play(np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32))
    rows = extract(extractor, "noise", 1.0)
    assert np.ptp(np.exp(column(rows, "log_f0"))) < 500
    assert (np.exp(column(rows, "log_f0")) > 60).all()


def test_a_row_does_not_depend_on_a_loud_moment_elsewhere(extractor, play):
    signal = np.random.default_rng(0).normal(0, 0.001, 32_000).astype(np.float32)
    loud = signal.copy()
    loud[28_000:] *= 900
    results = []
    for wave in (signal, loud):
        play(wave)
        results.append(extract(extractor, "noise", 2.0))
    quiet = slice(0, 40)
    timbre = [i for i, name in enumerate(NAMES) if "f0" not in name and "voiced" not in name]
    np.testing.assert_array_equal(
        results[0].values[quiet][:, timbre], results[1].values[quiet][:, timbre]
    )


def test_shortest_clip_has_one_row(extractor, make_clip):
    assert extract(extractor, make_clip(seconds=0.04), 0.04).values.shape == (1, 38)


def test_blocks_of_a_long_clip_do_not_show(extractor, play, monkeypatch):
    play(glide(25.0))
    whole = extract(extractor, "glide", 25.0)
    monkeypatch.setattr("extractors.audio.extractor._BLOCK", 100)
    blocks = extract(extractor, "glide", 25.0)
    np.testing.assert_array_equal(blocks.observed, whole.observed)
    np.testing.assert_allclose(blocks.values, whole.values, rtol=1e-5, atol=1e-4)


def test_log_f0_runs_straight_across_blocks_of_silence(extractor, play, monkeypatch):
    signal = glide(20.0)
    signal[5 * 16_000 : 14 * 16_000] *= 0.005  # too quiet to be a voice, loud enough for a row
    play(signal)
    monkeypatch.setattr("extractors.audio.extractor._BLOCK", 50)
    rows = extract(extractor, "glide", 20.0)
    slope = np.diff(column(rows, "log_f0")[135:340])
    assert np.ptp(slope) < 1e-5


def test_blocks_that_are_silent_cost_nothing(extractor, play, monkeypatch):
    signal = glide(20.0)
    signal[5 * 16_000 :] = 0
    play(signal)
    monkeypatch.setattr("extractors.audio.extractor._BLOCK", 50)
    measured = []
    measure = extractor._measure
    monkeypatch.setattr(
        extractor,
        "_measure",
        lambda *arguments: measured.append(1) or measure(*arguments),
        raising=True,
    )
    assert extract(extractor, "glide", 20.0).observed.sum() == pytest.approx(125, abs=2)
    assert len(measured) == 3


def test_settings_change_the_fingerprint():
    one, other = AudioExtractor(AudioSettings()), AudioExtractor(AudioSettings(silence_dbfs=-50))
    assert one.info().fingerprint != other.info().fingerprint
