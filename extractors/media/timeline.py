"""Rows at regular times: how many a clip has, and what extractors of audio and vision return."""

import math
from typing import NamedTuple

import numpy as np

SAMPLE_RATE = 16_000  # Hz, what pitch tracking and speech recognition here expect


class Rows(NamedTuple):
    """Features of one clip, one row every `step_s` from its start; unobserved rows are 0."""

    values: np.ndarray  # float32 [rows, features]
    observed: np.ndarray  # bool [rows]
    step_s: float  # time between rows
    warnings: list[str]


def row_count(duration_s: float, step_s: float) -> int:
    """Number of rows of a clip: one at every multiple of `step_s` before its end, at least one.

    Durations are taken as 0.1 ms shorter, so that 3.00001 s at 25 rows a second are 75 rows.
    """
    return max(1, math.ceil((duration_s - 1e-4) / step_s))
