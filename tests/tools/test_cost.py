"""The costs that the documentation names are computed from the kept benchmarks."""

from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pytest

from contracts.features import FeatureInfo, feature_schema, write_modality
from contracts.parquet import write_table
from contracts.schemas import MODALITIES

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("cost")


def test_the_page_has_what_the_kept_results_give(cost):
    assert cost.PAGE.read_text("utf-8") == cost.page(), "run: python benchmarks/cost.py"


def test_the_newest_result_counts(cost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(cost, "FOLDER", tmp_path)
    for day, seconds in (("2026-01-31", 4), ("2026-02-01", 2)):
        text = f"# 10 clips\n\na machine\n\n| step | seconds |\n|---|---|\n| list | {seconds}.0 |\n"
        (tmp_path / f"{day}-cached.md").write_text(text, "utf-8")
    assert cost.newest("cached").rows["list"] == [2.0]


def test_a_result_that_is_not_there_is_named(cost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(cost, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="training"):
        cost.newest("training")


@pytest.mark.parametrize(
    ("value", "text"), [(0.00514, "0.0051"), (3.21, "3.2"), (185.3, "190"), (18530, "19,000")]
)
def test_figures_have_two_digits_that_count(cost, value: float, text: str):
    assert cost.figure(value) == text


def test_what_the_scale_benchmark_keeps_is_what_the_costs_read(
    cost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    scale, kept = import_module("scale"), import_module("kept")
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(scale, "REPEATED", 4)
    folder = tmp_path / "extracted"
    for modality in MODALITIES:
        info = FeatureInfo(modality=modality, names=("a", "b"))
        row = {key: [] for key in ("starts", "ends", "token_ids", "special", "warnings")}
        row |= {"start_s": 0.0, "step_s": 0.1, "clip_id": "a", "values": [[1.0, 2.0]] * 20}
        row |= {"observed": [True] * 20, "face": {"chosen_by": "only"}}
        schema = feature_schema(info)
        table = pa.Table.from_pylist([{n: row[n] for n in schema.names}], schema=schema)
        write_modality([table], schema, folder / "features" / modality)
    write_table(pa.table({"duration_s": [2.0]}), folder / "manifest.parquet")
    scale.main(folder, rows=1000)
    monkeypatch.setattr(cost, "FOLDER", tmp_path / "results")
    assert cost.newest("scale").rows["audio"][0] == 10.0  # rows a second
    assert len([*cost.stored(), *cost.held()]) == 7
