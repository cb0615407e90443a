"""dvc.yaml declares what the code reads: read from the source, nothing is run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from lnln.settings import SeedlessTrainSettings

ROOT = Path(__file__).parents[2]
MODALITIES = ("text", "audio", "vision")


def read_stages() -> dict[str, dict[str, Any]]:
    """Stages as DVC sees them: `extract` is three."""
    found = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    template = found.pop("extract")
    assert tuple(template["foreach"]) == MODALITIES
    for modality, item in template["foreach"].items():
        filled = yaml.safe_dump(template["do"]).replace("${key}", modality)
        for name, value in item.items():
            filled = filled.replace(f"${{item.{name}}}", value)
        found[f"extract@{modality}"] = yaml.safe_load(filled)
    return found


STAGES = read_stages()

# Imported by a stage, and yet no dependency of it.
NOT_DECLARED = {
    "extractors/workers/compiling.py": "when machine code is made, and where it is kept",
    "extractors/errors.py": "messages",
    "extractors/workers/cache.py": "where results are kept",
    "extractors/workers/cached_map.py": "which results are there, and which have to be made",
    "extractors/workers/pool.py": "how the work is done, not what comes out",
    "extractors/workers/progress.py": "how the work is done, not what comes out",
    "extractors/workers/ray_cluster.py": "how the work is done, not what comes out",
    "extractors/workers/worker.py": "how the work is done, not what comes out",
    "extractors/settings.py": "the values are params",
    "extractors/assets/libraries.py": "a check that passes or stops the stage",
    "lnln/training/fingerprint.py": "where an interrupted training goes on from",
    "lnln/training/resume.py": "where an interrupted training goes on from",
    "lnln/checkpoints/pretrained.py": "where a model is, not what is in it",
    "lnln/settings.py": "the values are params",
    "pipeline/params.py": "the values are params",
    "pipeline/paths.py": "the paths are in dvc.yaml",
    "pipeline/stage.py": "messages",
}


def package(name: str) -> set[str]:
    """Python files of a package of the extractors."""
    folder = ROOT / "extractors" / name
    return {file.relative_to(ROOT).as_posix() for file in folder.rglob("*.py")}


KEYS = {"extractors/fingerprint.py", "extractors/media/__init__.py"}
ASSETS = {"extractors/assets/known_weights.py", "extractors/assets/resolving.py"}
OBSERVATION = "extractors/observation.py"  # a table that is printed
# `extractors.extraction` imports every extractor; a stage calls one of them.
OTHERS = {m: set().union(*(package(o) for o in MODALITIES if o != m)) for m in MODALITIES}
NOT_DECLARED_BY = {
    "dataset": {"contracts/tables.py"},  # which replaces a file whole, through `pipeline.stage`
    # The cache's names for results need these; what is kept under them does not.
    "ingest": ASSETS | {"contracts/features.py"} | KEYS,
    "transcribe": {"contracts/features.py"} | KEYS,
    "extract@text": OTHERS["text"] | package("media") | {OBSERVATION},
    "extract@audio": OTHERS["audio"] | {"extractors/words.py", OBSERVATION},
    "extract@vision": OTHERS["vision"] | {"extractors/words.py", OBSERVATION},
    # `pipeline.stages.splits` also finds BERT, which this stage does not ask it for.
    "incomplete": ASSETS,
    # A model card is written, and new clips' predictions are printed, elsewhere.
    "evaluate": {"lnln/checkpoints/card.py", "lnln/prediction.py"},
}
HOW_NOT_WHAT = "run"  # the section of params.yaml that cannot change a result


def source(stage: str) -> str:
    return STAGES[stage]["cmd"].split()[2].replace(".", "/") + ".py"


def source_files(dep: str) -> set[str]:
    """Python files that a dependency is or holds."""
    if dep.endswith(".py"):
        return {dep}
    if dep.startswith("extractors/"):
        return package(dep.removeprefix("extractors/"))
    return set()


@cache
def parse(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"))


def imported(file: str) -> Iterator[str]:
    """Files of this repository that a file imports, at its top or inside a function."""
    for node in ast.walk(parse(file)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            path = name.replace(".", "/") + ".py"
            if (ROOT / path).is_file() and path.split("/")[0] in ("pipeline", "extractors", "lnln"):
                yield path
                yield from package_of(path)


def package_of(path: str) -> Iterator[str]:
    """What runs first where a file is in one of the extractors' packages."""
    *folders, _ = path.split("/")
    if len(folders) == 2:
        yield "/".join([*folders, "__init__.py"])


def closure(file: str) -> set[str]:
    found, to_do = {file}, [file]
    while to_do:
        new = set(imported(to_do.pop())) - found
        found |= new
        to_do += new
    return found


def code_of(stage: str) -> set[str]:
    return set().union(*(source_files(dep) for dep in STAGES[stage]["deps"]))


def declared_params(stage: str) -> set[str]:
    """Keys of params.yaml as they are, of dataset.json as `dataset.<key>`."""
    keys = set()
    for entry in STAGES[stage].get("params", ()):
        if isinstance(entry, str):
            keys.add(entry)
        else:
            keys |= {f"dataset.{key}" for key in entry.get("outputs/dataset.json", ())}
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
    if "train.with_seed" in chains:  # the settings of one network: every knob but the seeds
        chains.remove("train.with_seed")
        chains |= {f"train.{name}" for name in SeedlessTrainSettings.model_fields}
    return {chain.removesuffix(".model_dump") for chain in chains}


def covers(declared: str, read: str) -> bool:
    return read == declared or read.startswith(f"{declared}.")


@pytest.mark.parametrize("stage", STAGES)
def test_code_that_can_change_a_stage_s_output_is_a_dependency(stage: str) -> None:
    exempt = NOT_DECLARED.keys() | NOT_DECLARED_BY.get(stage, set())
    assert closure(source(stage)) - code_of(stage) - exempt == set()


@pytest.mark.parametrize("stage", STAGES)
def test_stage_depends_on_no_code_that_it_does_not_import(stage: str) -> None:
    assert code_of(stage) - closure(source(stage)) == set()


@pytest.mark.parametrize("stage", STAGES)
def test_exemptions_are_needed(stage: str) -> None:
    assert NOT_DECLARED_BY.get(stage, set()) - closure(source(stage)) == set()


@pytest.mark.parametrize(
    "stage", [name for name in STAGES if name.split("@")[0] not in ("dataset", "extract")]
)
def test_stage_declares_the_params_that_it_reads_and_no_others(stage: str) -> None:
    declared = declared_params(stage)
    matrix = {value.strip("${}") for value in STAGES[stage].get("matrix", {}).values()}
    read = {key for key in read_params(stage) - matrix if not covers(HOW_NOT_WHAT, key)}
    assert {key for key in read if not any(covers(d, key) for d in declared)} == set()
    assert {d for d in declared if not any(covers(d, key) for key in read)} == set()


@pytest.mark.parametrize("stage", ["dataset", "ingest", "transcribe", "extract@vision"])
def test_missing_rate_cannot_run_anything_before_incomplete_again(stage: str) -> None:
    assert not {"missing_rate", "masks"} & declared_params(stage)


def test_another_seed_trains_no_network_again() -> None:
    assert "train.seeds" not in declared_params("train")
    assert STAGES["train"]["matrix"] == {"seed": "${train.seeds}"}
    assert "train.seeds" in declared_params("choose") & declared_params("evaluate")
