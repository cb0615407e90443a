"""dvc.yaml declares what the code reads: read from the source, nothing is run."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.code import PACKAGES
from lnln.settings import SeedlessTrainSettings
from pipeline import paths
from pipeline.models import FLOORS
from pipeline.stages.code import sources

ROOT = Path(__file__).parents[2]


def read_stages() -> dict[str, dict[str, Any]]:
    """Stages as DVC sees them: `extract` is three."""
    found = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    template = found.pop("extract")
    for modality in template["foreach"]:
        filled = yaml.safe_dump(template["do"]).replace("${item}", modality)
        found[f"extract@{modality}"] = yaml.safe_load(filled)
    return found


STAGES = read_stages()
HASHED = sources()
# Of the matrix of models: those that are compared, and any that `model.name` may name.
MODELS = [path.parent.name for path in (ROOT / "lnln" / "models").glob("*/__init__.py")]

HOW_NOT_WHAT = "run"  # the section of params.yaml that cannot change a result


def source(stage: str) -> str:
    return STAGES[stage]["cmd"].split()[2].replace(".", "/") + ".py"


@cache
def parse(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"))


def declared_params(stage: str) -> set[str]:
    """Keys of params.yaml as they are, of dataset.json and settings.json behind those names."""
    keys = set()
    for entry in STAGES[stage].get("params", ()):
        if isinstance(entry, str):
            keys.add(entry)
        else:
            for name in ("dataset", "settings"):
                keys |= {f"{name}.{key}" for key in entry.get(f"outputs/{name}.json", ())}
    return keys


def read_params(stage: str) -> set[str]:
    """Keys that a stage takes from `params` and `dataset`, also in what it uses of `splits`."""
    trees: list[ast.AST] = [parse(source(stage))]
    functions = {f.name: f for f in parse("pipeline/stages/splits.py").body if hasattr(f, "name")}
    for tree in trees:  # grows: a function of `splits` may call another
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        trees += [
            functions[name] for name in names & functions.keys() if functions[name] not in trees
        ]
    chains = set()
    for tree in trees:
        inner = {n.value for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node not in inner:
                name, *keys = ast.unparse(node).split(".")
                if name == "params":
                    chains.add(".".join(keys))
                elif name == "dataset":
                    chains.add(".".join(["dataset", *keys]))
    if "load_model" in {node.id for node in ast.walk(trees[0]) if isinstance(node, ast.Name)}:
        chains.add("settings.${item.model}")
    return {chain.removesuffix(".model_dump") for chain in chains}


def covers(declared: str, read: str) -> bool:
    return read == declared or read.startswith(f"{declared}.")


def code_of(stage: str) -> set[str]:
    """Names of the files of hashes that a stage depends on, of every run of its matrix."""
    found = {dep for dep in STAGES[stage]["deps"] if dep.startswith("outputs/code/")}
    of_models = {dep.replace("${item.model}", model) for dep in found for model in MODELS}
    return {Path(dep).stem for dep in of_models}


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "code"])
def test_a_stage_depends_on_the_hashes_of_its_own_code(stage: str) -> None:
    own, _, variant = stage.partition("@")
    of_stage = {name for name in HASHED if name == own or name.startswith(f"{own}-")}
    assert code_of(stage) == ({f"{own}-{variant}"} if variant else of_stage)


def test_code_of_every_stage_is_hashed_and_no_other() -> None:
    own = {name for name in HASHED if not name.startswith("studies-")}
    assert set().union(*(code_of(stage) for stage in STAGES)) == own


def test_only_the_hashes_depend_on_source_files() -> None:
    depending = {
        stage
        for stage, entry in STAGES.items()
        if any(dep.split("/")[0] in PACKAGES for dep in entry["deps"])
    }
    assert depending == {"code"}
    assert set(STAGES["code"]["deps"]) == {*PACKAGES, "language_adapters"}


@pytest.mark.parametrize(
    "stage", [name for name in STAGES if name.split("@")[0] not in ("code", "dataset", "extract")]
)
def test_stage_declares_the_params_that_it_reads_and_no_others(stage: str) -> None:
    declared = declared_params(stage)
    matrix = set(re.findall(r"\$\{([\w.]+)\}", str(STAGES[stage].get("matrix"))))
    read = {key for key in read_params(stage) - matrix if not covers(HOW_NOT_WHAT, key)}
    assert {key for key in read if not any(covers(d, key) for d in declared)} == set()
    assert {d for d in declared if not any(covers(d, key) for key in read)} == set()


@pytest.mark.parametrize("stage", ["dataset", "ingest", "transcribe", "segment", "extract@vision"])
def test_missing_rate_cannot_run_anything_before_incomplete_again(stage: str) -> None:
    assert not {"missing_rate", "masks"} & declared_params(stage)


def test_what_is_missing_in_the_test_split_trains_no_model_again() -> None:
    """Nor does a file that it changes: training reads the masks of the validation split alone."""
    judged = {"missing_rate", "masks.patterns", "masks.draws", "masks.seed", "evaluate.rates"}
    assert not {key for key in judged for d in declared_params("train") if covers(d, key)}
    read = {dep for dep in STAGES["train"]["deps"] if dep.startswith("outputs/incomplete")}
    assert read == {"outputs/incomplete/valid.parquet"}


def test_another_seed_trains_no_model_again() -> None:
    assert "train.seeds" not in declared_params("train")
    assert STAGES["train"]["matrix"]["seed"] == "${train.seeds}"
    assert "train.seeds" in declared_params("choose") & declared_params("evaluate")


def test_another_model_trains_no_other_again() -> None:
    for stage in ("train", "sweep"):
        assert "model.name" not in declared_params(stage)
        compared = STAGES[stage]["matrix"]["model"]
        assert compared == ["${model.name}", *FLOORS]


def test_settings_are_resolved_again_where_a_section_changes_that_they_are_made_of() -> None:
    of_training = {f"train.{key}" for key in SeedlessTrainSettings.model_fields}
    of_models = {"${model.name}", *FLOORS}
    others = {"audio", "dataset", "model", "vision"}
    assert declared_params("dataset") == of_training | of_models | others
    assert {"datasets.yaml": None} in STAGES["dataset"]["params"]  # the whole file


def test_every_drawn_column_is_of_a_file_that_a_stage_plots() -> None:
    content = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))
    plotted = {next(iter(entry)) for stage in STAGES.values() for entry in stage.get("plots", ())}
    columns = {}
    for entry in content["plots"]:
        (title,) = entry.values()  # a picture of a stage, listed here too, would be shown twice
        columns |= title["y"]
    assert columns.keys() <= plotted
    assert columns["plots/mae.csv"] == ["${model.name}", "text_only", "ridge", "constant"]
    assert columns["plots/corr.csv"] == ["${model.name}", "text_only", "ridge"]  # constants: none


def test_what_a_stage_writes_is_where_the_code_writes_it() -> None:
    outputs = {
        next(iter(out)) if isinstance(out, dict) else out
        for stage in STAGES.values()
        for kind in ("outs", "metrics", "plots")
        for out in stage.get(kind, ())
    }
    name = paths.run_name("${item.model}", "${item.seed}")  # type: ignore[arg-type]
    expected = {
        paths.DATASET,
        paths.SETTINGS,
        paths.LISTED_MANIFEST,
        paths.LISTED_TRANSCRIPTS,
        paths.MANIFEST,
        paths.TRANSCRIPTS,
        paths.SENTENCES,
        paths.METRICS / "sentences.json",
        paths.OBSERVED,
        paths.INCOMPLETE,
        paths.PREDICTIONS,
        paths.CODE,
        paths.TRAINED / name,
        paths.TRAINING / name / "metrics.json",
        paths.SWEPT / f"{name}.parquet",
        paths.METRICS / "test.json",
        paths.MODEL / "config.json",
        paths.MODEL / "model.safetensors",
        paths.MODEL / "README.md",
        paths.REPORT,
    }
    assert {str(path) for path in expected} <= outputs
