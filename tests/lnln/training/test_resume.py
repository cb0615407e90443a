"""A run that is killed at any point and started again ends with the bytes of an undisturbed one."""

import multiprocessing
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from dvclive import Live

from lnln.checkpoints.checkpoint import Checkpoint, language_config, save, weights_of
from lnln.checkpoints.config import Config
from lnln.data.language import LanguageEncoder
from lnln.models.lnln import losses
from lnln.models.lnln.settings import LNLNSettings
from lnln.settings import TrainSettings
from lnln.training.fingerprint import fingerprint
from lnln.training.history import Row
from lnln.training.resume import StateFile, Stopped, abandoned, exclusive, resumable
from lnln.training.run import train

fork = multiprocessing.get_context("fork")  # a child need not import torch again
Inputs = dict[str, Any]


@pytest.fixture(scope="module")
def inputs(make_inputs: Callable[..., Inputs], tiny: LNLNSettings) -> Inputs:
    return make_inputs(
        model_settings=tiny.model_copy(update={"dropout": 0.1}),  # the generators matter
        settings=TrainSettings(epochs=6, batch_size=4, learning_rate=1e-2, averaging=0.9),
    )


def stage(inputs: Inputs, folder: Path, after_epoch: Callable[[Row], None] | None = None) -> None:
    """What `pipeline.stages.train` does: train, log, write the checkpoint, forget the state."""
    kept = folder / "kept"
    with exclusive(kept, "model"), resumable(kept, fingerprint(inputs)) as state:
        with Live(str(folder / "live"), dvcyaml=None, report=None, save_dvc_exp=False) as live:

            def log(row: Row) -> None:
                for name, value in row.items():
                    if name != "epoch" and value is not None:
                        live.log_metric(name, value)
                live.next_step()
                if after_epoch:
                    after_epoch(row)

            trained = train(**inputs, on_epoch=log, state=state)
        config = Config(
            model=inputs["name"],
            settings=inputs["model_settings"],
            shapes=trained.shapes,
            normalisation=trained.normalisation,
            features={m: inputs["train_set"].modality(m).info for m in ("text", "audio", "vision")},
            language=language_config(trained.model),
            metric_set="mosi",
            label_range=(-3, 3),
            dataset="toy",
            training={"best_epoch": trained.best_epoch},
        )
        save(folder / "model", Checkpoint(trained.model, config))
        state.remove()


def results(folder: Path) -> dict[str, bytes]:
    """What a run leaves behind: checkpoint and metrics, and no state."""
    files = [f for f in folder.rglob("*") if f.is_file()]
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in files}


@pytest.fixture(scope="module")
def undisturbed(
    inputs: Inputs, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], float]:
    """The results of a run nobody interrupts, and the seconds it took."""
    folder, start = tmp_path_factory.mktemp("undisturbed"), time.perf_counter()
    child = begin(inputs, folder)
    child.join()
    assert child.exitcode == 0
    return results(folder), time.perf_counter() - start


def begin(inputs: Inputs, folder: Path) -> BaseProcess:
    child = fork.Process(target=stage, args=(inputs, folder))
    child.start()
    return child


def kill_at_random(inputs: Inputs, folder: Path, seconds: float, kills: int) -> int:
    """Start again and again until one run comes through; return how many were killed."""
    draws, killed = random.Random(1), 0
    while True:
        child = begin(inputs, folder)
        if killed < kills:
            child.join(draws.uniform(0, 0.7 * seconds))
            child.kill()
        child.join()
        if child.exitcode == 0:
            return killed
        assert child.exitcode == -signal.SIGKILL
        killed += 1


