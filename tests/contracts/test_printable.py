"""Nothing reaches a terminal that would move its cursor or turn its text round."""

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.printable import printable, printable_json

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07a.mp4", r"\x1b]0;owned\x07a.mp4"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\x9b31mb", r"a\x9b31mb"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("a\nerror: all is lost", r"a\nerror: all is lost"),
        ("a\rb\tc\x7f", r"a\rb\tc\x7f"),
        ("\u2028\u2066\u200f\ufeff", r"\u2028\u2066\u200f\ufeff"),
        ("\udcff.mp4", r"\udcff.mp4"),  # a name that is no UTF-8
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["été 春の　日", "می‌خواهم", "שלום", "👩‍👩‍👧 ❤️", "a\u00a0b", r"\x1b", "ａ"]
)
def test_every_script_stays_as_it_is_written(text: str) -> None:
    assert printable(text) == text


def test_line_breaks_stay_where_they_are_asked_for() -> None:
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@settings(deadline=None)
@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_json_says_what_was_written_and_holds_nothing_to_escape(
    text: str, more: dict[str, str]
) -> None:
    content = {"said": [text], "more": more}
    written = printable_json(content)
    assert json.loads(written) == content
    assert printable(written, keep="\n") == written
    assert printable(printable(text)) == printable(text)


def test_commands_print_through_what_escapes() -> None:
    for file in (ROOT / "pipeline" / "commands").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                (told,) = node.args
                assert isinstance(told, ast.Call), f"{file.name}:{node.lineno}: print a raw text"
                safe = {"predictions_json", "comparison_json", "prediction_lines"}
                assert ast.unparse(told.func) in safe, f"{file.name}:{node.lineno}"
