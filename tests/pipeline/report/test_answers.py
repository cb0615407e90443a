"""Answers as a file of the kind that its ending says, and as lines in a pipe."""

import csv
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from contracts.quarantine import Rejected
from lnln.explaining.explanation import Explanation, Part
from lnln.prediction import Prediction
from lnln.prediction_table import TABLE
from pipeline.report.answers import check_ending, write_answers
from pipeline.report.tables import prediction_lines, prediction_table, predictions_json

ALL = {"text": 0.2, "audio": 0.5, "vision": 0.0}
ROWS = [
    Prediction(
        "a.mp4",
        -1.5,
        None,
        ALL,
        'no, "never"\n春',
        ["no face observed", "only the first 6.0 of 30.0 s of the words were read (20%)", "toy"],
        low=-3.0,
        high=0.5,
        confidence=0.4,
        path="clips/day one/a.mp4",
        duration_s=30.0,
        read_s={"text": 6.0, "audio": 30.0, "vision": None},
    ),
    Prediction(
        "\x1b[2J\u202eb.mp4", None, None, dict.fromkeys(ALL, 0.0), path="\x1b[2J\u202eb.mp4"
    ),
]
WORDS = (Part("\x1b[2J$x$", 0.1, 0.4, True, -0.75), Part("fine", None, None, True, 0.25))
MOVED = replace(
    ROWS[0],
    explanation=Explanation(
        score=-1.5,
        nothing=0.125,
        modalities={"text": -1.25, "audio": -0.375, "vision": 0.0},
        words=WORDS,
        audio=(Part("", 0.0, 0.5, True, -0.3),),
        vision=(),
    ),
)
FAILED = [Rejected("c.mp4", "x/c.mp4", "ingest", "empty")]


def printed(table: object, width: int = 200) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_endings_decide(tmp_path: Path) -> None:
    for ending in ("csv", "json", "jsonl", "parquet", "CSV"):
        write_answers(ROWS, FAILED, tmp_path / f"answers.{ending}", {"model": "m"})
    with (tmp_path / "answers.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert (tmp_path / "answers.CSV").read_bytes() == (tmp_path / "answers.csv").read_bytes()
    assert list(rows[0]) == TABLE.names
    assert rows[0]["text"] == ROWS[0].text and rows[0]["prediction"] == "-1.5"
    assert rows[0]["warnings"] == "; ".join(ROWS[0].warnings)
    assert rows[1]["prediction"] == rows[1]["duration_s"] == ""
    assert pq.read_table(tmp_path / "answers.parquet").schema.names == TABLE.names
    whole = json.loads((tmp_path / "answers.json").read_text("utf-8"))
    assert whole["model"] == "m" and whole["failed"][0]["reason"] == "empty"
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert lines == whole["predictions"]
    assert lines[1]["clip_id"] == ROWS[1].clip_id


@pytest.mark.parametrize("name", ["answers", "answers.xlsx", "answers.csv.gz", ".csv"])
def test_an_unknown_ending_is_refused_and_the_known_ones_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"known: \.csv, \.json, \.jsonl, \.parquet"):
        check_ending(tmp_path / name)


def test_what_was_read_stands_in_every_output(tmp_path: Path) -> None:
    read = "only the first 6.0 of 30.0 s of the words were read (20%)"
    write_answers(ROWS, [], tmp_path / "a.parquet", {})
    (row, _) = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert (row["read_text_s"], row["read_audio_s"], row["read_vision_s"]) == (6.0, 30.0, None)
    assert (row["observed_text"], row["duration_s"]) == (0.2, 30.0)
    assert read in row["warnings"]
    told = json.loads(predictions_json(ROWS, []))["predictions"][0]
    assert told["read_s"] == {"text": 6.0, "audio": 30.0, "vision": None}
    assert read in told["warnings"] and read in prediction_lines(ROWS, (-3, 3))
    table = printed(prediction_table(ROWS, (-3, 3)))
    assert "20%" in table and "30.0" in table  # the warning, in several lines


def test_a_pipe_gets_a_line_per_clip_with_folder_and_duration() -> None:
    text = prediction_lines(ROWS, (-3, 3), "toy", 0.9)
    head, first, second, blank, *below = text.splitlines()
    assert head.split()[:5] == ["folder", "clip", "seconds", "prediction", "low"]
    assert first.startswith("clips/day one  a.mp4 ")
    for cell in ("30.0", "-1.50", "negative", "0.20", r'no, "never"\n春', "no face observed;"):
        assert cell in first
    assert "toy" not in first and below[-1] == "This model was toy."
    assert second.split()[:4] == ["-", r"\x1b[2J\u202eb.mp4", "-", "-"] and "none" in second
    assert blank == "" and "\x1b" not in text and "\u202e" not in text
    assert first.index("negative") == head.index("sentiment")


def test_what_moved_an_answer_stands_in_every_output(tmp_path: Path) -> None:
    rows = [MOVED, ROWS[1]]
    table, lines = printed(prediction_table(rows, (-3, 3))), prediction_lines(rows, (-3, 3))
    for text in (table, lines):
        for part in ("-1.25", "-0.38", r"\x1b[2J$x$ -0.75", "fine +0.25", "observed, +0.12"):
            assert part in text
        assert "\x1b" not in text
    write_answers(rows, [], tmp_path / "a.csv", {})
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        moved, other = csv.DictReader(file)
    assert moved["contribution_audio"] == "-0.375" and other["contribution_audio"] == ""
    assert moved["strongest_words"] == "\x1b[2J$x$ -0.75; fine +0.25"
    told = json.loads(predictions_json(rows, []))["predictions"]
    assert told[0]["explanation"]["audio"][0] == {
        "text": "",
        "start_s": 0.0,
        "end_s": 0.5,
        "observed": True,
        "contribution": -0.3,
    }
    assert told[1]["explanation"] is None


def test_explained_answers_fit_a_narrow_terminal() -> None:
    text = printed(prediction_table([MOVED], (-3, 3), level=0.9), 80)
    assert max(map(len, text.splitlines())) <= 80
    for part in ("20%", "-1.25", "-0.38", "+0.00", "+0.25)", "observed"):
        assert part in text.split()


def test_names_that_command_the_terminal_are_shown_escaped_in_its_table() -> None:
    text = printed(prediction_table(ROWS, (-3, 3), "\x1b[31mred"))
    assert r"\x1b[2J\u202eb.mp4" in text and r"\x1b[31mred" in text
    assert "\x1b" not in text and "\u202e" not in text
