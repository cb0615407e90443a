"""How far labels lie from predictions: intervals that hold a chosen share of them.

Split conformal prediction (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World",
2005): errors on clips that trained nothing say how wide an interval has to be. They are sorted into
bins by how much of a clip was observed, each with a width of its own (Mondrian conformal
prediction, ibid., section 4.5).

A clip of the validation split is asked about under several masks, so that its errors belong
together. Each clip therefore counts once, however often it was asked about (Lee, Barber and
Willett, "Distribution-free inference with hierarchical data", arXiv 2306.06342, section 3.1). With
one answer per clip this is the usual rule: of n errors the one at place ceil((n + 1) level).
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from lnln.settings import Settings

Array = NDArray[np.float64]

BINS = 5  # of the observed share, equally wide before neighbours are joined
FEWEST_CLIPS = 30  # in a bin: with fewer, chance alone moves the width a lot


class Calibration(NamedTuple):
    """Answers to the validation split under all of its masks, a row per answer.

    Attributes
    ----------
    clip : array, [rows] str
        Clips stand there as often as they were asked about.
    label, prediction : array, [rows]
    share : array, [rows]
        Observed share, 0 to 1, see `lnln.data.features.FeatureSet.observed_share`.
    """

    clip: NDArray[np.str_]
    label: Array
    prediction: Array
    share: Array


class Intervals(Settings):
    """Half-widths of the intervals around predictions, by observed share."""

    level: float = Field(gt=0, lt=1, description="share of the labels that they are to hold")
    edges: tuple[float, ...] = Field(description="observed shares between two bins, ascending")
    half_widths: tuple[float, ...] = Field(description="of each bin, on the scale of the labels")
    clips: tuple[int, ...] = Field(description="clips of validation that each was measured on")

    @model_validator(mode="after")
    def _bins_are_whole(self) -> Self:
        edges, widths = list(self.edges), self.half_widths
        if edges != sorted(set(edges)) or not all(0 <= edge <= 1 for edge in edges):
            raise ValueError(f"edges {edges} are not ascending shares from 0 to 1")
        if not len(edges) + 1 == len(widths) == len(self.clips):
            raise ValueError(
                f"{len(edges)} edges make {len(edges) + 1} bins; there are {len(widths)} "
                f"half_widths and {len(self.clips)} clips"
            )
        if min(widths) < 0:
            raise ValueError(f"half_widths has {min(widths)}, which is below 0")
        return self

    @classmethod
    def fit(cls, calibration: Calibration, level: float, label_range: tuple[float, float]) -> Self:
        """Measure how wide intervals have to be.

        Parameters
        ----------
        calibration : Calibration
        level : float
            Share of the labels that the intervals are to hold, e.g. 0.9.
        label_range : tuple of float
            Predictions are clipped to it, as people get them. Where there are too few clips for
            the level (fewer than 9 for 0.9), an interval is this whole range.
        """
        low, high = label_range
        errors = np.abs(np.clip(calibration.prediction, low, high) - calibration.label)
        edges = _edges(calibration)
        bins = np.searchsorted(edges, calibration.share, side="right")
        half_widths, clips = [], []
        for number in range(len(edges) + 1):
            own = bins == number
            half_widths.append(min(quantile(errors[own], calibration.clip[own], level), high - low))
            clips.append(len(np.unique(calibration.clip[own])))
        return cls(
            level=level, edges=tuple(edges), half_widths=tuple(half_widths), clips=tuple(clips)
        )

    def around(
        self, prediction: ArrayLike, share: ArrayLike, label_range: tuple[float, float]
    ) -> tuple[Array, Array]:
        """Return the ends of the intervals around predictions, within the label range.

        Parameters
        ----------
        prediction, share : array, [clips]
            What the model said, and the observed share.
        label_range : tuple of float
        """
        half = np.array(self.half_widths)[np.searchsorted(self.edges, share, side="right")]
        middle = np.clip(prediction, *label_range)
        return np.clip(middle - half, *label_range), np.clip(middle + half, *label_range)


def quantile(errors: ArrayLike, clips: ArrayLike, level: float) -> float:
    """Return the error that a new clip's exceeds with a probability of at most 1 - level.

    Every clip has the weight 1 / (clips + 1), shared by its errors; the rest is that of the new
    clip, whose error may be beyond all others.

    Parameters
    ----------
    errors : array, [rows]
    clips : array, [rows]
        Whose error each is.
    level : float

    Returns
    -------
    float
        Infinite where there are too few clips for the level.
    """
    values = np.asarray(errors, dtype=np.float64)
    names, places, counts = np.unique(
        np.asarray(clips, dtype=np.str_), return_inverse=True, return_counts=True
    )
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(1 / counts[places[order]]) / (len(names) + 1)
    place = np.searchsorted(reached, level - 1e-9)  # sums of weights are rounded
    return float(values[order][place]) if place < len(values) else float("inf")


def confidence(low: ArrayLike, high: ArrayLike, label_range: tuple[float, float]) -> Array:
    """Say how much of the label range intervals rule out.

    0: the interval is the whole range, so that nothing is known. 1: it is a single value.
    """
    least, greatest = label_range
    width = np.asarray(high, dtype=np.float64) - np.asarray(low, dtype=np.float64)
    return np.asarray(1 - width / (greatest - least))


def _edges(calibration: Calibration) -> list[float]:
    """Choose the edges between bins, by how many clips there are and never by their errors.

    An edge that would leave too few clips on one side is left out: neighbours are joined.
    """
    edges: list[float] = []
    for edge in np.arange(1, BINS) / BINS:
        below = calibration.share < edge
        if edges:
            below &= calibration.share >= edges[-1]
        sides = (below, calibration.share >= edge)
        if all(len(np.unique(calibration.clip[side])) >= FEWEST_CLIPS for side in sides):
            edges.append(float(edge))
    return edges
