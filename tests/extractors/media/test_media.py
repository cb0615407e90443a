import hashlib
import os
from pathlib import Path

import av
import fsspec
import numpy as np
import pytest

from extractors.errors import MediaError, SetupError
from extractors.media import container
from extractors.media.container import Clip, Damage, content_hash, probe
from extractors.vision.frames import sample_frames


def grey_levels(path: Path, seconds: float, step_s: float = 0.1, start_s: float = 0.0) -> list:
    rows = round(seconds / step_s)
    clip = Clip(str(path), start_s, seconds)
    return [
        None if frame is None else float(frame.mean())
        for frame in sample_frames(clip, rows, step_s, 1280, Damage())
    ]


def test_probe_tells_what_is_there(make_clip):
    info = probe(str(make_clip(seconds=2.0, size=(96, 64), fps=20)))
    assert info.duration_s == pytest.approx(2.0, abs=0.05)
    assert (info.width, info.height, info.fps) == (96, 64, 20.0)
    assert info.has_audio
    assert info.has_video


def test_probe_tells_what_is_missing(make_clip):
    silent = probe(str(make_clip("silent.mp4", audio=False)))
    assert (silent.has_audio, silent.has_video) == (False, True)
    blind = probe(str(make_clip("blind.mp4", video=False)))
    assert (blind.has_audio, blind.has_video) == (True, False)
    assert blind.width is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"this is a text file\n" * 100, "not a readable video"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n", "not a readable video"),
        (b"\x00" * 5000, "not a readable video"),
    ],
    ids=["empty", "text", "playlist", "zeros"],
)
def test_garbage_named_mp4_is_refused_with_its_reason(tmp_path, content, reason):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=reason):
        probe(str(path))


def test_file_cut_before_its_index_is_refused(make_clip):
    path = make_clip()
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(MediaError):
        probe(str(path))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(MediaError, match="no such file"):
        probe(str(tmp_path / "nothing.mp4"))


def test_file_that_breaks_off_keeps_what_was_there(make_clip, decode_sound, rms):
    path = make_clip("clip.mkv", seconds=4.0)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    seconds = probe(str(path)).duration_s
    assert 0.5 < seconds < 3.9
    assert grey_levels(path, 4.0)[1] == pytest.approx(10, abs=4)
    assert grey_levels(path, 4.0)[-1] is None
    assert rms(decode_sound(path, 4.0), 3.9, 4.0) == 0


def test_bytes_flipped_in_the_middle_cost_only_their_moment(make_clip, decode_sound, rms):
    path = make_clip("clip.mpg", seconds=4.0, video_codec="mpeg1video", audio_codec="mp2")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = os.urandom(3000)
    path.write_bytes(data)
    signal = decode_sound(path, 4.0)
    assert rms(signal, 0.2, 1.0) == pytest.approx(0.35, abs=0.05)
    assert rms(signal, 3.2, 3.8) == pytest.approx(0.35, abs=0.05)


def test_frame_shown_at_a_time_is_the_last_one_before_it(make_clip):
    levels = grey_levels(make_clip(seconds=1.0), 1.0)
    np.testing.assert_allclose(levels, [0, 8, 20, 28, 40, 48, 60, 68, 80, 88], atol=4)


def test_variable_frame_rate_is_sampled_by_time(make_clip):
    path = make_clip(times=[0.0, 0.04, 0.08, 0.5, 0.9, 0.94], audio=False)
    np.testing.assert_allclose(grey_levels(path, 0.9), [0, 8, 8, 8, 8, 50, 50, 50, 50], atol=4)


def test_before_and_after_the_pictures_nothing_is_shown(make_clip):
    times = [1 + i / 25 for i in range(25)]
    path = make_clip("clip.mkv", seconds=3.0, times=times)
    levels = grey_levels(path, 3.0)
    assert [level is None for level in levels] == [True] * 10 + [False] * 10 + [True] * 10


def test_one_frame_is_shown_for_its_own_duration(make_clip):
    path = make_clip(seconds=1 / 25, audio=False)
    assert probe(str(path)).duration_s == pytest.approx(0.04, abs=0.01)
    assert [level is None for level in grey_levels(path, 0.3)] == [False, True, True]


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_rotation_is_honoured(make_clip, rotation):
    def corner(_: float) -> np.ndarray:
        image = np.zeros((48, 64, 3), np.uint8)
        image[:24, :32] = 255  # top left
        return image

    path = make_clip(size=(64, 48), rotation=rotation, picture=corner, audio=False)
    info = probe(str(path))
    assert (info.width, info.height) == ((48, 64) if rotation % 180 else (64, 48))
    frame = next(sample_frames(Clip(str(path), 0, 1), 1, 0.1, 1280, Damage()))
    expected = np.rot90(corner(0.0), k=rotation // 90)
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).mean() < 10


def test_frames_are_contiguous_at_any_width(make_clip):
    path = make_clip(size=(360, 288), audio=False)
    for frame in sample_frames(Clip(str(path), 0, 1), 10, 0.1, 1280, Damage()):
        assert frame.shape == (288, 360, 3)
        assert frame.flags.c_contiguous


