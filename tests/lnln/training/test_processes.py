"""Two processes train what one does; so do parts of a batch; precision is what was asked for."""

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lnln.checkpoints.checkpoint import weights_of
from lnln.data.language import LanguageEncoder
from lnln.models.lnln import losses
from lnln.models.lnln.settings import VARIANTS, LNLNSettings, Variant
from lnln.settings import TrainSettings
from lnln.training.fingerprint import fingerprint
from lnln.training.history import Row
from lnln.training.resume import resumable
from lnln.training.run import Trained, train

SETTINGS = TrainSettings(epochs=2, batch_size=7, learning_rate=3e-3)


@pytest.fixture
def inputs(make_inputs: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_inputs(valid=5, settings=SETTINGS)


def close(a: list[dict], b: list[dict], tolerance: float) -> bool:
    assert [row.keys() for row in a] == [row.keys() for row in b]
    return all(
        row[name] == pytest.approx(other[name], abs=tolerance)
        for row, other in zip(a, b, strict=True)
        for name in row
    )


def in_processes(
    inputs: dict[str, Any], folder: Path, count: int, dies_of: int | None = None
) -> list[Any]:
    """Train in several processes over gloo; return the history, weights and steps of each.

    `dies_of` is a signal that the first gets after the first epoch; the others cannot go on then.
    """
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = torch.multiprocessing.get_context("fork")  # a child need not import torch again
    children = [
        context.Process(target=worker, args=(inputs, folder, rank, count, port, dies_of))
        for rank in range(count)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
        assert child.exitcode is not None
        assert (child.exitcode == 0) is (dies_of is None)
    if dies_of is not None:
        return []
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(count)]


def worker(
    inputs: dict[str, Any], folder: Path, rank: int, count: int, port: int, dies_of: int | None
) -> None:
    """What torchrun does for each process, and then `pipeline.stages.train`."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)  # of the process this is a fork of
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(count),
        "GLOO_SOCKET_IFNAME": "lo",  # no need to look up this machine's name
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }

    def after_epoch(row: Row) -> None:
        if dies_of is not None and row["epoch"] == 1 and rank == 0:
            os.kill(os.getpid(), dies_of)

    steps = 0

    def counting(*arguments: Any) -> losses.Losses:
        nonlocal steps
        steps += 1
        return compute(*arguments)

    compute, losses.compute = losses.compute, counting  # this process ends with this function
    with resumable(folder / "kept", fingerprint(inputs)) as state:
        trained = train(**inputs, on_epoch=after_epoch, state=state)
    weights = {name: weight.tolist() for name, weight in weights_of(trained.model).items()}
    (folder / f"{rank}.json").write_text(json.dumps([trained.history, weights, steps]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_processes_train_what_one_does(
    inputs: dict[str, Any], tmp_path: Path, tiny: LNLNSettings, variant: Variant
) -> None:
    inputs["model_settings"] = tiny.model_copy(update={"variant": variant})
    one = train(**inputs).history
    first, second = in_processes(inputs, tmp_path, 2)
    assert first == second
    assert close(first[0], one, 1e-4)


@pytest.mark.parametrize(("dies_of", "left"), [(signal.SIGKILL, 3), (signal.SIGTERM, 2)])
def test_two_processes_of_which_one_dies_go_on_where_they_were(
    inputs: dict[str, Any], tmp_path: Path, tiny: LNLNSettings, dies_of: int, left: int
) -> None:
    inputs["model_settings"] = tiny.model_copy(
        update={"dropout": 0.1}
    )  # each has its own generator
    undisturbed = in_processes(inputs, tmp_path / "undisturbed", 2)
    in_processes(inputs, tmp_path, 2, dies_of=dies_of)
    resumed = in_processes(inputs, tmp_path, 2)
    assert [process[:2] for process in resumed] == [process[:2] for process in undisturbed]
    assert [process[2] for process in undisturbed] == [6, 6]  # steps of two epochs
    assert [process[2] for process in resumed] == [left, left]


def test_more_processes_than_clips_in_a_batch_are_refused(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accelerate.Accelerator.num_processes", 9)
    with pytest.raises(
        ValueError, match=r"batch_size=7 makes batches of 6 clips, fewer than the 9"
    ):
        train(**inputs)


def changed(inputs: dict[str, Any], **settings: Any) -> Trained:
    return train(**inputs | {"settings": SETTINGS.model_copy(update=settings)})


def test_accumulated_gradients_take_the_same_steps(inputs: dict[str, Any]) -> None:
    assert close(changed(inputs, accumulation=3).history, changed(inputs).history, 1e-4)


def test_bf16_trains_weights_in_fp32_and_nearly_the_same(inputs: dict[str, Any]) -> None:
    plain, mixed = changed(inputs), changed(inputs, precision="bf16")
    assert mixed.history != plain.history
    assert close(mixed.history[:1], plain.history[:1], 0.3)
    assert {weight.dtype for weight in mixed.model.parameters()} == {torch.float32}


def test_settings_of_torch_are_as_they_were_afterwards(inputs: dict[str, Any]) -> None:
    changed(inputs, tf32=True, deterministic=False, epochs=1)
    assert torch.get_float32_matmul_precision() == "highest"
    assert not torch.are_deterministic_algorithms_enabled()


def test_bert_has_a_learning_rate_of_its_own(inputs: dict[str, Any], bert: Path) -> None:
    def finetuned(rate: float) -> Trained:
        inputs["language"] = LanguageEncoder.from_folder(bert)
        return changed(inputs, finetune_language=True, language_learning_rate=rate, averaging=0.0)

    start = LanguageEncoder.from_folder(bert).state_dict()
    moved = []
    for rate in (1e-12, 1e-3):
        language = finetuned(rate).model.language
        assert language is not None
        after = language.state_dict()
        moved.append(max(float((after[n].cpu() - start[n]).abs().max()) for n in start))
    assert moved[0] < 1e-9 < 1e-4 < moved[1]


def test_gradient_checkpointing_gives_the_same_loss(inputs: dict[str, Any], bert: Path) -> None:
    def finetuned(checkpointing: bool) -> list[dict]:
        inputs["language"] = LanguageEncoder.from_folder(bert)
        return changed(inputs, finetune_language=True, gradient_checkpointing=checkpointing).history

    assert close(finetuned(True), finetuned(False), 1e-4)
