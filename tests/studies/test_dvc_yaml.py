"""The second pipeline: every stage runs its module, and depends on the hashes of its code."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.models import merged
from pipeline.stages.code import sources
from studies.settings import Studies, load_studies

ROOT = Path(__file__).parents[2]
FOLDERS = ("studies", "studies/fair", "studies/javanese")


def stages(folder: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / folder / "dvc.yaml").read_text("utf-8"))
    return {name: stage.get("do", stage) for name, stage in content["stages"].items()}


STAGES = {f"{folder}:{name}": stage for folder in FOLDERS for name, stage in stages(folder).items()}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_code_it_runs(name: str) -> None:
    stage = STAGES[name]
    module = stage["cmd"].split()[2].removeprefix("studies.")
    assert f"outputs/code/studies-{module}.json" in stage["deps"]


def test_every_module_with_a_main_is_a_stage() -> None:
    run = {stage["cmd"].split()[2].removeprefix("studies.") for stage in STAGES.values()}
    assert {f"studies-{module}" for module in run} == {
        name for name in sources() if name.startswith("studies-")
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_key_of_the_params_is_one_and_commented(folder: str) -> None:
    file = ROOT / folder / "params.yaml"
    studies = load_studies(file)
    assert set(yaml.safe_load(file.read_text("utf-8"))) == set(Studies.model_fields)
    assert set(studies.models) >= {"lnln", "constant"}


def test_the_full_setting_changes_values_of_keys_that_there_are() -> None:
    small = yaml.safe_load((ROOT / "studies" / "params.yaml").read_text("utf-8"))
    full = yaml.safe_load((ROOT / "studies" / "full.yaml").read_text("utf-8"))
    assert full.keys() <= small.keys()
    both = Studies.model_validate(merged(small, full))
    assert both.weights.keys() > small["weights"].keys()


def test_every_stage_runs_in_the_project_s_folder() -> None:
    for name, stage in STAGES.items():
        folder = ROOT / name.split(":")[0]
        assert (folder / stage["wdir"]).resolve() == ROOT, name
