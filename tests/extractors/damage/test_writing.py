from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from extractors.damage.reading import read_frames, read_sound
from extractors.errors import MediaError
from extractors.media.container import probe

CONTAINERS: dict[str, dict[str, Any]] = {
    "a.mp4": {},
    "a.mkv": {},
    "a.mov": {"layout": "5.1"},
    "a.avi": {"video_codec": "mpeg4", "audio_codec": "mp3"},
    "a.webm": {"video_codec": "libvpx-vp9", "audio_codec": "libopus", "rate": 48_000},
    "a.mpg": {"video_codec": "mpeg2video", "audio_codec": "mp2"},
    "a.flv": {},
    "b.flv": {"video_codec": "flv"},
    "b.mkv": {"audio_codec": "pcm_s16le", "rate": 11_025},
    "c.mkv": {"video_codec": "ffv1", "audio_codec": "pcm_s16le", "layout": "stereo"},
    "d.mkv": {"video_codec": "libvpx", "audio_codec": "flac"},
}


def packets(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(**{kind: 0}) if p.size]


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("damages", [{"noise": 10.0}, {"black": 0.5}, {"music": 0.0, "blur": 0.01}])
def test_duration_and_times_are_kept(
    make_clip: Any, degrade_clip: Any, decode_frames: Any, name: str, damages: dict[str, float]
):
    clip = make_clip(name, seconds=1.5, **CONTAINERS[name])
    damaged, _ = degrade_clip(clip, **damages)
    before, after = probe(str(clip)), probe(str(damaged))
    assert after.duration_s == pytest.approx(before.duration_s, abs=0.03)
    assert after._replace(duration_s=0, fps=0) == before._replace(duration_s=0, fps=0)
    np.testing.assert_allclose(decode_frames(damaged)[1], decode_frames(clip)[1], atol=0.0011)
    sounds = [read_sound(str(path)) for path in (clip, damaged)]
    assert sounds[1].samples.shape[1] / sounds[1].rate == pytest.approx(
        sounds[0].samples.shape[1] / sounds[0].rate, abs=0.03
    )


def test_frames_at_uneven_times_stay_there(make_clip: Any, degrade_clip: Any, decode_frames: Any):
    times = [0.0, 0.04, 0.3, 0.35, 0.9, 1.7]
    damaged, _ = degrade_clip(make_clip(seconds=2, times=times), blur=0.01)
    np.testing.assert_allclose(decode_frames(damaged)[1], times, atol=1e-3)


def test_what_is_not_damaged_is_copied(make_clip: Any, degrade_clip: Any):
    clip = make_clip()
    for damages, copied, encoded in (
        ({"noise": 0}, "video", "audio"),
        ({"black": 1}, "audio", "video"),
    ):
        damaged, _ = degrade_clip(clip, **damages)
        assert packets(damaged, copied) == packets(clip, copied)
        assert packets(damaged, encoded) != packets(clip, encoded)


def test_colours_are_kept(make_clip: Any, degrade_clip: Any, decode_frames: Any):
    half = np.zeros((48, 64, 3), np.uint8)
    half[:, :32], half[:, 32:] = (200, 40, 60), (20, 120, 220)
    clip = make_clip(picture=lambda t: half)
    damaged, _ = degrade_clip(clip, black=0)
    difference = np.abs(decode_frames(damaged)[0] - decode_frames(clip)[0])
    assert np.delete(difference, range(29, 35), axis=2).max() <= 6


@pytest.mark.parametrize("size", [(65, 47), (64, 47), (2, 2)])
def test_any_size_can_be_written(make_clip: Any, degrade_clip: Any, size: tuple[int, int]):
    clip = make_clip("a.mkv", size=size, video_codec="ffv1")
    damaged, _ = degrade_clip(clip, blur=0.05)
    assert probe(str(damaged))[1:3] == size


def test_the_same_bytes_twice_and_others_for_another_seed_or_clip(
    make_clip: Any, degrade_clip: Any
):
    clip = make_clip()
    severities = {"noise": 5, "music": 5, "low_light": 3, "frozen": 0.3}
    contents = []
    for seed, name in ((0, "a/1"), (0, "a/1"), (1, "a/1"), (0, "a/2")):
        damaged, _ = degrade_clip(clip, seed=seed, name=name, **severities)
        contents.append(damaged.read_bytes())
    assert contents[0] == contents[1] and len(set(contents)) == 3


def test_a_clip_of_one_frame_keeps_it(make_clip: Any, degrade_clip: Any, decode_frames: Any):
    clip = make_clip(times=[0.0], audio=False)
    for damages in ({"black": 1}, {"frozen": 1}, {"blur": 0.1}, {"low_light": 2}):
        damaged, realised = degrade_clip(clip, **damages)
        assert len(decode_frames(damaged)[0]) == 1
        assert probe(str(damaged)).duration_s == pytest.approx(probe(str(clip)).duration_s)
        assert all(realised.values())


def test_without_sound_nothing_is_added(make_clip: Any, degrade_clip: Any):
    clip = make_clip(audio=False)
    damaged, realised = degrade_clip(clip, noise=0)
    assert realised == {"noise": None} and not damaged.exists()
    damaged, realised = degrade_clip(clip, noise=0, black=1)
    assert realised == {"noise": None, "black": {"share": 1.0}}
    assert not probe(str(damaged)).has_audio


def test_without_a_picture_only_the_sound_is_damaged(make_clip: Any, degrade_clip: Any):
    clip = make_clip(video=False)
    damaged, realised = degrade_clip(clip, noise=0, black=1, covered_face=1)
    assert realised["black"] is None and realised["covered_face"] is None
    assert probe(str(damaged)).has_video is False
    assert len(list(read_frames(str(damaged)))) == 0


def test_silence_is_left_as_it_is(make_clip: Any, degrade_clip: Any):
    damaged, realised = degrade_clip(make_clip(level=0.0), noise=0)
    assert realised == {"noise": None} and not damaged.exists()


def test_a_video_that_breaks_off_is_written_as_far_as_it_goes(
    make_clip: Any, degrade_clip: Any, decode_frames: Any
):
    clip = make_clip(
        "a.mkv",
        seconds=4,
        picture=lambda t: np.random.default_rng(round(25 * t)).integers(
            0, 255, (48, 64, 3), np.uint8
        ),
    )
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    damaged, _ = degrade_clip(clip, blur=0.01, noise=0)
    assert 10 < len(decode_frames(damaged)[0]) < 90


def test_nothing_is_left_of_a_file_that_cannot_be_written(
    make_clip: Any, degrade_clip: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def fails(*_: Any) -> Any:
        raise MediaError("a.mp4", "broken")

    monkeypatch.setattr("extractors.damage.writing._damaged", fails)
    with pytest.raises(MediaError, match="broken"):
        degrade_clip(make_clip(), black=1)
    assert list((tmp_path / "damaged").iterdir()) == []
