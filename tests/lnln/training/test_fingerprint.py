"""A run is named after the code that it runs, and not after what that says to people."""

import hashlib
import importlib.util
import sys
from pathlib import Path

import pytest

from contracts.code import closure, files_of
from lnln.models import registry
from lnln.training import fingerprint as module
from lnln.training.fingerprint import HARMLESS, fingerprint

RUN = "lnln/training/run.py"


@pytest.mark.parametrize(
    "file",
    [
        "lnln/data/batches.py",
        "lnln/evaluation/metrics.py",  # choose the epoch
        "lnln/missing/masks.py",
        "lnln/training/steps.py",
        "lnln/training/schedule.py",
    ],
)
def test_code_of_every_room_that_a_run_enters_counts(file: str) -> None:
    assert file in closure([RUN], without=HARMLESS)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_left_out_is_there_and_imported(name: str) -> None:
    assert files_of(name)
    others = HARMLESS.keys() - {name}
    assert closure([RUN], without=others) != closure([RUN], without=HARMLESS)


def test_code_of_the_model_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: set[str] = set()

    def digest(files: list[str], **_: object) -> str:
        counted.update(files)
        return ""

    monkeypatch.setattr(module, "digest", digest)
    fingerprint({"name": "ridge"})
    assert counted == {RUN, "lnln/models/ridge/model.py", "lnln/models/ridge/settings.py"}


def test_code_of_a_model_registered_elsewhere_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named_after(source: str) -> str:
        path = tmp_path / f"{hashlib.sha256(source.encode()).hexdigest()}.py"
        path.write_text(source, "utf-8")
        spec = importlib.util.spec_from_file_location("toy", path)
        assert spec is not None and spec.loader is not None
        toy = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "toy", toy)
        spec.loader.exec_module(toy)
        monkeypatch.setattr(registry, "_REGISTERED", {})
        registry.register("toy")(toy.Toy)
        return fingerprint({"name": "toy"})

    one = named_after("class Toy:\n    width = 1\n")
    assert named_after("class Toy:\n    width = 1  # narrow\n") == one
    assert named_after("class Toy:\n    width = 2\n") != one
