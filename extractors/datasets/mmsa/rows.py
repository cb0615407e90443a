"""Where a clip's rows lie in a padded array, and which of them were measured.

MMSA's own files are padded behind the rows. MMSA-FET can also pad in front of them
(``padding_location: front``), and with noise instead of zeros (``padding_mode: normal``).
"""

from typing import NamedTuple

import numpy as np

from extractors.datasets.mmsa.plain_objects import UnsafePickle, named

IN_FRONT = "padded in front of the rows, and read so"
BEYOND = "measured rows beyond the tokens of a clip, which is read up to the last of them"
NOISE = (
    "rows beyond the length of a clip are not zero, and neither are those before them: is the file "
    "padded with noise (padding_mode: normal of MMSA-FET)? The first rows of each clip were taken, "
    "as MMSA does; if the padding is in front, these are not the clips': make the file again with "
    "padding_mode: zeros"
)


def clean_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Replace infinite values and NaN in a clip's rows, and tell which rows were measured.

    Parameters
    ----------
    rows : ndarray, [rows, features]
        Without padding.

    Returns
    -------
    values : ndarray, float32 [rows, features]
        Infinite values and NaN are 0.
    observed : ndarray, bool [rows]
        False where every column is 0, infinite or NaN.
    bad : int
        Number of infinite values and NaN.
    """
    with np.errstate(over="ignore"):
        values = np.array(rows, np.float32)
    bad = ~np.isfinite(values)
    values[bad] = 0
    return values, (values != 0).any(axis=1), int(bad.sum())


class Spans(NamedTuple):
    """The measured rows of each clip: the first, the one after the last, and their number, [clips].

    A row is measured where any column is neither 0 nor infinite nor NaN.
    """

    first: np.ndarray
    stop: np.ndarray
    number: np.ndarray


class Note(NamedTuple):
    """What is odd in a file, how it is read, and where in it that is."""

    what: str
    where: str


class Placed(NamedTuple):
    """First row and number of rows of each clip, [clips], and what is to be said of them."""

    starts: np.ndarray
    lengths: np.ndarray
    notes: list[Note]


def measured_spans(grid: np.ndarray) -> Spans:
    """Find the measured rows of an array [clips, rows, features]; all 0 for a clip without any."""
    spans = np.zeros((3, len(grid)), np.int64)
    for i, rows in enumerate(grid):  # one clip in memory: the array can be large
        measured = np.flatnonzero(clean_rows(rows)[1])
        if len(measured):
            spans[:, i] = measured[0], measured[-1] + 1, len(measured)
    return Spans(*spans)


def place(grid: np.ndarray, lengths: np.ndarray, clips: list[str], where: str) -> Placed:
    """Tell on which side an array is padded, where the file says how long its clips are.

    Parameters
    ----------
    grid : ndarray, [clips, rows, features]
    lengths : ndarray, int [clips]
        Rows of each clip, at most those of the array.
    clips : list of str
        Their names, for messages.
    where : str
        File, split and field, for messages.

    Raises
    ------
    UnsafePickle
        Measured rows of a clip lie outside of its length on either side.
    """
    spans, rows = measured_spans(grid), grid.shape[1]
    behind, front = _fitting(spans, lengths, rows)
    if behind.all():
        return Placed(np.zeros_like(lengths), lengths, [])
    short = lengths < rows
    if (spans.number == rows)[short].all():
        return Placed(np.zeros_like(lengths), lengths, [Note(NOISE, counted(len(short)))])
    odd = np.flatnonzero(~behind & ~front)
    if len(odd):
        i = odd[0]
        raise UnsafePickle(
            f"{where}: {named(clips[i])} is said to have {lengths[i]} of {rows} rows, but rows "
            f"{spans.first[i]} to {spans.stop[i] - 1} are not zero, which fits padding neither "
            f"behind nor in front ({len(odd)} such clips): the lengths are wrong, or rows are "
            "missing"
        )
    return _shifted(behind, front, lengths, rows)


def place_by_tokens(grid: np.ndarray, lengths: np.ndarray, clips: list[str], where: str) -> Placed:
    """Tell on which side an aligned array is padded; its clips are as long as their tokens.

    That is an inference, so a clip with measured rows elsewhere is read as far as these go.
    Parameters are those of `place`.
    """
    spans, rows = measured_spans(grid), grid.shape[1]
    behind, front = _fitting(spans, lengths, rows)
    odd = np.flatnonzero(~behind & ~front)
    notes = []
    if len(odd):
        lengths = np.array(lengths)
        lengths[odd] = spans.stop[odd]
        behind[odd] = True
        notes = [Note(BEYOND, f"{counted(len(odd))}, such as {named(clips[odd[0]])}")]
    placed = _shifted(behind, front, lengths, rows)
    return placed._replace(notes=placed.notes + notes)


def measured_lengths(grids: list[np.ndarray]) -> np.ndarray:
    """Length of each clip where nothing tells it: as far as any of the arrays was measured.

    Padding in front is recognised where every clip ends with the last row.
    """
    spans = [measured_spans(grid) for grid in grids]
    stop = np.max([span.stop for span in spans], axis=0)
    rows = grids[0].shape[1]
    first = np.min([np.where(s.number > 0, s.first, rows) for s in spans], axis=0)
    in_front = (stop == rows) | (stop == 0)
    if in_front.all() and len({grid.shape[1] for grid in grids}) == 1:
        return np.where(stop > 0, rows - first, 0)
    return stop


def _fitting(spans: Spans, lengths: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Of which clips all measured rows are the first ones, and of which the last ones."""
    nothing = spans.number == 0
    return nothing | (spans.stop <= lengths), nothing | (spans.first >= rows - lengths)


def _shifted(behind: np.ndarray, front: np.ndarray, lengths: np.ndarray, rows: int) -> Placed:
    """Clips padded in front begin later: all, where that fits all; else those that fit only so."""
    late = np.ones_like(front) if front.all() and not behind.all() else ~behind
    starts = np.where(late, rows - lengths, 0)
    notes = [Note(IN_FRONT, counted(int(late.sum()), len(late)))]
    return Placed(starts, lengths, notes if late.any() else [])


def counted(clips: int, of: int | None = None) -> str:
    """How many clips, in words."""
    if of is not None:
        return f"{clips} of {counted(of)}"
    return f"{clips} clip{'s' * (clips != 1)}"
