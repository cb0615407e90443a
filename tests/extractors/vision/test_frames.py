"""Pictures as cameras and phones leave them: every kind comes out upright, square and in time."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from extractors.media.container import Clip, Damage
from extractors.vision.frames import rotated, sample_frames

FPS = 25


@pytest.fixture
def disc():
    """A white disc on black, its middle left of and above the picture's [height, width, 3]."""

    def draw(width: int, height: int, pixel_aspect: float = 1.0) -> np.ndarray:
        y, x = np.mgrid[:height, :width]
        shown_x = x * pixel_aspect
        radius = 0.2 * min(width * pixel_aspect, height)
        inside = np.hypot(shown_x - 0.35 * width * pixel_aspect, y - 0.4 * height) < radius
        return np.where(inside[..., None], np.uint8(235), np.uint8(16)).repeat(3, axis=2)

    return draw


def write(path: Path, pictures, *, codec="libx264", pix_fmt="yuv420p", **stream_settings) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=FPS)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for name, value in stream_settings.items():
            setattr(stream.codec_context, name, value)
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def sampled(path: Path, seconds: float = 0.4, *, max_side: int = 1280) -> list[np.ndarray]:
    damage = Damage()
    rows = round(seconds * 10)
    frames = list(sample_frames(Clip(str(path), 0.0, seconds), rows, 0.1, max_side, damage))
    assert damage == Damage()
    pictures = [picture for picture in frames if picture is not None]
    assert len(pictures) == rows
    assert all(p.flags.c_contiguous and p.dtype == np.uint8 for p in pictures)
    return pictures


def place(picture: np.ndarray) -> tuple[float, float, float, float]:
    """Middle (x, y), width and height of what is bright."""
    y, x = np.nonzero(picture.mean(2) > 128)
    return x.mean(), y.mean(), float(np.ptp(x)) + 1, float(np.ptp(y)) + 1


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mp4", "libx264", "yuv420p10le"),
        ("a.mp4", "libx264", "gray"),
        ("a.mp4", "libx264", "yuv422p"),
        ("a.mp4", "libx265", "yuv420p10le"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.mkv", "ffv1", "yuv420p16le"),
        ("a.mkv", "ffv1", "gray10le"),
        ("a.mkv", "ffv1", "bgra"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mpg", "mpeg1video", "yuv420p"),
    ],
)
def test_pixel_formats_come_out_as_rgb(tmp_path, disc, name, codec, pix_fmt):
    path = write(tmp_path / name, [disc(160, 96)] * 10, codec=codec, pix_fmt=pix_fmt)
    for picture in sampled(path):
        assert picture.shape == (96, 160, 3)
        assert place(picture) == pytest.approx((56, 38.4, 38, 38), abs=2)
        assert picture[38, 56].mean() == pytest.approx(235, abs=20)
        assert picture[90, 150].mean() == pytest.approx(16, abs=20)


@pytest.mark.parametrize(("width", "height"), [(355, 287), (1, 1), (17, 3), (161, 97)])
def test_odd_sizes_keep_every_pixel(tmp_path, disc, width, height):
    original = disc(width, height)
    path = write(tmp_path / "odd.mkv", [original] * 10, codec="ffv1", pix_fmt="bgr0")
    for picture in sampled(path):
        np.testing.assert_array_equal(picture, original)


def test_odd_size_in_the_usual_codec(tmp_path, disc):
    path = write(tmp_path / "odd.mp4", [disc(355, 287)] * 10, pix_fmt="yuv444p")
    assert sampled(path)[0].shape == (287, 355, 3)


@pytest.mark.parametrize(("aspect", "shape"), [("4/3", (96, 160)), ("3/4", (128, 120))])
def test_pixels_that_are_not_square_are_made_so(tmp_path, disc, aspect, shape):
    pixel_aspect = Fraction(aspect)
    drawn = disc(120, 96, float(pixel_aspect))
    path = write(tmp_path / "dv.mp4", [drawn] * 10, sample_aspect_ratio=pixel_aspect)
    picture = sampled(path)[0]
    assert picture.shape[:2] == shape
    _, _, width, height = place(picture)
    assert width == pytest.approx(height, abs=2)


def test_a_pixel_shape_that_cannot_be_is_not_believed(tmp_path, disc):
    path = write(tmp_path / "a.mkv", [disc(64, 48)] * 10, sample_aspect_ratio=Fraction(1, 500))
    assert sampled(path)[0].shape == (48, 64, 3)


