"""Tonal music of a kind that lies under speech: chords and a bass, synthesised."""

import numpy as np

_HIGHEST_HZ = 8000.0  # no overtone is above
_OVERTONES = np.arange(1, 9)
_ATTACK_S = 0.01
_DECAY_S = 0.5
# Roots in semitones over the tonic, and whether the third is major: I V vi IV and their like.
_PROGRESSIONS = (
    ((0, True), (7, True), (9, False), (5, True)),
    ((0, True), (9, False), (5, True), (7, True)),
    ((9, False), (5, True), (0, True), (7, True)),
    ((0, True), (5, True), (2, False), (7, True)),
)
_BEATS = 4  # per chord


def accompaniment(samples: int, rate: int, draw: np.random.Generator) -> np.ndarray:
    """Chords broken into one note per half beat, over a bass note per chord.

    Key, tempo, progression and the order of the notes are drawn.

    Parameters
    ----------
    samples : int
    rate : int
        Per second.
    draw : Generator

    Returns
    -------
    ndarray, float64 [samples]
        Of arbitrary level.
    """
    tonic_hz = 110.0 * 2 ** (draw.integers(12) / 12)
    beat = max(round(draw.uniform(0.45, 0.7) * rate), 2)
    progression = _PROGRESSIONS[draw.integers(len(_PROGRESSIONS))]
    music = np.zeros(samples)
    for number, begin in enumerate(range(0, samples, _BEATS * beat)):
        root, major = progression[number % len(progression)]
        chord = [root + 12, root + (16 if major else 15), root + 19, root + 24]
        _add(music, begin, tonic_hz * 2 ** (root / 12 - 1), _BEATS * beat, rate)
        for half in range(2 * _BEATS):
            note = chord[draw.integers(len(chord))]
            _add(music, begin + half * beat // 2, tonic_hz * 2 ** (note / 12), 2 * beat, rate)
    return music


def _add(music: np.ndarray, begin: int, pitch_hz: float, length: int, rate: int) -> None:
    """Add a plucked note, whose overtones grow weaker with their number."""
    part = music[begin : begin + length]
    time = np.arange(len(part)) / rate
    heard = _OVERTONES[_OVERTONES * pitch_hz < min(_HIGHEST_HZ, rate / 2)]
    waves = np.sin(2 * np.pi * pitch_hz * np.outer(heard, time))
    envelope = np.minimum(time / _ATTACK_S, 1) * np.exp(-time / _DECAY_S)
    part += envelope * (waves / heard[:, None] ** 1.5).sum(0)
