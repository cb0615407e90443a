"""What encoder, baseline and network each give is told apart."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from lnln.evaluation.table import Condition, answers, join, write
from lnln.models.interface import Scores
from studies import tell_fair
from studies.fair import FAIR, PARAMS, result_of

CLIPS = 20
LABELS = np.linspace(-3, 3, CLIPS)
# Mean error of the ridge in each of the four cases.
ERRORS = {
    ("minilm", "split"): 1.0,
    ("minilm", "speaker"): 1.0,
    ("minilm-rated", "split"): 0.5,
    ("minilm-rated", "speaker"): 0.25,
}


def predictions(name: str, error: float) -> pa.Table:
    clips = pa.table(
        {
            "clip_id": [f"c{i:02}" for i in range(CLIPS)],
            "group": [f"c{i:02}" for i in range(CLIPS)],
            "label": pa.array(LABELS, pa.float32()),
            **{f"label_{m}": pa.array([None] * CLIPS, pa.float32()) for m in "tav"},
        }
    )
    off = error * np.where(np.arange(CLIPS) % 2, 1, -1)
    seen = np.ones(CLIPS)
    return join(
        answers(
            name, 1, Condition("random", rate, 0), clips, Scores(LABELS + off, None), seen, seen > 0
        )
        for rate in (0.0, 0.5)
    )


@pytest.fixture
def told(project: Path, root: Path) -> dict[str, dict[str, str]]:
    """Rows of the table, by model."""
    (project / "studies/fair").mkdir()
    shutil.copyfile(root / PARAMS, project / PARAMS)
    params: dict[str, Any] = yaml.safe_load(PARAMS.read_text("utf-8"))
    PARAMS.write_text(
        yaml.safe_dump(params | {"models": ["ridge", "lnln"], "rates": [0.0, 0.5]}), "utf-8"
    )
    for (encoder, normalisation), error in ERRORS.items():
        for model, more in (("ridge", 0.0), ("lnln", 0.1)):
            if (normalisation, model) == ("speaker", "lnln"):
                continue  # not run
            name = result_of(encoder, normalisation, model)
            write(predictions(name, error + more), FAIR / name / "predictions.parquet")
            (FAIR / name / "about.json").write_text("{}", "utf-8")
    tell_fair.main()
    header, _, *lines = Path("metrics/studies/fair/fair.md").read_text("utf-8").splitlines()
    names = [cell.strip() for cell in header.split("|")[1:-1]]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def test_each_help_is_told_on_its_own(told: dict[str, dict[str, str]]) -> None:
    ridge = told["ridge"]
    assert [ridge[n] for n in ("plain", "rated", "rated, by speaker")] == [
        "1.000",
        "0.500",
        "0.250",
    ]
    assert ridge["by the rated encoder"].startswith("-0.500")
    assert ridge["by the speaker baseline"].startswith("+0.000")
    assert told["lnln"]["by the network, over ridge"].startswith("+0.100")
    assert ridge["by the network, over ridge"] == ""


def test_what_was_not_run_is_left_out(
    told: dict[str, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert told["lnln"]["plain, by speaker"] == told["lnln"]["by the speaker baseline"] == ""
    gains = json.loads(Path("metrics/studies/fair/fair.json").read_text("utf-8"))["gains"]
    assert list(gains["by the speaker baseline"]) == ["ridge"]
