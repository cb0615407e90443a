"""Stages of the studies side by side: groups that wait for each other, and DVC's lock."""

import subprocess

import pytest

from studies import lanes


@pytest.mark.parametrize(
    "pipeline", [f"{folder}/dvc.yaml" for folder in ("studies", "studies/fair", "studies/javanese")]
)
def test_every_stage_but_what_tells_is_in_one_group(pipeline: str) -> None:
    listed = subprocess.run(
        ["dvc", "stage", "list", pipeline, "--name-only"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    groups = lanes.grouped(listed)
    together = [stage for group in groups for stage in group]
    assert sorted([*together, "tell"]) == sorted(stage.rpartition(":")[2] for stage in listed)
    assert all(stage.partition("@")[0] == "corpus" for stage in groups[0])


def test_busy_lock_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PAUSE_S", 0)
    answers = [(1, f"ERROR: {lanes.BUSY}"), (0, "")]

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        code, said = answers.pop(0)
        return subprocess.CompletedProcess(command, code, stderr=said)

    assert lanes.reproduce("corpus@sample", run)
    assert not answers


def test_stage_that_fails_is_told_and_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, stderr="ERROR: no such corpus")

    assert not lanes.reproduce("corpus@none", run)
    assert "corpus@none failed" in capsys.readouterr().err
