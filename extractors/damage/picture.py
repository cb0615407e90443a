"""Damage to a picture, as functions of one frame: uint8 [height, width, 3], RGB, upright."""

import math
from functools import cache

import cv2
import numpy as np

# A small image sensor. Shot noise has the variance of the number of electrons, and the readout
# adds its own: EMVA Standard 1288, linear model.
_FULL_WELL = 5000.0  # electrons of a white pixel
_READ_NOISE = 3.0  # electrons
_LEVELS = 4096  # of its converter


def blackened(picture: np.ndarray) -> np.ndarray:
    """A black frame of the same size."""
    return np.zeros_like(picture)


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """A frame after a Gaussian filter with a deviation of `sigma` frame heights."""
    pixels = sigma * picture.shape[0]
    return cv2.GaussianBlur(picture, (0, 0), pixels) if pixels > 0.1 else picture


def darkened(picture: np.ndarray, stops: float, draw: np.random.Generator) -> np.ndarray:
    """A frame exposed `stops` stops less, with the noise of a sensor that gets less light."""
    electrons, deviation = _exposed(stops)
    read = electrons[picture] + deviation[picture] * draw.standard_normal(
        picture.shape, dtype=np.float32
    )
    return _developed()[np.clip(read * (_LEVELS / _FULL_WELL), 0, _LEVELS - 1).astype(np.int16)]


def covered(picture: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A frame with a grey box; its corners (left, top, right, bottom) are from 0 to 1."""
    height, width = picture.shape[:2]
    left, top, right, bottom = np.clip(corners, 0, 1) * (width, height, width, height)
    hidden = picture.copy()
    hidden[math.floor(top) : math.ceil(bottom), math.floor(left) : math.ceil(right)] = 128
    return hidden


def mean_light(picture: np.ndarray) -> float:
    """Mean of the linear light of all pixels and colours, 0 to 1."""
    return float(np.bincount(picture.ravel(), minlength=256) @ _linear_light()) / picture.size


@cache
def _linear_light() -> np.ndarray:
    """Linear light, 0 to 1, of the 256 values of sRGB, IEC 61966-2-1."""
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


@cache
def _exposed(stops: float) -> tuple[np.ndarray, np.ndarray]:
    """Electrons of a pixel with each of the 256 values, and their deviation."""
    electrons = _FULL_WELL * _linear_light() / 2**stops
    deviation = np.sqrt(electrons + _READ_NOISE**2)
    return electrons.astype(np.float32), deviation.astype(np.float32)


@cache
def _developed() -> np.ndarray:
    """The value in sRGB of each level of the converter."""
    light = np.arange(_LEVELS) / (_LEVELS - 1)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * value).astype(np.uint8)
