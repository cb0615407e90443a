"""A run is named after the code that it runs, and not after what that says to people."""

import pytest

from contracts.code import closure, python_files
from lnln.settings import Settings
from lnln.training import fingerprint as module
from lnln.training.fingerprint import HARMLESS, fingerprint

RUN = "lnln/training/run.py"


@pytest.mark.parametrize(
    "file",
    [
        "lnln/data/batches.py",
        "lnln/evaluation/metrics.py",  # choose the epoch
        "lnln/missing/masks.py",
        "lnln/training/epochs.py",
        "lnln/training/schedule.py",
    ],
)
def test_code_of_every_room_that_a_run_enters_counts(file: str) -> None:
    assert file in closure([RUN], without=HARMLESS)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_left_out_is_there_and_imported(name: str) -> None:
    assert python_files(name)
    others = HARMLESS.keys() - {name}
    assert closure([RUN], without=others) != closure([RUN], without=HARMLESS)


def test_the_folder_of_the_model_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []

    def digest(files: list[str], **_: object) -> str:
        counted.extend(files)
        return ""

    class Knobs(Settings):
        width: int = 1

    Knobs.__module__ = "lnln.models.toy.settings"
    monkeypatch.setattr(module, "digest", digest)
    fingerprint({"network": Knobs(), "seed": 1})
    assert counted == [RUN, "lnln/models/toy"]
