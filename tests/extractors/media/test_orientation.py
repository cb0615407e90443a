"""Pictures come out as their file says, compared with what its matrix does to every pixel."""

import shutil
import subprocess
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type

from extractors.damage.writing import write_clip
from extractors.media.container import Clip, Damage, probe
from extractors.media.orientation import AS_STORED, Orientation, from_matrix, orientation_of
from extractors.vision.frames import sample_frames

WIDTH, HEIGHT = 64, 48
CONTAINERS = {
    "a.mp4": "libx264",
    "a.mov": "libx264",
    "a.mkv": "libx264",
    "a.webm": "libvpx-vp9",
    "a.3gp": "mpeg4",
    "a.m4v": "mpeg4",
}
TURNS = (0, 90, 180, 270)
MIRRORS = ((False, False), (True, False), (False, True), (True, True))


def stored() -> np.ndarray:
    """A picture whose four corners, and both of its sides, differ."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:16, :16], picture[:16, -16:], picture[-16:, :16] = 250, 170, 90
    picture[: HEIGHT // 2, WIDTH // 2 - 8 : WIDTH // 2] = 210
    return picture


def write(
    path: Path, codec: str, degrees: float, *, hflip: bool, vflip: bool, frames: int = 3
) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 2_000_000
        stream.set_display_rotation(degrees, hflip=hflip, vflip=vflip)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(stored(), "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def matrix_of(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:  # nothing is written where nothing is to be done
        return [65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30]
    return np.frombuffer(data, np.int32).tolist()


def shown_by(matrix: list[int], picture: np.ndarray) -> np.ndarray:
    """Every pixel of a picture where a matrix of quarter turns puts it."""
    a, b, _, c, d, *_ = (round(value / 65536) for value in matrix)
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    to_x, to_y = a * x + c * y, b * x + d * y
    to_x, to_y = to_x - to_x.min(), to_y - to_y.min()
    shown = np.zeros((to_y.max() + 1, to_x.max() + 1, 3), np.uint8)
    shown[to_y, to_x] = picture
    return shown


def sampled(path: Path) -> np.ndarray:
    picture = next(sample_frames(Clip(str(path), 0, 0.2), 2, 0.1, 1280, Damage()))
    assert picture is not None and picture.flags.c_contiguous
    return picture


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize(("hflip", "vflip"), MIRRORS)
@pytest.mark.parametrize("degrees", TURNS)
def test_every_turn_and_mirroring_is_undone(tmp_path, name, degrees, hflip, vflip):
    path = write(tmp_path / name, CONTAINERS[name], degrees, hflip=hflip, vflip=vflip)
    expected = shown_by(matrix_of(path), stored())
    picture = sampled(path)
    assert picture.shape == expected.shape
    assert np.abs(picture.astype(int) - expected).mean() < 12  # what the codec costs
    info = probe(str(path))
    assert (info.height, info.width) == expected.shape[:2]


def test_all_eight_ways_to_show_a_picture_are_told_apart(tmp_path):
    seen = set()
    for degrees, (hflip, vflip) in product(TURNS, MIRRORS):
        path = write(tmp_path / "a.mp4", "libx264", degrees, hflip=hflip, vflip=vflip)
        seen.add((sampled(path)[..., 0] // 30).tobytes())
    assert len(seen) == 8


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg to compare with")
@pytest.mark.parametrize(("hflip", "vflip"), MIRRORS)
@pytest.mark.parametrize("degrees", TURNS)
def test_ffmpeg_shows_the_same(tmp_path, degrees, hflip, vflip):
    path = write(tmp_path / "a.mp4", "libx264", degrees, hflip=hflip, vflip=vflip)
    picture = sampled(path)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1"]
    raw = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
    ).stdout
    shown = np.frombuffer(raw, np.uint8).reshape(picture.shape)
    assert np.abs(picture.astype(int) - shown).mean() < 3


@pytest.mark.parametrize("flip", ["horizontal", "vertical"])
@pytest.mark.parametrize("name", ["a.h264", "a.ts", "a.flv", "a.avi"])
def test_what_the_codec_says_itself_holds_in_containers_that_say_nothing(tmp_path, name, flip):
    plain = write(tmp_path / "plain.mp4", "libx264", 0, hflip=False, vflip=False, frames=25)
    option = f"h264_mp4toannexb,h264_metadata=display_orientation=insert:flip={flip}"
    path = tmp_path / name
    with av.open(str(plain)) as source, av.open(str(path), "w") as out:
        stream = source.streams.video[0]
        target = out.add_stream_from_template(stream)
        told = av.BitStreamFilterContext(option, stream)
        for packet in source.demux(stream):
            for changed in told.filter(packet if packet.size else None):
                changed.stream = target
                out.mux(changed)
    expected = stored()[:, ::-1] if flip == "horizontal" else stored()[::-1]
    assert np.abs(sampled(path).astype(int) - expected).mean() < 12


@pytest.mark.parametrize("degrees", [10.0, -30.0, 135.5])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_camera_held_askew_is_read_to_the_degree(degrees, mirrored):
    """What turning by t does to (right, down), after mirroring, which turns right to left."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    right = -1 if mirrored else 1
    linear = right * cosine, -right * sine, 0, sine, cosine
    read = from_matrix([*(round(65536 * value) for value in linear), 0, 0, 0, 1 << 30])
    assert read.mirrored == mirrored
    assert read.degrees == pytest.approx(degrees, abs=0.01)


@pytest.mark.parametrize(
    "matrix", [[0] * 9, [65536, 0, 0, 0, 0, 0, 0, 0, 1 << 30], [1, 1, 0, 1, 1, 0, 0, 0, 1]]
)
def test_a_matrix_that_shows_nothing_is_no_matrix(matrix):
    assert from_matrix(matrix) == AS_STORED


def test_scaling_changes_nothing():
    assert from_matrix([-2 * 65536, 0, 0, 0, -3 * 65536, 0, 0, 0, 1 << 30]).degrees == 180


def test_other_data_of_a_frame_that_pyav_cannot_name_is_no_obstacle():
    class Frame:
        rotation = 90

        @property
        def side_data(self):
            raise ValueError("42 is not a valid Type")

    assert orientation_of(Frame()) == Orientation(mirrored=False, degrees=90.0)


@pytest.mark.parametrize(("hflip", "vflip"), MIRRORS)
@pytest.mark.parametrize("degrees", [0, 90])
def test_a_clip_is_damaged_the_way_it_is_shown(tmp_path, degrees, hflip, vflip):
    path = write(tmp_path / "a.mp4", "libx264", degrees, hflip=hflip, vflip=vflip)

    class Nothing:
        def frame(self, picture: np.ndarray, time_s: float) -> np.ndarray:
            assert np.abs(picture.astype(int) - before).mean() < 3
            return picture

    before = sampled(path)
    write_clip(str(path), tmp_path / "b.mp4", None, [Nothing()])  # type: ignore[list-item]
    assert np.abs(sampled(tmp_path / "b.mp4").astype(int) - before).mean() < 6
    write_clip(str(path), tmp_path / "c.mp4", None, [])
    np.testing.assert_array_equal(sampled(tmp_path / "c.mp4"), before)


def test_the_mirrored_clip_is_the_other_one_mirrored(faults):
    plain, mirrored = (sampled(faults / name) for name in ("mx_id.mp4", "mx_hflip.mp4"))
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])
