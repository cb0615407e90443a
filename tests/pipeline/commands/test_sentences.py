"""`lnln import-sentences`, and the stage that gathers what a dataset trains with."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from typer.testing import CliRunner, Result

from contracts.parquet import read_table, write_table
from contracts.schemas import MANIFEST, TRAINING_SENTENCES, TRANSCRIPTS
from pipeline.commands.main import app
from pipeline.params import load_datasets, load_params, resolve_dataset
from pipeline.stages import sentences

Change = Callable[..., None]
TABLE = "body,stars,set\nGood film,5,train\nGood,2,train\nSo bad,1,test\n,3,train\n"


def run(name: str, *more: str, label_range: tuple[str, str] = ("1", "5")) -> Result:
    options = ["--text", "body", "--label", "stars", "--label-range", *label_range, *more]
    return CliRunner().invoke(app, ["import-sentences", "t.csv", "--name", name, *options])


@pytest.fixture(autouse=True)
def table(project: Path) -> Path:
    (project / "t.csv").write_text(TABLE, "utf-8")
    return project


def add_printed(project: Path, output: str) -> None:
    """Put the section that was printed into datasets.yaml, and name it in `sample`."""
    printed = output[output.index("\nreviews:") : output.index("a dataset trains with")]
    file = project / "datasets.yaml"
    content = yaml.safe_load(file.read_text("utf-8")) | yaml.safe_load(printed)
    content["sample"]["sentences"] = {"reviews": 2.0}
    file.write_text(yaml.safe_dump(content), "utf-8")


def write_clips(project: Path, **texts: str) -> None:
    """Write manifest and transcripts of one clip per split."""
    common = {"path": "p", "sha256": "", "duration_s": 1.0, "has_audio": True, "has_video": True}
    common |= {"language": "en", "group": "g", "text": ""}
    rows = [common | {"clip_id": split, "split": split} for split in texts]
    write_table(pa.Table.from_pylist(rows, MANIFEST), project / "outputs" / "manifest.parquet")
    said = [
        {"clip_id": split, "text": text, "source": "given", "words": []}
        for split, text in texts.items()
    ]
    write_table(pa.Table.from_pylist(said, TRANSCRIPTS), project / "outputs/transcripts.parquet")


def resolve(project: Path) -> None:
    """What the stage `dataset` writes."""
    dataset = resolve_dataset(load_params()).model_dump_json(exclude={"models"})
    (project / "outputs" / "dataset.json").write_text(dataset, "utf-8")


def test_what_is_printed_makes_a_corpus_that_a_dataset_trains_with(
    table: Path, change: Change, make_bert: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    result = run("reviews", "--split", "set")
    assert result.exit_code == 0, result.output
    assert "data/sentences/reviews.parquet: 2 train, 0 valid, 1 test" in result.output
    assert "warning: t.csv: 1 rows have no text and are left out" in result.output
    add_printed(table, result.output)
    change("sample.text.model", str(make_bert(["good", "film"])), file="datasets.yaml")
    write_clips(table, train="Good film", test="good!")
    resolve(table)
    sentences.main()
    written = read_table(table / "outputs" / "sentences.parquet").to_pylist()
    assert [(row["text"], row["label"], row["split"]) for row in written] == [
        ("Good film", 3.0, "train"),
        ("So bad", -3.0, "test"),
    ]
    counts = json.loads((table / "metrics" / "sentences.json").read_text("utf-8"))
    assert counts == {"sentences": {"train": 1, "valid": 0, "test": 1}, "leaks": 1}
    told = capsys.readouterr()
    assert "sentences: 1 train, 0 valid, 1 test" in told.out
    assert "warning: leakage: 1 sentences are in the train split" in told.err
    again = run("reviews")
    assert again.exit_code == 0 and "add to datasets.yaml" not in again.output


def test_a_dataset_that_names_no_corpus_gets_an_empty_table(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clips(table, train="a", test="b")
    resolve(table)
    sentences.main()
    written = read_table(table / "outputs" / "sentences.parquet")
    assert written.schema.equals(TRAINING_SENTENCES) and written.num_rows == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mosi", "'mosi' is a section of datasets.yaml about clips"),
        ("rated_sentences", "rated_sentences has the label_range [-4.0, 4.0] and the archive"),
        ("../x", "--name '../x' is no plain name"),
        ("12", "--name '12' is no plain name"),
        ("true", "--name 'true' is no plain name"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused(table: Path, name: str, told: str) -> None:
    result = run(name)
    assert result.exit_code == 1
    assert f"error: {'datasets.yaml: ' if name.startswith('r') else ''}{told}" in result.output
    assert not (table / "data").exists()


def test_a_scale_that_is_none_or_another_is_refused(table: Path) -> None:
    result = run("reviews", label_range=("5", "1"))
    assert "label_range: [5, 1] is not allowed" in result.output
    result = run("reviews", label_range=("-1", "1"))
    assert "error: t.csv: row 1 has the score 5, which is not within -1 to 1" in result.output
    assert not (table / "data").exists()
    assert "reviews" not in load_datasets()
