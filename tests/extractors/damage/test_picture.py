from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.damage.picture import blurred, covered, darkened
from extractors.damage.scenes import Black, Boxes, CoveredFace, Frozen, Scene, Stretch
from extractors.media.clip import Clip
from extractors.media.container import probe
from extractors.settings import VisionSettings
from extractors.vision.extractor import VisionExtractor

SAMPLE = Path(__file__).parents[3] / "data" / "sample" / "Raw"


def no_face() -> Boxes:
    return Boxes(np.zeros(0), np.zeros((0, 4)))


def scene(*stretches: tuple[str, float, float], boxes: Boxes | None = None) -> Scene:
    return Scene("any", 0, "a", [Stretch(*s) for s in stretches], lambda: boxes or no_face())


def stripes(time: float) -> np.ndarray:
    """A picture that changes with every frame, and has fine lines."""
    columns = (np.arange(64) + round(25 * time)) % 8 < 4
    return np.tile(np.where(columns, 220, 60)[None, :, None], (48, 1, 3)).astype(np.uint8)


def test_black_frames_are_black_and_the_others_as_they_were(
    make_clip: Any, degrade_clip: Any, decode_frames: Any
):
    clip = make_clip(seconds=4, picture=lambda t: np.full((48, 64, 3), 160, np.uint8))
    damaged, realised = degrade_clip(clip, black=0.25)
    pictures, _ = decode_frames(damaged)
    levels = pictures.mean((1, 2, 3))
    black = levels < 4
    assert black.sum() == 25 and realised["black"]["share"] == 0.25
    assert np.ptp(np.flatnonzero(black)) == 24, "one span"
    assert np.abs(levels[~black] - 160).max() < 4


def test_frozen_frames_are_equal_and_the_others_move(
    make_clip: Any, degrade_clip: Any, decode_frames: Any
):
    damaged, realised = degrade_clip(make_clip(seconds=4, picture=stripes), frozen=0.5)
    pictures, _ = decode_frames(damaged)
    change = np.abs(np.diff(pictures, axis=0)).mean((1, 2, 3))
    assert (change < 2).sum() == 49 and (change > 10).sum() == 50
    assert realised["frozen"]["share"] == 0.5


@pytest.mark.parametrize("kind", [Black, Frozen])
def test_each_clip_of_a_video_loses_its_share(kind: Any):
    damage = kind(0.5, scene(("v/1", 0.0, 4.0), ("v/2", 10.0, 12.0)))
    frames = np.arange(0, 14, 0.1)
    inside = np.array([damage.span(time) is not None for time in frames])
    assert inside[frames < 4].sum() == pytest.approx(20, abs=1)
    assert inside[(frames >= 10) & (frames < 12)].sum() == pytest.approx(10, abs=1)
    assert inside.sum() == pytest.approx(30, abs=2), "none between the clips"
    assert damage.realised()["share"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_and_all_of_a_clip_can_be_black(share: float):
    damage = Black(share, scene(("v/1", 0.0, 2.0)))
    white = np.full((4, 4, 3), 255, np.uint8)
    levels = {damage.frame(white, time).mean() for time in np.arange(0, 2, 0.04)}
    assert levels == {255 * (1 - share)}


def test_blur_is_relative_to_the_height():
    edge = np.zeros((100, 100, 3), np.uint8)
    edge[:, 50:] = 255
    large = np.kron(edge, np.ones((2, 2, 1), np.uint8))
    small, big = (blurred(image, 0.05)[image.shape[0] // 2, :, 0] for image in (edge, large))
    np.testing.assert_allclose(small, big[::2], atol=8)
    np.testing.assert_array_equal(blurred(edge, 0.0), edge)


@pytest.mark.parametrize("stops", [1.0, 3.0, 6.0])
def test_each_stop_halves_the_light_and_leaves_more_noise(stops: float):
    grey = np.full((64, 64, 3), 188, np.uint8)  # half of the light of white
    draw = np.random.default_rng(0)
    dark = darkened(grey, stops, draw)
    light = np.where(
        dark / 255 <= 0.04045, dark / 255 / 12.92, ((dark / 255 + 0.055) / 1.055) ** 2.4
    )
    assert light.mean() == pytest.approx(0.5 / 2**stops, rel=0.05)
    noise = light.std() / light.mean()
    assert noise == pytest.approx((2500 / 2**stops) ** -0.5, rel=0.3)  # of 5000 electrons


def test_low_light_differs_from_frame_to_frame(
    make_clip: Any, degrade_clip: Any, decode_frames: Any
):
    clip = make_clip(seconds=1, picture=lambda t: np.full((48, 64, 3), 200, np.uint8))
    damaged, realised = degrade_clip(clip, low_light=4)
    pictures, _ = decode_frames(damaged)
    assert np.abs(np.diff(pictures, axis=0)).mean() > 0.3
    assert realised["low_light"]["stops"] == pytest.approx(4, abs=0.1)


def test_a_box_hides_what_is_under_it_only():
    picture = np.zeros((10, 20, 3), np.uint8)
    hidden = covered(picture, np.array([0.25, 0.5, 0.5, 2.0]))
    expected = np.zeros_like(picture)
    expected[5:, 5:10] = 128
    np.testing.assert_array_equal(hidden, expected)


def test_a_face_is_covered_from_the_chin_up_for_as_long_as_it_is_seen():
    boxes = Boxes(np.array([1.0, 1.1]), np.array([[0.4, 0.4, 0.6, 0.6]] * 2))
    damage = CoveredFace(0.5, scene(("a/1", 0.0, 4.0), boxes=boxes))
    picture = np.zeros((100, 100, 3), np.uint8)
    rows, columns = np.nonzero(damage.frame(picture, 1.2)[..., 0])
    assert (rows.min(), rows.max()) == (50, 62)
    assert (columns.min(), columns.max()) == (37, 62)
    assert damage.frame(picture, 3.0) is picture
    assert damage.realised() == {"share": 0.5}


def test_a_covered_face_is_found_no_longer(degrade_clip: Any):
    clip = SAMPLE / "joe" / "001.mp4"
    damaged, realised = degrade_clip(clip, covered_face=1)
    extractor = VisionExtractor(VisionSettings(), offline=True)
    seen = [
        extractor.extract(Clip(str(path), 0.0, probe(str(path)).duration_s)).observed.mean()
        for path in (clip, damaged)
    ]
    assert seen == [1.0, 0.0]
    assert realised["covered_face"] == {"share": 1.0}


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_the_face_in_a_turned_picture_is_covered(
    make_clip: Any, degrade_clip: Any, decode_frames: Any, rotation: int
):
    """The frames are stored so that they are upright once they are turned as the file says."""
    upright, _ = decode_frames(SAMPLE / "joe" / "001.mp4")
    stored = np.rot90(upright[0].astype(np.uint8), -rotation // 90)
    clip = make_clip(size=(256, 256), rotation=rotation, picture=lambda t: stored)
    damaged, realised = degrade_clip(clip, covered_face=1)
    assert realised["covered_face"] == {"share": 1.0}
    before, after = (probe(str(path)) for path in (clip, damaged))
    assert after == before
    changed = np.abs(decode_frames(damaged)[0] - decode_frames(clip)[0]).mean((0, 3)) > 30
    middle = np.rot90(changed, rotation // 90)[100:180, 80:180]
    assert middle.mean() > 0.5


def test_where_no_face_is_found_nothing_is_covered(make_clip: Any, degrade_clip: Any):
    damaged, realised = degrade_clip(make_clip(), covered_face=1)
    assert realised == {"covered_face": None} and not damaged.exists()
