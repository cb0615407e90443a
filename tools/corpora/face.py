"""A talking face: a photograph warped frame by frame, by valence, arousal and speech.

The photograph is `skimage.data.astronaut()` (NASA, public domain). Positions are those of the face
landmarks in it; every expression is a sum of smooth bumps (Gaussians) that push the picture around
a few of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d
from utterances import Utterance

SIZE = 256  # pixels
FPS = 25

# In pixels of the photograph.
_CENTRE, _SIDE = np.array([225.0, 122.0]), 216.0  # the square that is cut out
_FACE_WIDTH = 89.5
_LANDMARKS = {
    "mouth_left": (202.3, 139.2),
    "mouth_right": (244.5, 140.6),
    "lower_lip": (222.7, 154.7),
    "chin": (221.4, 177.4),
    "brow_inner": (225.3, 91.0),
    "brow_outer_left": (192.0, 90.0),
    "brow_outer_right": (260.0, 93.0),
}
_BACKDROP = (205, 200, 205)  # RGB, as behind the head in the photograph
_BUMP = 0.09  # standard deviation of a bump, in face widths


@dataclass(frozen=True)
class Performance:
    """What the face does, one value per frame: shape [frames] each, offsets in face widths.

    `corner` (mouth corners) and `jaw` count downwards, `brow_inner` and `brow_outer` upwards;
    `shift` is [frames, 2] in pixels, `roll` in degrees, `scale` and `light` are factors.
    """

    corner: np.ndarray
    brow_inner: np.ndarray
    brow_outer: np.ndarray
    jaw: np.ndarray
    shift: np.ndarray
    roll: np.ndarray
    scale: np.ndarray
    light: np.ndarray


def perform(utterance: Utterance, loudness: np.ndarray) -> Performance:
    """Draw the movements of one clip.

    Parameters
    ----------
    utterance : Utterance
        Has valence, arousal, what is missing, and the random numbers.
    loudness : ndarray [frames]
        Envelope of the speech, 0 to 1.
    """
    random = utterance.generator("face")
    frames = len(loudness)
    valence = expression_course(utterance, frames, random) + wander(random, frames, 0.1)
    positive, negative = np.maximum(valence, 0), np.maximum(-valence, 0)
    emphasis = gaussian_filter1d(loudness, 3)
    shift = np.stack([wander(random, frames, 2.5), wander(random, frames, 2.0)], axis=1)
    shift += random.normal(0, 4, 2)
    shift[:, 1] += 4 * utterance.arousal * emphasis  # nods with the stresses
    if leaves(utterance):
        shift += walk_out(utterance, frames, random)
    return Performance(
        # At 0 the photograph smiles broadly; 0.085 is a resting mouth, 0.14 a sad one.
        corner=0.085 - 0.1 * positive + 0.06 * negative,
        brow_inner=0.09 * negative + wander(random, frames, 0.006),
        brow_outer=0.045 * utterance.arousal * emphasis + wander(random, frames, 0.006),
        jaw=0.1 * loudness,
        shift=shift,
        roll=random.normal(0, 1.5) + wander(random, frames, 1.2),
        scale=random.uniform(0.92, 1.08) + wander(random, frames, 0.008),
        light=random.uniform(0.85, 1.12) + wander(random, frames, 0.01),
    )


def expression_course(utterance: Utterance, frames: int, random: np.random.Generator) -> np.ndarray:
    """Valence of the face over time, [frames]: it sets in, mostly stays, sometimes fades.

    One clip in five begins with the opposite expression for a moment, such as a polite smile before
    a complaint; the later one is what is meant.
    """
    onset = random.uniform(0.0, 0.35)
    offset = random.uniform(0.7, 1.3)
    polite = random.random() < 1 / 5
    time = np.linspace(0, 1, frames)
    ramp = 0.06
    course = 1 / (1 + np.exp(-(time - onset) / (ramp / 3)))
    course *= 1 - 1 / (1 + np.exp(-(time - offset) / (ramp / 3)))
    if polite:
        course -= 1.3 * np.exp(-(((time - 0.15) / 0.12) ** 2))
    return utterance.valence * course


def wander(random: np.random.Generator, frames: int, deviation: float) -> np.ndarray:
    """Slow random movement around 0, [frames], with the given standard deviation."""
    noise = gaussian_filter1d(random.normal(size=frames + 100), 10)[50:-50]
    return noise * deviation * np.sqrt(2 * np.sqrt(np.pi) * 10)


def leaves(utterance: Utterance) -> bool:
    """Whether the head is out of the frame for some of the clip or for all of it."""
    return utterance.incomplete in ("no_face", "face_leaves")


def walk_out(utterance: Utterance, frames: int, random: np.random.Generator) -> np.ndarray:
    """Sideways shift [frames, 2] in pixels of a head that is out of the frame, or goes out."""
    side = random.choice([-1.0, 1.0])
    if utterance.incomplete == "no_face":
        away = np.ones(frames)
    else:
        start = random.uniform(0.35, 0.65)
        away = np.clip((np.linspace(0, 1, frames) - start) / 0.12, 0, 1)
    return np.stack([side * 1.25 * SIZE * away, np.zeros(frames)], axis=1)


def render(utterance: Utterance, performance: Performance) -> Iterator[np.ndarray]:
    """Frames of a performance: uint8 RGB, [256, 256, 3]."""
    portrait, bumps = _portrait(), _bumps()
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    width = _FACE_WIDTH * SIZE / _SIDE
    middle = (SIZE / 2, SIZE / 2)
    # Small movements repeat the edge of the picture; someone who leaves uncovers a grey wall.
    beyond = cv2.BORDER_CONSTANT if leaves(utterance) else cv2.BORDER_REPLICATE
    for i in range(len(performance.corner)):
        down = width * (
            performance.corner[i] * (bumps["mouth_left"] + bumps["mouth_right"])
            + performance.jaw[i] * (0.8 * bumps["lower_lip"] + bumps["chin"])
            - performance.brow_inner[i] * bumps["brow_inner"]
            - performance.brow_outer[i] * (bumps["brow_outer_left"] + bumps["brow_outer_right"])
        )
        source = (rows - down).astype(np.float32)
        frame = cv2.remap(
            portrait, columns, source, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        if utterance.speaker.mirrored:
            frame = frame[:, ::-1]
        pose = cv2.getRotationMatrix2D(middle, performance.roll[i], performance.scale[i])
        pose[:, 2] += performance.shift[i]
        frame = cv2.warpAffine(
            frame,
            pose,
            (SIZE, SIZE),
            flags=cv2.INTER_CUBIC,
            borderMode=beyond,
            borderValue=_BACKDROP,
        )
        tint = np.array(utterance.speaker.tint) * performance.light[i]
        yield np.clip(frame * tint, 0, 255).astype(np.uint8)


@cache
def _portrait() -> np.ndarray:
    """The head cut out of the photograph, [256, 256, 3] uint8 RGB."""
    from skimage.data import astronaut

    zoom = SIZE / _SIDE
    origin = (_CENTRE - _SIDE / 2) * zoom
    window = np.array([[zoom, 0, -origin[0]], [0, zoom, -origin[1]]])
    return cv2.warpAffine(
        astronaut(), window, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


@cache
def _bumps() -> dict[str, np.ndarray]:
    """One Gaussian around each landmark of the cut-out head, [256, 256] float32, peak 1."""
    zoom = SIZE / _SIDE
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    bumps = {}
    for name, position in _LANDMARKS.items():
        x, y = (np.array(position) - _CENTRE + _SIDE / 2) * zoom
        spread = _BUMP * _FACE_WIDTH * zoom * (1.4 if name == "chin" else 1.0)
        bumps[name] = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2))
    return bumps
