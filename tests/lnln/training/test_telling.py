"""A training says how far it is: on a terminal all the time, in a file now and then."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from lnln.settings import TrainSettings
from lnln.training.history import History
from lnln.training.run import train
from lnln.training.telling import Telling

SETTINGS = TrainSettings(epochs=4, batch_size=8)
CLIPS = 16  # two steps an epoch
Move = Callable[[float], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Move:
    """A clock that moves when told to; stderr is a file here."""
    now = [100.0]
    monkeypatch.setattr("lnln.training.telling.time", SimpleNamespace(monotonic=lambda: now[0]))

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


class Toy(nn.Module):
    """Five parameters that are trained, and four that are not."""

    passes = ("total",)

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 1)
        self.frozen = nn.Linear(4, 1, bias=False).requires_grad_(False)


def telling(history: History, settings: TrainSettings = SETTINGS, **changed: Any) -> Telling:
    toy: Any = Toy()
    return Telling(
        toy, settings, history, **({"clips": CLIPS, "done": 0, "speaks": True} | changed)
    )


def finish_epoch(told: Telling, history: History, mae: float | None) -> None:
    row = {"epoch": len(history.rows) + 1, "learning_rate": 1e-3, "train/total": 0.5}
    history.improved(row | {"valid/mae": mae}, "mae")
    told.epoch()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_epoch_line_has_rate_loss_validation_best_and_time_left(
    clock: Move, capsys: pytest.CaptureFixture[str]
) -> None:
    history = History()
    told = telling(history)
    for mae in (0.9, 1.0):
        for _ in range(2):
            clock(20)
            told.step()
        finish_epoch(told, history, mae)
    assert lines(capsys) == [
        "epoch 1 of 4: learning rate 1.0e-03, loss 0.5000, valid mae 0.9000, "
        "best 0.9000 (epoch 1), 02:00 left",
        "epoch 2 of 4: learning rate 1.0e-03, loss 0.5000, valid mae 1.0000, "
        "best 0.9000 (epoch 1), 01:20 left",
    ]


def test_file_gets_a_line_in_half_a_minute_and_the_outcome(
    clock: Move, capsys: pytest.CaptureFixture[str]
) -> None:
    history = History()
    told = telling(history, SETTINGS.model_copy(update={"epochs": 40}))
    for _ in range(40):
        for _ in range(2):
            clock(1.5)
            told.step()
        finish_epoch(told, history, 0.5)
    told.close()
    said = lines(capsys)
    assert [line.split(":")[0] for line in said[:-1]] == [
        f"epoch {n} of 40" for n in (1, 11, 21, 31)
    ]
    assert said[-1] == (
        "trained 5 parameters, 3.0 s an epoch: 40 epochs of 2 steps, best valid mae 0.5000 "
        "(epoch 1)"
    )


def test_long_epoch_tells_of_its_steps(clock: Move, capsys: pytest.CaptureFixture[str]) -> None:
    told = telling(History())
    clock(59)
    told.step()
    assert lines(capsys) == []
    clock(2)
    told.step()
    assert lines(capsys) == ["epoch 1: step 2 of 2, 03:03 left"]


def test_training_of_a_moment_says_nothing(clock: Move, capsys: pytest.CaptureFixture[str]) -> None:
    history = History()
    told = telling(history)
    for _ in range(4):
        clock(0.2)
        told.step()
        told.step()
        finish_epoch(told, history, 0.5)
    told.close()
    assert lines(capsys) == []


def test_resumed_training_counts_its_own_time_only(
    clock: Move, capsys: pytest.CaptureFixture[str]
) -> None:
    history = History()
    row = {"epoch": 1, "learning_rate": 1e-3, "train/total": 0.5, "valid/mae": 0.9}
    history.improved(row, "mae")
    told = telling(history, done=1)
    clock(5)
    told.step()
    finish_epoch(told, history, 0.8)
    assert lines(capsys)[-1].endswith("best 0.8000 (epoch 2), 00:20 left")
    told.close()
    assert "10.0 s an epoch: 2 epochs" in lines(capsys)[-1]


def test_metric_that_is_undefined_is_told_so(
    clock: Move, capsys: pytest.CaptureFixture[str]
) -> None:
    history = History()
    told = telling(history)
    clock(3)
    told.step()
    finish_epoch(told, history, None)
    assert "valid mae undefined, best undefined (epoch 1)" in lines(capsys)[-1]


def test_terminal_gets_a_line_per_epoch_and_a_bar(
    clock: Move, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    history = History()
    told = telling(history)
    for mae in (0.9, 0.8):
        told.step()
        told.step()
        finish_epoch(told, history, mae)
    told.close()
    said = capsys.readouterr().err
    assert said.count("best 0.9000 (epoch 1)") == said.count("best 0.8000 (epoch 2)") == 1
    assert "/8 [" in said  # of the bar: steps of all epochs


def test_other_processes_say_nothing(clock: Move, capsys: pytest.CaptureFixture[str]) -> None:
    history = History()
    told = telling(history, speaks=False)
    clock(100)
    told.step()
    finish_epoch(told, history, 0.9)
    told.close()
    assert lines(capsys) == []


def test_training_tells_of_its_epochs(
    make_inputs: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    settings = TrainSettings(epochs=2, batch_size=8)
    trained = train(**make_inputs() | {"settings": settings})
    said = capsys.readouterr().err
    best = min(row["valid/mae"] for row in trained.history)
    assert "epoch 1 of 2: learning rate" in said
    assert f"best {best:.4f} (epoch {trained.best_epoch})" in said
