"""Rows on a regular time grid: how many a clip has, and what a row-wise extractor returns."""

import math
from typing import NamedTuple

import numpy as np


class Rows(NamedTuple):
    """Features of one clip in regular steps from its start.

    Unobserved rows are 0.
    """

    values: np.ndarray  # float32 [rows, features]
    observed: np.ndarray  # bool [rows]
    step_s: float
    warnings: list[str]


def row_count(duration_s: float, step_s: float) -> int:
    """Rows of a clip: one for every i with i * step_s before its end, at least one.

    A tenth of a millisecond is forgiven, so that 3.00001 s at 25 rows a second are 75 rows.
    """
    return max(1, math.ceil((duration_s - 1e-4) / step_s))
