"""Sound from containers, codecs and time stamps as they are found."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import av
import numpy as np
import pytest

from extractors.media.container import Clip, Damage, probe
from extractors.media.sound import SAMPLE_RATE, sound_blocks

HZ = 500.0


def tone(seconds: float, rate: int, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * HZ * np.arange(round(seconds * rate)) / rate)


def burst(seconds: float, rate: int, begin_s: float) -> np.ndarray:
    """Silence, and from `begin_s` on a tone."""
    wave = tone(seconds, rate)
    wave[: round(begin_s * rate)] = 0
    return wave


def write_sound(
    path: Path,
    waves: Sequence[np.ndarray],
    *,
    rate: int = 16_000,
    codec: str = "pcm_s16le",
    layout: str = "mono",
    stamps: Sequence[float] | None = None,
    default: int = 0,
    spoilt: Callable[[int, int], bool] = lambda stream, packet: False,
    frame: int = 1600,
) -> Path:
    """One stream for each wave [samples], the same on all of its channels.

    `stamps` are the times of the frames, s; `spoilt` tells which packets of which stream are
    filled with garbage.
    """
    channels = av.AudioLayout(layout).nb_channels
    with av.open(str(path), "w") as out:
        streams = [out.add_stream(codec, rate=rate, layout=layout) for _ in waves]
        for number, stream in enumerate(streams):
            stream.disposition = av.stream.Disposition.default if number == default else 0
        for number, (stream, wave) in enumerate(zip(streams, waves, strict=True)):
            if not stream.codec_context.is_open:
                stream.codec_context.open()
            step = stream.codec_context.frame_size or frame
            resampler = av.AudioResampler(stream.format, layout, rate)
            packets = []
            for i in range(0, len(wave), step):
                block = np.repeat(wave[i : i + step].astype(np.float32), channels)[None]
                part = av.AudioFrame.from_ndarray(block, format="flt", layout=layout)
                part.sample_rate = rate
                for piece in resampler.resample(part):
                    piece.time_base = Fraction(1, rate)
                    piece.pts = i if stamps is None else round(stamps[i // step] * rate)
                    packets += stream.encode(piece)
            packets += stream.encode(None)
            for i, packet in enumerate(packets):
                out.mux(garbage_like(packet) if spoilt(number, i) else packet)
    return path


def garbage_like(packet: av.Packet) -> av.Packet:
    broken = av.Packet(b"\x55" * packet.size)
    broken.stream, broken.time_base = packet.stream, packet.time_base
    broken.pts, broken.dts = packet.pts, packet.dts
    return broken


def onset_s(signal: np.ndarray) -> float:
    return int(np.argmax(np.abs(signal) > 0.1)) / SAMPLE_RATE


def frequency(signal: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(signal)))) * SAMPLE_RATE / len(signal)


@pytest.mark.parametrize("layout", ["mono", "stereo", "2.1", "quad", "5.1", "7.1"])
def test_the_same_sound_on_every_channel_keeps_its_level(tmp_path, layout, decode_sound, rms):
    path = write_sound(tmp_path / "clip.mkv", [tone(1.0, 48_000, 0.9)], rate=48_000, layout=layout)
    signal = decode_sound(path, 1.0)
    assert rms(signal, 0.1, 0.9) == pytest.approx(0.9 / np.sqrt(2), abs=0.01)
    assert np.abs(signal).max() < 0.92  # nothing is cut at full scale


@pytest.mark.parametrize(
    "codec",
    ["pcm_u8", "pcm_s16be", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "flac", "alac"],
)
@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100])
def test_samples_of_any_kind_and_rate_become_float_at_16_khz(
    tmp_path, codec, rate, decode_sound, rms
):
    if codec == "alac" and rate != 44_100:
        pytest.skip("once is enough")
    signal = decode_sound(
        write_sound(tmp_path / "clip.mkv", [tone(1.0, rate)], rate=rate, codec=codec), 1.0
    )
    assert (signal.dtype, signal.shape) == (np.float32, (SAMPLE_RATE,))
    assert frequency(signal) == pytest.approx(HZ, abs=1)
    assert rms(signal, 0.1, 0.9) == pytest.approx(0.354, abs=0.01)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.avi", "libmp3lame"),
        ("clip.mp3", "libmp3lame"),
        ("clip.aac", "aac"),
        ("clip.flv", "aac"),
        ("clip.ts", "aac"),
        ("clip.mp4", "aac"),
        ("clip.mpg", "mp2"),
        ("clip.mkv", "ac3"),
        ("clip.ogg", "flac"),
        ("clip.webm", "libopus"),
        ("clip.wav", "pcm_s16le"),
    ],
)
def test_what_begins_in_a_container_begins_there_in_the_clip(tmp_path, name, codec, decode_sound):
    rate = 48_000
    path = write_sound(tmp_path / name, [burst(2.0, rate, 1.2)], rate=rate, codec=codec)
    assert probe(str(path)).duration_s == pytest.approx(2.0, abs=0.1)
    assert onset_s(decode_sound(path, 2.0)) == pytest.approx(1.2, abs=0.06)
    assert onset_s(decode_sound(path, 1.0, start_s=1.0)) == pytest.approx(0.2, abs=0.06)


def test_priming_of_the_encoder_is_not_heard(tmp_path, decode_sound):
    wave = burst(1.0, 44_100, 0.5)
    path = write_sound(tmp_path / "clip.mp4", [wave], rate=44_100, codec="aac")
    assert onset_s(decode_sound(path, 1.0)) == pytest.approx(0.5, abs=0.003)


@pytest.mark.parametrize("step_s", [0.112, 0.0935])
def test_small_jumps_of_the_time_stamps_do_not_add_up(tmp_path, step_s, decode_sound):
    """Frames of 0.1 s, each stamped a little late or early; the last but one is a tone."""
    stamps = [i * step_s for i in range(100)]
    wave = np.zeros(160_000)
    wave[-3200:] = tone(0.2, 16_000)
    path = write_sound(tmp_path / "clip.mkv", [wave], stamps=stamps)
    signal = decode_sound(path, probe(str(path)).duration_s)
    assert onset_s(signal) == pytest.approx(stamps[98], abs=0.03)


def test_jittering_time_stamps_tear_no_holes(tmp_path, decode_sound, rms):
    stamps = [i * 0.1 + (i % 2) * 0.015 for i in range(20)]
    path = write_sound(tmp_path / "clip.mkv", [tone(2.0, 16_000)], stamps=stamps)
    signal = decode_sound(path, 2.0)
    assert min(rms(signal, t, t + 0.01) for t in np.arange(0.1, 1.9, 0.01)) > 0.2


def test_of_several_streams_the_default_one_is_heard(tmp_path, decode_sound, rms):
    waves = [tone(1.0, 16_000, 0.2), tone(1.0, 16_000, 0.8)]
    for default in (0, 1):
        path = write_sound(tmp_path / f"{default}.mkv", waves, default=default)
        expected = (0.2, 0.8)[default] / np.sqrt(2)
        assert rms(decode_sound(path, 1.0), 0.1, 0.9) == pytest.approx(expected, abs=0.01)


def test_stream_that_cannot_be_decoded_gives_way_to_one_that_can(tmp_path, decode_sound, rms):
    waves = [tone(1.0, 16_000, 0.2), tone(1.0, 16_000, 0.8)]
    path = write_sound(
        tmp_path / "clip.mkv", waves, codec="flac", spoilt=lambda stream, _: stream == 0
    )
    damage = Damage()
    signal = decode_sound(path, 1.0, damage=damage)
    assert rms(signal, 0.1, 0.9) == pytest.approx(0.8 / np.sqrt(2), abs=0.01)
    assert damage.describe("the sound") == []
    assert probe(str(path)).has_audio


def test_where_no_stream_can_be_decoded_it_is_silent_and_said(tmp_path, decode_sound):
    waves = [tone(1.0, 16_000), tone(1.0, 16_000)]
    path = write_sound(tmp_path / "clip.mkv", waves, codec="flac", spoilt=lambda *_: True)
    damage = Damage()
    assert not decode_sound(path, 1.0, damage=damage).any()
    assert "damaged packets of the sound" in damage.describe("the sound")[0]


@pytest.fixture
def restamp(monkeypatch):
    """Gives frames other time stamps, s, than their file (a muxer writes no such file)."""

    def do(stamps: Iterable[float | None]) -> None:
        import extractors.media.sound as module

        decoded, rest = module.decoded, iter(stamps)

        def changed(packet, damage):
            for frame in decoded(packet, damage):
                stamp = next(rest)
                frame.time_base = Fraction(1, 1000)
                frame.pts = None if stamp is None else round(stamp * 1000)
                yield frame

        monkeypatch.setattr(module, "decoded", changed)

    return do


def test_frames_without_time_stamps_follow_one_another(tmp_path, restamp, decode_sound):
    path = write_sound(tmp_path / "clip.mkv", [burst(2.0, 16_000, 1.2)])
    restamp(repeat(None))
    assert onset_s(decode_sound(path, 2.0)) == pytest.approx(1.2, abs=0.001)


def test_frame_whose_time_stamp_is_missing_follows_the_one_before(tmp_path, restamp, decode_sound):
    path = write_sound(tmp_path / "clip.mkv", [burst(2.0, 16_000, 1.2)])
    restamp(i / 10 if i % 3 == 0 else None for i in range(20))
    assert onset_s(decode_sound(path, 2.0)) == pytest.approx(1.2, abs=0.001)


def test_time_stamps_that_run_backwards_replace_nothing(tmp_path, restamp, decode_sound, rms):
    wave = tone(2.0, 16_000)
    wave[16_000:24_000] *= 1.8
    path = write_sound(tmp_path / "clip.mkv", [wave])
    restamp(
        [i / 10 for i in range(10)]
        + [0.3 + i / 10 for i in range(5)]
        + [1.5 + i / 10 for i in range(5)]
    )
    signal = decode_sound(path, 2.0)
    assert rms(signal, 0.1, 0.9) == pytest.approx(0.354, abs=0.01)
    assert rms(signal, 1.05, 1.45) == 0
    assert rms(signal, 1.55, 1.95) == pytest.approx(0.354, abs=0.01)


@pytest.mark.parametrize("seconds", [0.013, 0.5, 1.0, 60.0])
def test_blocks_are_the_same_sound_whatever_their_length(make_clip, seconds, decode_sound):
    path = make_clip("clip.mkv", seconds=3.0, audio_span=(1.0, 2.0))
    clip = Clip(str(path), 0.0, 2.999)
    blocks = list(sound_blocks(clip, Damage(), seconds))
    size = round(seconds * SAMPLE_RATE)
    assert [len(block) for block in blocks[:-1]] == [size] * (len(blocks) - 1)
    assert 0 < len(blocks[-1]) <= size
    np.testing.assert_array_equal(np.concatenate(blocks), decode_sound(path, 2.999))
    assert sum(map(len, blocks)) == 47_984


def test_damage_is_counted_though_the_clip_ends_before_its_file(tmp_path, decode_sound):
    path = write_sound(
        tmp_path / "clip.mkv", [tone(4.0, 16_000)], codec="flac", spoilt=lambda _, i: i == 3
    )
    damage = Damage()
    decode_sound(path, 2.0, damage=damage)
    assert damage.packets == 1
