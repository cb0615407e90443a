"""YAML files are read as DVC reads and writes them: version 1.2."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from dvc.utils.serialize._yaml import _get_yaml, loads_yaml

from pipeline.checking import ParamsError, parse_yaml, read_yaml
from pipeline.commands.sections import copy_section
from pipeline.params import load_datasets, load_params, resolve_dataset

Change = Callable[..., None]


def write(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def as_dvc_writes(text: str) -> str:
    written = io.StringIO()
    _get_yaml().dump(loads_yaml(text, "rt"), written)
    return written.getvalue()


@pytest.mark.parametrize(
    "text", ["no", "off", "y", "010", "0o10", "1e-3", "1_000", "1:30", "~", "0x1F", ".inf", "true"]
)
def test_values_are_those_that_dvc_reads(text: str) -> None:
    assert parse_yaml(f"key: {text}") == loads_yaml(f"key: {text}")


def test_norwegian_is_a_language_and_010_is_ten(project: Path) -> None:
    write(project / "datasets.yaml", "  language: en #", "  language: no #")
    write(project / "params.yaml", "  epochs: #", "  epochs: 010 #")
    assert load_datasets()["sample"].language == "no"
    assert load_params().train.overrides["epochs"] == 10


@pytest.mark.parametrize(
    ("written", "name"),
    [("2024", "2024"), ("'010'", "010"), ("2024-05-01", "2024-05-01"), ("true", "true")],
)
def test_a_dataset_may_be_called_by_a_number_or_a_date(
    project: Path, written: str, name: str
) -> None:
    write(project / "datasets.yaml", "\ncustom:", f"\n{written}:")
    write(project / "params.yaml", "dataset: sample", f"dataset: {written}")
    resolved = resolve_dataset(load_params())
    assert (resolved.name, resolved.root) == (name, f"data/{name}")


@pytest.mark.parametrize("file", ["params.yaml", "datasets.yaml"])
def test_what_dvc_writes_differs_in_the_value_that_was_set_alone(root: Path, file: str) -> None:
    text = (root / file).read_text("utf-8")
    assert as_dvc_writes(text) == text


def test_a_key_that_stands_twice_is_told(project: Path) -> None:
    (project / "params.yaml").write_text("dataset: a\ndataset: b\n", "utf-8")
    with pytest.raises(ParamsError, match=r"(?s)params\.yaml is not valid YAML.*duplicate") as told:
        read_yaml(Path("params.yaml"))
    assert "http" not in str(told.value)


@pytest.mark.parametrize("key", ["train.seeds", "masks.seed"])
def test_a_seed_that_nothing_can_draw_by_is_refused(change: Change, key: str) -> None:
    seed = 99999999999999999999
    change(key, [seed] if key.endswith("s") else seed)
    with pytest.raises(ParamsError, match=rf"{key}.*{seed} is not allowed: .*less than 4294967296"):
        load_params()


def test_a_source_of_several_lines_is_replaced_as_a_whole(project: Path) -> None:
    file = project / "datasets.yaml"
    assert ">-" in file.read_text("utf-8").partition("\nmosi:")[2].partition("\nmosei:")[0]
    assert copy_section(file, "mosi", "2024", "me: # and 'you'")
    content = read_yaml(file)
    assert content["2024"] == content["mosi"] | {"source": "me: # and 'you'"}
    assert json.dumps("2024") in file.read_text("utf-8")
