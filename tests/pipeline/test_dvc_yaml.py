"""dvc.yaml declares what the code reads: read from the source, nothing is run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
STAGES: dict[str, dict[str, Any]] = {
    name: stage.get("do", stage)
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"].items()
}

# Imported by a stage, and yet no dependency of it.
NOT_DECLARED = {
    "extractors/errors.py": "messages",
    "extractors/pool.py": "how the work is done, not what comes out",
    "extractors/settings.py": "the values are params",
    "extractors/system.py": "a check that passes or stops the stage",
    "lnln/settings.py": "the values are params",
    "pipeline/params.py": "the values are params",
    "pipeline/paths.py": "the paths are in dvc.yaml",
    "pipeline/stage.py": "messages",
}
MODALITIES = {f"extractors/{name}.py" for name in ("text", "audio", "vision")}
NOT_DECLARED_BY = {
    "dataset": {"extractors/tables.py"},  # which replaces a file whole, through `pipeline.stage`
    # `extractors.run` imports every extractor; these stages call one or none of them.
    "transcribe": MODALITIES
    | {f"extractors/{name}.py" for name in ("fingerprint", "frames", "timeline")},
    "extract": MODALITIES | {"extractors/speech.py"},  # one of the three, as ${item}
    # `pipeline.splits` also finds BERT, which this stage does not ask it for.
    "incomplete": {"extractors/assets.py"},
    # For a type in the table of new clips' predictions, which this stage does not print.
    "evaluate": {"lnln/prediction.py"},
}
HOW_NOT_WHAT = "run"  # the section of params.yaml that cannot change a result


def source(stage: str) -> str:
    return STAGES[stage]["cmd"].split()[2].replace(".", "/") + ".py"


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


def closure(file: str) -> set[str]:
    found, to_do = {file}, [file]
    while to_do:
        new = set(imported(to_do.pop())) - found
        found |= new
        to_do += new
    return found


def code_of(stage: str) -> set[str]:
    return {dep for dep in STAGES[stage]["deps"] if dep.endswith(".py")}


def declared_params(stage: str) -> set[str]:
    """Keys of params.yaml as they are, of dataset.json as `dataset.<key>`."""
    keys = set()
    for entry in STAGES[stage]["params"]:
        if isinstance(entry, str):
            keys.add(entry)
        else:
            keys |= {f"dataset.{key}" for key in entry.get("outputs/dataset.json", ())}
    return keys


def read_params(stage: str) -> set[str]:
    """Keys that a stage takes from `params` and `dataset`, also in what it uses of `splits`."""
    trees: list[ast.AST] = [parse(source(stage))]
    functions = {f.name: f for f in parse("pipeline/splits.py").body if hasattr(f, "name")}
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
    return {chain.removesuffix(".model_dump") for chain in chains}


def covers(declared: str, read: str) -> bool:
    return read == declared or read.startswith(f"{declared}.")


@pytest.mark.parametrize("stage", STAGES)
def test_code_that_can_change_a_stage_s_output_is_a_dependency(stage: str) -> None:
    exempt = NOT_DECLARED.keys() | NOT_DECLARED_BY.get(stage, set())
    assert closure(source(stage)) - code_of(stage) - exempt == set()


@pytest.mark.parametrize("stage", STAGES)
def test_stage_depends_on_no_code_that_it_does_not_import(stage: str) -> None:
    assert code_of(stage) - closure(source(stage)) - {"extractors/${item}.py"} == set()


@pytest.mark.parametrize("stage", STAGES)
def test_exemptions_are_needed(stage: str) -> None:
    assert NOT_DECLARED_BY.get(stage, set()) - closure(source(stage)) == set()


@pytest.mark.parametrize("stage", [name for name in STAGES if name not in ("dataset", "extract")])
def test_stage_declares_the_params_that_it_reads_and_no_others(stage: str) -> None:
    declared = declared_params(stage)
    read = {key for key in read_params(stage) if not covers(HOW_NOT_WHAT, key)}
    assert {key for key in read if not any(covers(d, key) for d in declared)} == set()
    assert {d for d in declared if not any(covers(d, key) for key in read)} == set()


@pytest.mark.parametrize("stage", ["dataset", "ingest", "transcribe", "extract"])
def test_missing_rate_cannot_run_anything_before_incomplete_again(stage: str) -> None:
    assert not {"missing_rate", "masks"} & declared_params(stage)
