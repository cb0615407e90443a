"""The stage writes the page of the run that params.yaml describes."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.models import compared
from pipeline.params import load_params
from pipeline.paths import REPORT
from pipeline.report.page.run import Run
from pipeline.stages import dataset, report


def test_stage_writes_the_report_of_the_run(
    project: Path,
    change: Callable[..., None],
    write_dataset: Callable[..., None],
    make_run: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change("evaluate", {"rates": [0.0, 0.5], "bootstrap": 20})
    write_dataset([], {})
    dataset.main()
    models = compared(load_params())
    make_run(said={model: lambda labels, r: labels + r for model in models})
    folders = ["--studies", "metrics/studies", "--benchmarks", "benchmarks/results"]
    monkeypatch.setattr(sys, "argv", ["report", *folders])
    report.main()
    page = (project / REPORT).read_text("utf-8")
    assert all(f'<th scope="row">{model}</th>' in page for model in models)
    assert page.endswith("</html>\n")