def test_wide_pixels_count_for_the_largest_side(tmp_path, disc):
    path = write(tmp_path / "a.mp4", [disc(160, 96, 2.0)] * 10, sample_aspect_ratio=Fraction(2))
    assert sampled(path, max_side=160)[0].shape == (48, 160, 3)


@pytest.mark.parametrize("degrees", [0, 90, 180, -90, 270, 89, -179])
def test_quarter_turns_are_exact(disc, degrees):
    original = disc(160, 96)
    np.testing.assert_array_equal(
        rotated(original, degrees), np.rot90(original, round(degrees / 90))
    )


@pytest.mark.parametrize("degrees", [10, -30, 135.5])
def test_any_other_turn_cuts_nothing_off(disc, degrees):
    original = disc(160, 96)
    picture = rotated(original, degrees)
    radians = np.deg2rad(degrees)
    x, y = 56 - 79.5, 38.4 - 47.5  # from the middle; y points down, the turn is anticlockwise
    moved_x = np.cos(radians) * x + np.sin(radians) * y + (picture.shape[1] - 1) / 2
    moved_y = -np.sin(radians) * x + np.cos(radians) * y + (picture.shape[0] - 1) / 2
    assert place(picture) == pytest.approx((moved_x, moved_y, 38, 38), abs=2)
    assert int(picture.sum()) == pytest.approx(int(original.sum()), rel=0.02)


def test_a_camera_held_askew_is_seen_upright(make_clip):
    path = make_clip(size=(64, 48), rotation=45, audio=False)
    assert sampled(path)[0].shape == (80, 80, 3)


def test_interlaced_pictures_are_read(tmp_path, disc):
    flags = av.codec.context.Flags.interlaced_dct
    pictures = [disc(160, 96)] * 10
    path = write(tmp_path / "tv.mpg", pictures, codec="mpeg2video", flags=flags)
    assert place(sampled(path)[0]) == pytest.approx((56, 38.4, 38, 38), abs=2)


def test_frames_without_time_stamps_follow_each_other(tmp_path):
    """A bare stream of pictures has no times: the rate that it states gives them."""
    greys = [np.full((48, 64, 3), min(255, 10 * i), np.uint8) for i in range(25)]
    path = write(tmp_path / "bare.h264", greys, options={"bf": "0"})
    means = [picture.mean() for picture in sampled(path, 0.8)]
    assert means == pytest.approx([25 * i for i in range(8)], abs=6)


def test_part_of_a_stream_without_time_stamps_is_found_by_counting(tmp_path):
    greys = [np.full((48, 64, 3), min(255, 10 * i), np.uint8) for i in range(25)]
    path = write(tmp_path / "bare.h264", greys, options={"bf": "0"})
    clip = Clip(str(path), 0.4, 0.4)
    means = [p.mean() for p in sample_frames(clip, 4, 0.1, 1280, Damage()) if p is not None]
    assert means == pytest.approx([100, 120, 150, 170], abs=6)


def test_variable_rate_is_sampled_by_time(make_clip):
    times = [0.0, 0.04, 0.08, 0.5, 1.3, 1.34, 1.9]
    path = make_clip(seconds=2.0, times=times, audio=False, picture=None)
    shown = [picture.mean() for picture in sampled(path, 1.9)]
    rows = np.arange(19) / 10
    expected = [100 * max(t for t in times if t <= row + 1e-4) for row in rows]
    assert shown == pytest.approx(expected, abs=5)


def test_a_size_that_changes_on_the_way_is_followed(tmp_path, disc):
    small = write(tmp_path / "a.h264", [disc(64, 48)] * 10)
    large = write(tmp_path / "b.h264", [disc(160, 96)] * 10)
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    shapes = [picture.shape[:2] for picture in sampled(both, 0.8)]
    assert set(shapes) == {(48, 64), (96, 160)}


def test_frames_are_decoded_one_at_a_time(tmp_path, disc, monkeypatch):
    path = write(tmp_path / "a.mp4", [disc(64, 48)] * 100, options={"bf": "0"})
    count = 0

    def counted(packet, damage, *, decoded=av.Packet.decode):
        nonlocal count
        frames = decoded(packet)
        count += len(frames)
        return frames

    monkeypatch.setattr("extractors.vision.frames.decoded", counted)
    frames = sample_frames(Clip(str(path), 0.0, 4.0), 40, 0.1, 1280, Damage())
    for row in range(20):
        next(frames)
        assert count <= 2.5 * row + 4