def test_large_frames_are_scaled_down(make_clip):
    path = make_clip(size=(640, 320), audio=False, seconds=0.2)
    frame = next(sample_frames(Clip(str(path), 0, 0.2), 1, 0.1, 128, Damage()))
    assert frame.shape == (64, 128, 3)


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_sound_of_any_layout_becomes_mono_at_16_khz(make_clip, layout, decode_sound, rms):
    signal = decode_sound(make_clip(layout=layout), 1.0)
    assert signal.shape == (16_000,)
    assert signal.dtype == np.float32
    peak = np.argmax(np.abs(np.fft.rfft(signal)))
    assert peak == pytest.approx(220, abs=2)
    assert rms(signal, 0.2, 0.8) > 0.2


def test_pcm_in_avi_and_a_low_rate_are_read(make_clip, decode_sound, rms):
    path = make_clip("clip.avi", video_codec="mpeg4", audio_codec="pcm_s16le", rate=8000)
    assert rms(decode_sound(path, 1.0), 0.1, 0.9) == pytest.approx(0.35, abs=0.02)


def test_sound_that_starts_late_and_ends_early_stays_in_its_place(make_clip, decode_sound, rms):
    signal = decode_sound(make_clip("clip.mkv", seconds=3.0, audio_span=(1.0, 2.0)), 3.0)
    assert rms(signal, 0.0, 0.9) < 0.01
    assert rms(signal, 1.1, 1.9) == pytest.approx(0.35, abs=0.03)
    assert rms(signal, 2.1, 3.0) < 0.01


def test_no_audio_track_is_zeros(make_clip, decode_sound):
    assert not decode_sound(make_clip(audio=False), 1.0).any()


def test_segment_equals_that_part_of_the_whole(make_clip, decode_sound):
    path = make_clip(seconds=2.4)
    assert grey_levels(path, 0.5, start_s=1.0) == grey_levels(path, 2.4)[10:15]
    whole, part = decode_sound(path, 2.4), decode_sound(path, 1.0, start_s=1.0)
    np.testing.assert_allclose(part[800:], whole[16_800:32_000], atol=0.02)


@pytest.mark.parametrize("name", ["клип с пробелом.mp4", "视频.mp4", "a:b%03d.mp4"])
def test_name_in_any_script_is_read(make_clip, name):
    assert probe(str(make_clip(name))).has_video


@pytest.mark.parametrize(
    ("name", "codec"), [("clip.h264", "libx264"), ("clip.m1v", "mpeg1video"), ("clip.obu", "av1")]
)
def test_duration_of_a_file_without_time_stamps_is_counted(make_clip, name, codec):
    if codec not in av.codecs_available:
        pytest.skip(f"no {codec} encoder")
    path = make_clip(name, seconds=2.0, video_codec=codec, audio=False)
    assert probe(str(path)).duration_s == pytest.approx(2.0, abs=0.1)


def test_false_duration_in_the_header_is_not_believed(make_clip):
    path = make_clip(seconds=2.0)
    data = bytearray(path.read_bytes())
    for atom, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        place = data.index(atom)
        data[place + offset : place + offset + 4] = (7).to_bytes(4, "big")
    path.write_bytes(data)
    assert 1.5 < probe(str(path)).duration_s < 2.5


def test_probe_reads_on_but_decodes_the_beginning_only(make_clip, monkeypatch):
    path = make_clip(seconds=8.0)
    decoded, sent = container.decoded, []
    monkeypatch.setattr(
        container, "decoded", lambda packet, damage: sent.append(1) or decoded(packet, damage)
    )
    assert probe(str(path)).duration_s == pytest.approx(8.0, abs=0.05)
    assert len(sent) < 60  # of 200 pictures and 350 packets of sound


@pytest.fixture
def remote(make_clip):
    """The same clip as a local file and at a URL."""
    path = make_clip("clip.mp4", seconds=2.0)
    url = "memory://bucket/folder/clip.mp4"
    with fsspec.open(url, "wb") as f:
        f.write(path.read_bytes())
    yield path, url
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def test_clip_at_a_url_is_read_like_a_local_one(remote, decode_sound):
    path, url = remote
    assert probe(url) == probe(str(path))
    assert grey_levels(url, 1.0, start_s=0.5) == grey_levels(path, 1.0, start_s=0.5)
    np.testing.assert_array_equal(decode_sound(url, 2.0), decode_sound(path, 2.0))
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert content_hash(url) == content_hash(str(path)) == expected


@pytest.mark.parametrize("read", [probe, content_hash])
def test_what_is_wrong_with_a_url_is_said(remote, read, monkeypatch):
    with pytest.raises(MediaError, match=r"memory://bucket/none\.mp4: no such file"):
        read("memory://bucket/none.mp4")
    with pytest.raises(MediaError, match=r"cannot be opened.*nosuch"):
        read("nosuch://bucket/clip.mp4")
    fsspec.filesystem("memory").pipe("/bucket/empty.mp4", b"")
    with pytest.raises(MediaError, match="the file is empty"):
        read("memory://bucket/empty.mp4")

    def missing(url):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(container.fsspec.core, "url_to_fs", missing)
    with pytest.raises(SetupError, match=r"s3fs.*pip install 'lnln\[s3\]'"):
        read("s3://bucket/clip.mp4")


def test_playlist_at_a_url_leads_nowhere(make_clip):
    path = make_clip("part.ts", video_codec="mpeg2video", audio_codec="mp2")
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nfile:{path}\n#EXT-X-ENDLIST\n"
    fsspec.filesystem("memory").pipe("/bucket/list.m3u8", text.encode())
    with pytest.raises(MediaError):
        probe("memory://bucket/list.m3u8")