def test_three_kills_leave_no_trace(
    inputs: Inputs, undisturbed: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    expected, seconds = undisturbed
    assert kill_at_random(inputs, tmp_path, seconds, kills=3) > 0
    assert results(tmp_path) == expected
    assert {"model/model.safetensors", "model/config.json", "live/metrics.json"} <= expected.keys()
    assert not [name for name in expected if name.startswith("kept/")]


@pytest.mark.slow
def test_twenty_kills_at_random_points_leave_no_trace(
    inputs: Inputs, undisturbed: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    expected, seconds = undisturbed
    killed, run = 0, 0
    while killed < 20:
        folder = tmp_path / str(run)
        killed += kill_at_random(inputs, folder, seconds, kills=20 - killed)
        assert results(folder) == expected
        run += 1


def test_kill_after_an_epoch_goes_on_with_the_next(inputs: Inputs, tmp_path: Path) -> None:
    seen: list[Any] = []

    def die(row: Row) -> None:
        if row["epoch"] == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    child = fork.Process(target=stage, args=(inputs, tmp_path, die))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with resumable(tmp_path / "kept", fingerprint(inputs)) as state:
        kept = state.read()
        assert kept
        assert [row["epoch"] for row in kept["history"]["rows"]] == [1, 2, 3]
        train(**inputs, on_epoch=seen.append, state=state)
    assert [row["epoch"] for row in seen] == [1, 2, 3, 4, 5, 6]  # the first three are told again


@pytest.mark.parametrize("finetuned", [False, True])
def test_sigterm_in_an_epoch_keeps_its_steps(
    inputs: Inputs, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finetuned: bool
) -> None:
    if finetuned:
        settings = inputs["settings"].model_copy(update={"finetune_language": True, "epochs": 3})
        inputs = inputs | {"settings": settings}

    def fresh() -> Inputs:
        return inputs | {"language": LanguageEncoder.from_folder(bert)} if finetuned else inputs

    whole = train(**fresh())
    steps = count()

    def terminate_in_the_eighth(*arguments: Any) -> losses.Losses:
        if next(steps) == 7:  # the third step of the second epoch's five
            os.kill(os.getpid(), signal.SIGTERM)
        return compute(*arguments)

    compute = losses.compute
    monkeypatch.setattr(losses, "compute", terminate_in_the_eighth)
    state = StateFile(tmp_path / "run.state")
    with pytest.raises(Stopped, match="SIGTERM"):
        train(**fresh(), state=state)
    kept = state.read()
    assert kept
    assert (len(kept["history"]["rows"]), kept["training"]["done"]) == (1, 3)
    monkeypatch.setattr(losses, "compute", compute)
    rest = train(**fresh(), state=state)
    assert rest.history == whole.history
    expected, found = weights_of(whole.model), weights_of(rest.model)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize("damage", [b"", b"short", bytes(2000)], ids=["empty", "short", "zeros"])
def test_damaged_state_is_told_and_training_starts_anew(
    inputs: Inputs, tmp_path: Path, capfd: pytest.CaptureFixture[str], damage: bytes
) -> None:
    state = StateFile(tmp_path / "run.state")
    state.path.write_bytes(damage)
    once = inputs | {"settings": inputs["settings"].model_copy(update={"epochs": 1})}
    assert len(train(**once, state=state).history) == 1
    assert f"warning: {state.path} is damaged and ignored" in capfd.readouterr().err


def test_one_flipped_bit_is_damage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state = StateFile(tmp_path / "run.state")
    state.write({"weights": torch.ones(9)})
    assert torch.equal((state.read() or {})["weights"], torch.ones(9))
    content = bytearray(state.path.read_bytes())
    content[len(content) // 2] ^= 1
    state.path.write_bytes(content)
    assert state.read() is None
    assert "damaged" in capfd.readouterr().err


def test_second_process_waits_for_the_first_and_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def hold() -> None:
        with exclusive(tmp_path, "run"):
            (tmp_path / "held").touch()
            time.sleep(60)

    holder = fork.Process(target=hold)
    holder.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    killer = threading.Timer(0.3, holder.kill)
    killer.start()
    start = time.perf_counter()
    with exclusive(tmp_path, "run"):
        assert time.perf_counter() - start > 0.2
    assert "waiting: another process trains here" in capfd.readouterr().err
    holder.join()


def test_states_of_runs_that_were_given_up_are_deleted_and_no_other(tmp_path: Path) -> None:
    assert abandoned(tmp_path / "never") == (0, 0)
    for name, days in (("old", 40), ("running", 40), ("new", 1)):
        state = StateFile(tmp_path / f"{name}.state")
        state.write({"step": 1})
        then = time.time() - 86400 * days
        os.utime(state.path, (then, then))
    size = state.path.stat().st_size
    state.path.with_name("cut.partial").write_bytes(b"half")  # killed while it wrote the first
    assert abandoned(tmp_path) == (4, 3 * size + 4)
    with exclusive(tmp_path, "running"):
        assert abandoned(tmp_path) == (3, 2 * size + 4)
        assert abandoned(tmp_path, 30, delete=True) == (1, size)
    (tmp_path / "cut.partial").unlink()
    assert sorted(f.name for f in tmp_path.iterdir()) == ["new.state", "running.state"]


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": TrainSettings(seed=2)},
        {"model_settings": LNLNSettings(width=16)},
        {"name": "text_only"},
        {"valid_masks": []},
        {"metric_set": "sims"},
    ],
    ids=["settings", "model settings", "model", "masks", "metrics"],
)
def test_run_of_other_inputs_has_another_name(inputs: Inputs, changes: Inputs) -> None:
    assert fingerprint(inputs) == fingerprint(dict(inputs))
    assert fingerprint(inputs | changes) != fingerprint(inputs)


def test_one_other_number_in_the_features_gives_another_name(inputs: Inputs) -> None:
    clips = inputs["train_set"]
    values = clips.audio.values.copy()
    values[3, 1] += 1e-3
    other = replace(clips, audio=replace(clips.audio, values=values))
    assert fingerprint(inputs | {"train_set": other}) != fingerprint(inputs)


def test_full_disk_leaves_the_state_that_was_there_and_nothing_else(
    tmp_path: Path, full_disk: Callable[[], Any]
) -> None:
    file = StateFile(tmp_path / "run.state")
    file.write({"step": torch.tensor(1)})
    with full_disk(), pytest.raises(OSError):
        file.write({"step": torch.zeros(1000)})
    assert [path.name for path in tmp_path.iterdir()] == ["run.state"]
    assert file.read() == {"step": 1}
