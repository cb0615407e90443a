"""`lnln init-dataset` and `lnln prepare` as they are typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.commands.main import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def clips(project: Path) -> Path:
    """A project's folder with two videos, a transcript and labels in `clips`."""
    for name in ("anna/1.mp4", "bo/1.mp4"):
        (project / "clips" / name).parent.mkdir(parents=True)
        (project / "clips" / name).write_bytes(name.encode())
    (project / "clips" / "1.txt").write_text(f"1___0___0___2___well\n{'_' * 30}\n")
    (project / "clips" / "labels.csv").write_text("video_id,clip_id,label\n1,0,2\n")
    return project


@pytest.mark.parametrize("name", ["nope", "../../x"])
def test_only_a_section_of_datasets_yaml_can_be_made(clips: Path, name: str) -> None:
    result = run("init-dataset", "clips", "--dataset", name)
    assert result.exit_code == 1
    assert f"error: {name!r} is no section of datasets.yaml; known: sample" in result.output
    assert not (clips / "data").exists() and not (clips.parent.parent / "x").exists()


def test_a_table_that_excel_changed_is_one_message(clips: Path) -> None:
    assert run("init-dataset", "clips").exit_code == 0
    table = clips / "data" / "custom" / "label.csv"
    written = table.read_bytes()
    for content, told in (
        (written.replace(b",,", b',"Oh,', 1), "line 2: a double quote opens here, and none closes"),
        (written + "x,1,café,1,train,x\n".encode("cp1252"), "is not UTF-8"),
    ):
        table.write_bytes(content)
        result = run("init-dataset", "clips")
        assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
        assert "error: data/custom/label.csv" in result.output and told in result.output
        assert table.read_bytes() == content


def test_lines_that_were_not_read_are_told_with_the_first_place(clips: Path) -> None:
    result = run("prepare", "mosei", "clips")
    assert result.exit_code == 0, result.output
    assert "1 lines could not be read, the first: clips/1.txt line 2" in result.output


def test_bad_splits_are_refused_before_anything_is_written(clips: Path) -> None:
    (clips / "splits.csv").write_text("video_id,mode\n1,dev\n")
    result = run("prepare", "mosei", "clips", "--splits", "splits.csv")
    assert result.exit_code == 1
    assert "error: splits.csv line 2: mode is 'dev', not train, valid, test" in result.output
    assert not (clips / "data").exists()


def test_javanese_clips_are_listed_and_other_videos_told(clips: Path) -> None:
    for name in ("01-01-03_01.mp4", "02-01-03_01.mp4"):
        (clips / "clips" / name).write_bytes(name.encode())
    (clips / "splits.csv").write_text("video_id,mode\n01,test\n")
    result = run("prepare", "javanese", "clips", "--splits", "splits.csv")
    assert result.exit_code == 0, result.output
    assert "data/javanese/label.csv: 2 clips of 2 speakers" in result.output
    assert "2 videos that are named otherwise were left out, the first: clips/" in result.output
    assert "1 speakers are not in the splits" in result.output
    result = run("prepare", "sims", "clips")
    assert result.exit_code == 1
    assert "'sims' cannot be prepared; known: mosi, mosei, javanese" in result.output


@pytest.mark.parametrize(
    "command", [("prepare", "mosei", "clips"), ("init-dataset", "clips", "--dataset", "mosei")]
)
def test_clips_are_not_put_beside_features(clips: Path, command: tuple[str, ...]) -> None:
    root = clips / "data" / "mosei"
    root.mkdir(parents=True)
    (root / "manifest.parquet").touch()
    result = run(*command)
    assert result.exit_code == 1
    assert "error: data/mosei is a dataset of features" in result.output
    assert [path.name for path in root.iterdir()] == ["manifest.parquet"]


def test_speakers_labels_and_exclusions_are_typed(clips: Path) -> None:
    (clips / "other.csv").write_text("file,text,label\nanna/1,Hello,2\n")
    options = ("--speaker-pattern", r"(\d)", "--labels", "other.csv", "--exclude", "bo")
    result = run("init-dataset", "clips", *options)
    assert result.exit_code == 0, result.output
    assert "1 new, 1 speakers" in result.output
    assert "warning: 1 videos are excluded, as asked for" in result.output
    assert "anna,1,Hello,2," in (clips / "data" / "custom" / "label.csv").read_text()
    result = run("init-dataset", "clips")
    assert "the table as it was: data/custom/label.csv.old" in result.output
    assert run("init-dataset", "clips", "--speaker-pattern", "(").exit_code == 2
