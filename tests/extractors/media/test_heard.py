"""What is listened to where a mix, a track or an offset would hide the voice."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from extractors.audio.extractor import AudioExtractor
from extractors.damage.reading import read_sound
from extractors.media.container import Clip, Damage, probe
from extractors.settings import AudioSettings

RATE = 16_000


def tone(seconds: float = 1.0, level: float = 0.5, hz: float = 500.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def write(path: Path, *tracks: np.ndarray, layout: str = "stereo", codec: str = "flac") -> Path:
    """One stream for each of the tracks [channels, samples]; the first is the default."""
    with av.open(str(path), "w") as out:
        streams = [out.add_stream(codec, rate=RATE, layout=layout) for _ in tracks]
        for number, stream in enumerate(streams):
            stream.disposition = 0 if number else av.stream.Disposition.default
        for stream, wave in zip(streams, tracks, strict=True):
            step = 1600
            for begin in range(0, wave.shape[1], step):
                block = wave[:, begin : begin + step].T.reshape(1, -1)
                whole = (np.clip(block, -1, 1) * 32767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(whole, format="s16", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = RATE, begin, Fraction(1, RATE)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return path


@pytest.fixture
def heard(decode_sound) -> Callable[[Path], tuple[np.ndarray, list[str]]]:
    def hear(path: Path, start_s: float = 0.0) -> tuple[np.ndarray, list[str]]:
        damage = Damage()
        return decode_sound(path, 1.0 - start_s, start_s, damage), damage.describe("the sound")

    return hear


@pytest.mark.parametrize("other", [-1.0, -0.9, -1.05])
@pytest.mark.parametrize("codec", ["flac", "aac"])
def test_channels_that_cancel_out_are_not_mixed(tmp_path, heard, rms, other, codec):
    path = write(tmp_path / "a.mkv", np.stack([tone(), other * tone()]), codec=codec)
    for start_s in (0.0, 0.3):
        signal, told = heard(path, start_s)
        assert rms(signal, 0.1, 0.6) == pytest.approx(0.354 * max(1, -other), abs=0.02)
        loudest = 2 if other < -1 else 1
        if other == -1.0 and codec == "aac":
            continue  # either is as loud
        assert told == [
            "the channels of the sound cancel each other out: only the loudest, channel "
            f"{loudest}, is listened to"
        ]


@pytest.mark.parametrize(
    "channels",
    [
        [tone(), tone()],
        [tone(), 0 * tone()],
        [tone(), tone(hz=630)],
        [tone(), -0.5 * tone()],
        [tone(level=1e-4), -tone(level=1e-4)],
    ],
    ids=["same", "one", "two voices", "partly", "silent"],
)
def test_other_channels_are_mixed_as_ever(tmp_path, heard, channels):
    signal, told = heard(write(tmp_path / "a.mkv", np.stack(channels)))
    assert told == []
    assert signal[800:15_200] == pytest.approx(np.mean(channels, 0)[800:15_200], abs=1e-3)


@pytest.mark.parametrize("layout", ["5.1", "7.1"])
@pytest.mark.parametrize("channel", [0, 2, 5])
def test_a_voice_on_one_of_many_channels_is_no_cancellation(tmp_path, heard, rms, layout, channel):
    """Only of the channel for low tones (3), which players leave out of a mix, nothing is left."""
    count = av.AudioLayout(layout).nb_channels
    wave = np.zeros((count, RATE))
    wave[channel] = tone()
    signal, told = heard(write(tmp_path / "a.mkv", wave, layout=layout, codec="pcm_s16le"))
    assert told == []
    assert rms(signal, 0.1, 0.9) > 0.02


def test_a_silent_track_gives_way_to_one_with_sound(tmp_path, heard, rms):
    silence = np.zeros((2, RATE))
    path = write(tmp_path / "a.mkv", silence, np.stack([tone(), tone()]))
    signal, told = heard(path)
    assert rms(signal, 0.1, 0.9) == pytest.approx(0.354, abs=0.01)
    assert told == [
        "the sound that players choose is silent (track 1 of 2): track 2 is listened to instead"
    ]
    assert read_sound(str(path)).samples.std() > 0.3


def test_a_part_of_a_file_is_heard_by_its_own_sound(tmp_path, heard):
    later = np.zeros((2, 5 * RATE))
    later[:, 3 * RATE :] = 0.5  # long after the part has ended
    path = write(tmp_path / "a.mkv", later, np.stack([tone(5.0), tone(5.0)]))
    signal, told = heard(path)
    assert signal.std() == pytest.approx(0.354, abs=0.01)
    assert "track 2 is listened to" in told[0]


def test_where_all_tracks_are_silent_nothing_is_told(tmp_path, heard):
    signal, told = heard(write(tmp_path / "a.mkv", *[np.zeros((2, RATE))] * 2))
    assert not signal.any() and told == []


@pytest.mark.parametrize("offset", [0.02, -0.3])
def test_a_constant_offset_is_silence(tmp_path, heard, offset):
    path = write(tmp_path / "a.mkv", np.full((1, RATE), offset), layout="mono")
    signal, told = heard(path)
    assert np.abs(signal).max() < 1e-4
    assert told == [f"a constant offset of {offset:.3f} of full scale is taken off the sound"]
    rows = AudioExtractor(AudioSettings()).extract(Clip(str(path), 0.0, 1.0))
    assert not rows.observed.any()


def test_an_offset_that_comes_later_is_silence_but_for_its_edge(tmp_path):
    wave = np.zeros((1, RATE))
    wave[:, RATE // 2 :] = 0.1
    path = write(tmp_path / "a.mkv", wave, layout="mono")
    rows = AudioExtractor(AudioSettings()).extract(Clip(str(path), 0.0, 1.0))
    assert rows.observed.sum() <= 4


def test_a_voice_on_an_offset_is_the_voice(tmp_path, heard, rms):
    path = write(tmp_path / "a.mkv", tone()[None] * 0.4 + 0.5, layout="mono")
    signal, told = heard(path)
    assert signal[800:15_200] == pytest.approx(0.4 * tone()[800:15_200], abs=0.01)
    assert len(told) == 1


def test_a_voice_that_leans_to_one_side_is_left_alone(tmp_path, heard):
    wave = tone()[None] + 0.03
    signal, told = heard(write(tmp_path / "a.mkv", wave, layout="mono"))
    assert told == []
    assert signal.mean() == pytest.approx(0.03, abs=0.002)


def test_surround_sound_of_eight_channels_is_read_whole(tmp_path):
    wave = np.stack([tone(level=0.1 * (channel + 1)) for channel in range(8)])
    path = write(tmp_path / "a.wav", wave, layout="7.1", codec="pcm_s16le")
    assert read_sound(str(path)).samples == pytest.approx(wave, abs=1e-3)


def test_files_of_others_are_heard(faults, decode_sound):
    for name, silent in (("antiphase.mkv", False), ("dc.mov", True)):
        path, damage = faults / name, Damage()
        signal = decode_sound(path, probe(str(path)).duration_s, damage=damage)
        assert (signal.std() < 1e-4) == silent
        assert len(damage.describe("the sound")) == 1
