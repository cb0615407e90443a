"""What a run has come to: a row per epoch, the best weights so far, and whether to go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from lnln.checkpoints.checkpoint import Weights
from lnln.evaluation import metrics
from lnln.settings import TrainSettings

Row = dict[str, float | int | None]


@dataclass
class History:
    """The epochs so far, and the weights of the best one on the validation split.

    Attributes
    ----------
    rows : list of dict
        One per epoch.
    best_epoch : int
        Counted from 1; 0 before the first.
    weights : dict
        Of the best epoch.
    """

    rows: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    weights: Weights = field(default_factory=dict)

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        """Take up a `state`."""
        return cls(**state)

    def state(self) -> dict[str, Any]:
        """Return plain values and tensors."""
        return dict(vars(self))

    def best(self, selection: str) -> float | None:
        """Return the validation metric of the best epoch."""
        return self.rows[self.best_epoch - 1][f"valid/{selection}"]

    def improved(self, row: Row, selection: str) -> bool:
        """Add an epoch's row; say whether it is the best so far, so that its weights be kept."""
        better = not self.rows or metrics.better(
            selection, row[f"valid/{selection}"], self.best(selection)
        )
        self.rows.append(row)
        if better:
            self.best_epoch = len(self.rows)
        return better

    def over(self, settings: TrainSettings) -> bool:
        """Say whether all epochs are done, or `patience` of them did not improve on the best."""
        idle = len(self.rows) - self.best_epoch
        return len(self.rows) == settings.epochs or 0 < settings.patience <= idle
