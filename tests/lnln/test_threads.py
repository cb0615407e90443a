"""Threads: as many as are asked for, and none that spins while others have work to do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lnln.threads import use_threads
from lnln.training.fingerprint import fingerprint

ROOT = Path(__file__).parents[2]
WATCHED = """
import os, sys
from importlib import import_module

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(os.environ.get("OMP_WAIT_POLICY"))

sys.meta_path.insert(0, Watch())
import_module(sys.argv[1])
"""
POLICY = "import lnln, os; print(os.environ['OMP_WAIT_POLICY'])"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_so_many_threads_compute() -> None:
    use_threads(3)
    assert torch.get_num_threads() == 3


def test_without_a_number_torch_chooses() -> None:
    torch.set_num_threads(2)
    use_threads(0)
    assert torch.get_num_threads() == 2


def test_training_does_not_resume_with_another_number_of_threads() -> None:
    use_threads(1)
    one = fingerprint({"name": "ridge"})
    assert fingerprint({"name": "ridge"}) == one
    use_threads(2)
    assert fingerprint({"name": "ridge"}) != one


@pytest.mark.parametrize(
    ("set_by_user", "expected"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")]
)
def test_waiting_threads_sleep_unless_the_user_says_otherwise(
    set_by_user: dict[str, str], expected: str
) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", POLICY],
        env=environment | {"PYTHONPATH": str(ROOT)} | set_by_user,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == expected


@pytest.mark.parametrize("module", ["pipeline.stages.train", "lnln.prediction"])
def test_how_threads_wait_is_settled_before_torch_is_imported(module: str) -> None:
    """OpenMP reads it then, and never again."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, module],
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["PASSIVE"]
