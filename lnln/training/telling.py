"""What a training says while it runs: a line per epoch, and how long it will take."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

from lnln.data.batches import in_batches
from lnln.models.interface import Network
from lnln.settings import TrainSettings
from lnln.training.history import History

_SILENT_S = 2.0  # a training that is done sooner says nothing
_EVERY_S = 30.0  # between two epochs that are told of in a file
_STEPS_S = 60.0  # without a line in a file, after which a step is told of


class Telling:
    """The course of a training, on stderr.

    On a terminal every epoch is a line, above a bar with the time left. In a file there is a line
    now and then. The time left is that of all epochs; patience may end a training sooner.

    Parameters
    ----------
    model : Network
    settings : TrainSettings
    history : History
        It has the epochs before an interruption, and gets those that come.
    clips : int
        That an epoch passes over, sentences among them.
    done : int
        Steps of an epoch that was interrupted.
    speaks : bool
        False for all but one of the processes that train together.
    """

    def __init__(
        self,
        model: Network,
        settings: TrainSettings,
        history: History,
        *,
        clips: int,
        done: int,
        speaks: bool,
    ) -> None:
        self._settings = settings
        self._history = history
        self._steps = steps = len(model.passes) * len(in_batches(range(clips), settings.batch_size))
        self._loss = f"train/{model.passes[-1]}"
        self._parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
        self._speaks = speaks
        self._terminal = sys.stderr.isatty()
        self._epochs = len(history.rows)  # before this process
        self._begun_at = self._at = self._epochs * steps + done  # steps of the whole training
        self._begun_s = self._line_s = self._epoch_s = time.monotonic()
        self._wait_s = _SILENT_S
        self._bar = tqdm(
            total=settings.epochs * steps,
            initial=self._at,
            desc="train",
            unit="step",
            disable=not (speaks and self._terminal),
        )

    def step(self) -> None:
        """Count a step; in a file, tell of one where epochs take long."""
        self._at += 1
        self._bar.update()
        now = time.monotonic()
        if not self._terminal and now - self._line_s >= _STEPS_S:
            epoch, step = divmod(self._at - 1, self._steps)
            self._say(f"epoch {epoch + 1}: step {step + 1} of {self._steps}{self._left()}")
            self._line_s = now

    def epoch(self) -> None:
        """Tell of the epoch that the history was just given."""
        now = time.monotonic()
        if self._terminal:
            self._say(self._line())
        elif now - self._epoch_s >= self._wait_s:
            self._say(self._line() + self._left())
            self._line_s, self._epoch_s, self._wait_s = now, now, _EVERY_S

    def close(self) -> None:
        """Say what was trained, and how long it took."""
        self._bar.close()
        seconds = time.monotonic() - self._begun_s
        epochs = (self._at - self._begun_at) / self._steps
        if seconds < _SILENT_S or not epochs:
            return
        self._say(
            f"trained {self._parameters:,} parameters, {seconds / epochs:.1f} s an epoch: "
            f"{len(self._history.rows)} epochs of {self._steps} steps, best valid "
            f"{self._settings.selection} {self._best()}"
        )

    def _line(self) -> str:
        row, selection = self._history.rows[-1], self._settings.selection
        return (
            f"epoch {row['epoch']} of {self._settings.epochs}: "
            f"learning rate {row['learning_rate']:.1e}, loss {_figure(row.get(self._loss))}, "
            f"valid {selection} {_figure(row[f'valid/{selection}'])}, best {self._best()}"
        )

    def _best(self) -> str:
        best = self._history.best(self._settings.selection)
        return f"{_figure(best)} (epoch {self._history.best_epoch})"

    def _left(self) -> str:
        seconds = (time.monotonic() - self._begun_s) / max(self._at - self._begun_at, 1)
        left = seconds * (self._settings.epochs * self._steps - self._at)
        return f", {tqdm.format_interval(left)} left"

    def _say(self, line: str) -> None:
        if self._speaks:
            tqdm.write(line, file=sys.stderr)


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
