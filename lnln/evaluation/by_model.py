"""The answers of one model under one pattern as an array, and what they can be compared with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa

from contracts.messages import some
from lnln.evaluation.table import Array, Names, Slice, slices

_NAMED = 3  # clips or conditions that an error names


class MismatchError(ValueError):
    """Answers that do not belong together; the message says what differs."""


@dataclass(frozen=True)
class ModelAnswers:
    """All that one model said under one pattern of missing data.

    Attributes
    ----------
    name : str
    pattern : str
    seeds : tuple of int
        Of training, ascending.
    conditions : tuple of (float, int)
        Missing rate and number of the masks, ascending.
    clip_id, group : array, [clips] str
    label : array, [clips]
    prediction : array, [seeds, conditions, clips]
    completeness : array, [conditions, clips]
        True completeness of language; of other masks it is another.
    """

    name: str
    pattern: str
    seeds: tuple[int, ...]
    conditions: tuple[tuple[float, int], ...]
    clip_id: Names
    group: Names
    label: Array
    prediction: Array
    completeness: Array

    @property
    def rates(self) -> tuple[float, ...]:
        """Missing rates, ascending."""
        return tuple(sorted({rate for rate, _ in self.conditions}))


def by_model(
    table: pa.Table, pattern: str, rates: Collection[float] | None = None
) -> list[ModelAnswers]:
    """Arrange a table of predictions by model.

    Parameters
    ----------
    table : pa.Table
        As `contracts.schemas.PREDICTIONS`.
    pattern : str
        Pattern of missing data; rows of others are left out.
    rates : collection of float, optional
        Missing rates that count; all of them if left out.

    Raises
    ------
    MismatchError
        If a model was not asked about the same clips under the same conditions with every seed.
    ValueError
        If a label or a prediction is not finite.
    """
    return from_slices(slices(table), pattern, rates)


def from_slices(
    answers: Iterable[Slice], pattern: str, rates: Collection[float] | None = None
) -> list[ModelAnswers]:
    """Arrange slices of a table, as `slices` yields them; see `by_model`."""
    counted = [
        s
        for s in answers
        if s.condition.pattern == pattern and (rates is None or s.condition.rate in rates)
    ]
    return [_arranged(name, list(own)) for name, own in groupby(counted, lambda s: s.model)]


def _arranged(name: str, own: Sequence[Slice]) -> ModelAnswers:
    first = own[0]
    seeds = tuple(sorted({s.seed for s in own}))
    by_seed = {seed: [s for s in own if s.seed == seed] for seed in seeds}
    asked = {seed: [(s.condition.rate, s.condition.draw) for s in by_seed[seed]] for seed in seeds}
    for seed in seeds:
        _same_conditions(
            f"{name}, seed {seeds[0]}", asked[seeds[0]], f"{name}, seed {seed}", asked[seed]
        )
    if len(np.unique(first.clip_id.astype(np.str_))) < len(first.clip_id):
        raise MismatchError(f"{name}: a clip stands twice under one condition; make the table anew")
    for s in own:
        here = f"{name}, seed {s.seed}, r = {s.condition.rate:g}, draw {s.condition.draw}"
        _same_clips(f"{name}, seed {first.seed}", first.clip_id, here, s.clip_id)
        _same_labels(f"{name}, seed {first.seed}", first, here, s)
        if not (np.isfinite(s.prediction).all() and np.isfinite(s.label).all()):
            raise ValueError(f"{here}: a label or a prediction is not a finite number")
    return ModelAnswers(
        name=name,
        pattern=first.condition.pattern,
        seeds=seeds,
        conditions=tuple(asked[seeds[0]]),
        clip_id=first.clip_id,
        group=first.group,
        label=first.label,
        prediction=np.stack([[s.prediction for s in by_seed[seed]] for seed in seeds]),
        completeness=np.stack([s.completeness for s in by_seed[seeds[0]]]),
    )


def check_comparable(models: Sequence[ModelAnswers]) -> list[str]:
    """Check that models were asked the same: clips, labels, conditions, and as many seeds.

    Returns
    -------
    list of str
        What differs and yet can be compared, to be told: other masks, drawn with another seed or
        over the rows of other features. Clips are paired all the same.

    Raises
    ------
    MismatchError
        If they were not.
    """
    notes = []
    first = models[0]
    for other in models[1:]:
        if first.pattern != other.pattern:
            raise MismatchError(
                f"{first.name} was asked under the pattern {first.pattern}, {other.name} under "
                f"{other.pattern}"
            )
        _same_clips(first.name, first.clip_id, other.name, other.clip_id)
        _same_labels(first.name, first, other.name, other)
        _same_conditions(first.name, first.conditions, other.name, other.conditions)
        if len(first.seeds) != len(other.seeds):
            raise MismatchError(
                f"{first.name} was trained with {len(first.seeds)} seeds, {other.name} with "
                f"{len(other.seeds)}: seeds are compared in pairs; train both with as many "
                "(train.seeds in params.yaml)"
            )
        if not np.array_equal(first.completeness, other.completeness):
            notes.append(
                f"{first.name} and {other.name} were asked under other masks (masks.seed, or the "
                "words of the clips differ): pairs are of clips, not of masks"
            )
    return notes


def _same_clips(name: str, clips: Names, other_name: str, other: Names) -> None:
    if np.array_equal(clips, other):
        return
    mine, theirs = set(clips), set(other)
    raise MismatchError(
        f"{name} and {other_name} were not asked about the same clips: "
        + _differences(name, mine - theirs, other_name, theirs - mine)
    )


def _same_labels(
    name: str, mine: Slice | ModelAnswers, other_name: str, other: Slice | ModelAnswers
) -> None:
    differs = mine.label != other.label
    if differs.any():
        at = int(np.flatnonzero(differs)[0])
        raise MismatchError(
            f"{name} and {other_name} were judged by other labels: of {differs.sum()} clips, "
            f"{mine.clip_id[at]} first ({mine.label[at]:g} and {other.label[at]:g})"
        )


def _same_conditions(
    name: str,
    conditions: Sequence[tuple[float, int]],
    other_name: str,
    other: Sequence[tuple[float, int]],
) -> None:
    if tuple(conditions) == tuple(other):
        return
    mine, theirs = (
        {f"r = {rate:g} (draw {draw})" for rate, draw in asked} for asked in (conditions, other)
    )
    raise MismatchError(
        f"{name} and {other_name} were not asked under the same conditions: "
        + _differences(name, mine - theirs, other_name, theirs - mine)
    )


def _differences(name: str, mine: set[str], other_name: str, theirs: set[str]) -> str:
    parts = []
    for who, only in ((name, mine), (other_name, theirs)):
        if only:
            parts.append(f"only {who} has {some(sorted(only), _NAMED)}")
    return "; ".join(parts)
