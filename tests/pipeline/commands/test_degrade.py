from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from pipeline.checking import ParamsError
from pipeline.commands.main import app
from pipeline.commands.sections import copy_section
from pipeline.params import load_datasets
from pipeline.report.damages import damage_table


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def sample(write_dataset: Any) -> None:
    write_dataset(
        [
            ("joe", "001", "good value", "1", "train"),
            ("joe", "002", "it is blue", "0", "test"),
            ("joe", "gone", "nothing", "0", "test"),
        ],
        {"joe/001": "joe/001", "joe/002": "joe/002"},
    )


def test_of_a_dataset_of_the_project_one_is_made_that_can_be_used(
    project: Path, sample: None
) -> None:
    before = (project / "datasets.yaml").read_text("utf-8")
    result = run(
        "degrade", "data/sample", "--out", "data/noisy", "--damage", "noise=5",
        "--split", "test", "--workers", "1",
    )  # fmt: skip
    assert result.exit_code == 1, "a clip has no file"
    assert "error: data/sample/Raw/joe/gone: no video of this name" in result.stderr
    assert "data/noisy: 1 clips; 1 files are links to unchanged ones" in result.stdout
    assert "section 'noisy' added" in result.stdout
    known = load_datasets()
    source = "lnln degrade data/sample --damage noise=5 --seed 0"
    assert known["noisy"] == known["sample"].model_copy(update={"source": source})
    assert (project / "datasets.yaml").read_text("utf-8").startswith(before)
    again = run("degrade", "data/sample", "--out", "data/noisy", "--damage", "noise=5")
    assert again.exit_code == 1
    assert "error: data/noisy is there already: --force replaces it" in again.output


def test_elsewhere_it_is_told_what_is_to_be_done(project: Path, sample: None) -> None:
    result = run("degrade", "data/sample", "--out", "noisy", "--damage", "word_errors=0.5")
    assert "it must lie at data/<new>" in result.stdout
    assert "noisy" not in load_datasets()


def test_a_source_without_a_section_is_told_and_damaged_all_the_same(
    project: Path, sample: None
) -> None:
    (project / "data" / "sample").rename(project / "data" / "mine")
    result = run("degrade", "data/mine", "--out", "data/noisy", "--damage", "word_errors=0")
    assert "warning: 'mine' is no section of datasets.yaml" in result.stderr
    assert (project / "data" / "noisy" / "damage.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("data/gone", "--damage", "black=1"), "data/gone: no such file or folder"),
        (("data/sample", "--damage", "fog=1"), "there is no damage 'fog'; known: noise"),
        (("data/sample", "--damage", "black=2"), "'black=2': 2 is not 0 to 1"),
    ],
)
def test_mistakes_are_one_message(
    project: Path, sample: None, arguments: tuple[str, ...], told: str
) -> None:
    result = run("degrade", *arguments, "--out", "data/new")
    assert result.exit_code == 1
    assert result.output.startswith("error: ") and told in result.output
    assert not (project / "data" / "new").exists()


def test_the_command_explains_itself() -> None:
    result = run("degrade", "--help")
    assert result.exit_code == 0 and "Example: lnln degrade" in result.output


def test_a_section_is_copied_with_its_comments(project: Path) -> None:
    file = project / "datasets.yaml"
    assert copy_section(file, "mosi", "a: b", "me # and you")
    text = file.read_text("utf-8")
    assert text.count("# strongly negative to strongly positive") == 3
    content = yaml.safe_load(text)
    assert content["a: b"] == content["mosi"] | {"source": "me # and you"}
    assert not copy_section(file, "mosi", "a: b", "others")
    assert file.read_text("utf-8") == text


def test_a_section_that_is_not_there_is_told(project: Path) -> None:
    with pytest.raises(ParamsError, match="copied for 'noisy'; known: sample, carrier, mosi"):
        copy_section(project / "datasets.yaml", "mine", "noisy", "me")


def test_a_file_in_another_style_is_left_as_it_is(project: Path) -> None:
    file = project / "datasets.yaml"
    content = yaml.safe_load(file.read_text("utf-8"))
    file.write_text(yaml.safe_dump(content, default_flow_style=True), "utf-8")
    before = file.read_bytes()
    with pytest.raises(ParamsError, match="add a section 'noisy' by hand"):
        copy_section(file, "sample", "noisy", "me")
    assert file.read_bytes() == before


def test_the_table_counts_what_was_done_and_what_was_not() -> None:
    clips = {"a": {"noise": {"snr_db": 5.0}}, "b": {"noise": None}, "c": {}}
    table = damage_table({"noise": 5.0, "black": 0.5}, clips)
    cells = [list(column.cells) for column in table.columns]
    assert [column[0] for column in cells] == ["noise", "5 dB", "1", "1", "snr_db", "5", "5", "5"]
    assert [column[1] for column in cells][:4] == ["black", "0.5 share", "0", "0"]
