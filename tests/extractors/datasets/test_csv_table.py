"""Tables that programs write come back as they were, and damaged ones are refused."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from extractors.datasets.csv_records import DatasetError, visible
from extractors.datasets.csv_table import filled, is_placeholder, read_csv, read_lines, rewrite

COLUMNS = ("video_id", "clip_id", "text", "label", "mode")
quick = settings(
    deadline=None,
    max_examples=30,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# Texts as people write them: a comma has a space or a line's end after it.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r,;\t"), max_size=12).map(
    lambda text: text.replace("a", ', "a"').replace("b", ";\n")
)
names = st.text(st.sampled_from("abc0189_-é日"), min_size=1, max_size=6)
labels = st.floats(-3, 3).map(lambda value: f"{value:g}") | st.just("")
rows = st.tuples(names, names, texts, labels, st.sampled_from(["train", "valid", "test"]))
tables = st.lists(rows.map(list), min_size=1, max_size=8)
orders = st.permutations(list(range(len(COLUMNS))))
Table = list[list[str]]


def by_python(table: Table) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    return out.getvalue().encode()


def by_python_on_windows(table: Table) -> bytes:
    """As `open(path, "w")` without newline="" makes it there."""
    return by_python(table).replace(b"\n", b"\r\n")


def by_pandas(table: Table) -> bytes:
    frame = pd.DataFrame(table[1:], columns=table[0])
    return frame.to_csv(index=False, lineterminator="\n").encode()


def by_pandas_with_an_index(table: Table) -> bytes:
    frame = pd.DataFrame(table[1:], columns=table[0])
    return frame.to_csv(quoting=csv.QUOTE_NONNUMERIC).encode()


def by_excel(table: Table, delimiter: str = ",") -> bytes:
    """A byte order mark, CRLF, empty lines below, no empty fields at the end after row 16."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([*table, *([[""] * len(table[0])] * 3)])
    return out.getvalue().encode("utf-8-sig")


def by_excel_in_germany(table: Table) -> bytes:
    return by_excel(table, ";")


def by_excel_with_tabs(table: Table) -> bytes:
    return by_excel(table, "\t")


def by_libreoffice(table: Table) -> bytes:
    """All texts in quotes, numbers without."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerows([[float(f) if re.fullmatch("[0-9]", f) else f for f in r] for r in table])
    return re.sub(rb"(?<=[0-9])\.0(?=[,\n])", b"", out.getvalue().encode())


def read(path: Path, content: bytes) -> Table:
    path.write_bytes(content)
    return [[line[name] for name in COLUMNS] for _, line in read_lines(path, COLUMNS)]


@pytest.mark.parametrize(
    "write",
    [
        by_python,
        by_python_on_windows,
        by_pandas,
        by_pandas_with_an_index,
        by_excel,
        by_excel_in_germany,
        by_excel_with_tabs,
        by_libreoffice,
    ],
)
@quick
@given(table=tables, order=orders)
def test_what_programs_write_comes_back_as_it_was(
    tmp_path: Path, write: Callable[[Table], bytes], table: Table, order: list[int]
) -> None:
    content = write([[row[i] for i in order] for row in [list(COLUMNS), *table]])
    if write is by_python_on_windows:  # a line break in a text becomes one of Windows
        table = [[field.replace("\n", "\r\n") for field in row] for row in table]
    assert read(tmp_path / "label.csv", content) == table


def refused(path: Path, content: bytes) -> int:
    """The line that the refusal of a table names; the file is as it was."""
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=rf"^{re.escape(str(path))}, line \d+") as caught:
        read_lines(path, COLUMNS)
    assert path.read_bytes() == content
    line = re.search(r"line (\d+)", str(caught.value))
    assert line
    return int(line[1])


@quick
@given(table=tables, order=orders, data=st.data())
def test_a_quote_too_many_or_too_few_is_refused_with_its_line(
    tmp_path: Path, table: Table, order: list[int], data: st.DataObject
) -> None:
    content = by_python([[row[i] for i in order] for row in [list(COLUMNS), *table]]).decode()
    header = content.index("\r\n") + 2
    place = data.draw(st.integers(header, len(content)))
    quotes = [m.start() for m in re.finditer('"', content)]
    fewer = data.draw(st.booleans())
    if quotes and fewer:
        place = data.draw(st.sampled_from(quotes))
        damaged = content[:place] + content[place + 1 :]
    else:
        damaged = content[:place] + '"' + content[place:]
    line = refused(tmp_path / "label.csv", damaged.encode())
    assert 2 <= line <= content.count("\n") + 1


@quick
@given(table=tables, order=orders, data=st.data())
def test_a_quote_that_closes_rows_further_down_is_refused_with_its_line(
    tmp_path: Path, table: Table, order: list[int], data: st.DataObject
) -> None:
    table = [[field.translate({10: " ", 34: "'", 44: " "}) for field in row] for row in table * 2]
    table = [["x" + row[0], "y" + row[1], "z" + visible(row[2]), *row[3:]] for row in table]
    first = data.draw(st.integers(0, len(table) - 2))
    last = data.draw(st.integers(first + 1, len(table) - 1))
    lines = [",".join(row[i] for i in order) for row in [list(COLUMNS), *table]]
    assume(order[0] != 3)  # a label that may be empty begins no row
    text = order.index(2)
    fields = [line.split(",") for line in lines]
    assume(text > 0 or fields[first + 1][1])
    fields[first + 1][text] = '"' + fields[first + 1][text]
    fields[last + 1][text] += '"'
    content = "\n".join(",".join(row) for row in fields) + "\n"
    assert refused(tmp_path / "label.csv", content.encode()) == first + 2


@quick
@given(table=tables, order=orders, data=st.data())
def test_a_comma_too_many_is_refused_with_its_line(
    tmp_path: Path, table: Table, order: list[int], data: st.DataObject
) -> None:
    table = [[field.translate({10: " ", 34: "'"}) for field in row] for row in table]
    row = data.draw(st.integers(0, len(table) - 1))
    lines = (
        by_python([[r[i] for i in order] for r in [list(COLUMNS), *table]]).decode().split("\r\n")
    )
    lines[row + 1] += data.draw(st.sampled_from([",", ", I hate it", ",,x"]))
    assert refused(tmp_path / "label.csv", "\r\n".join(lines).encode()) == row + 2


HEADER = "video_id,clip_id,text,label,mode\n"


@pytest.mark.parametrize(
    ("body", "line", "told"),
    [
        ('a,1,x,1,train\nb,1,"Oh no,1,train\nb,2,y,1,train\n', 3, "opens here, and none closes it"),
        (
            'a,1,"Oh no,1,train\nb,2,"y, z",1,train\n',
            2,
            "follows the one that closes it, in line 3",
        ),
        ('a,1,"Oh no,1,train\nb,2,y,1,train\nc,3,z",1,test\n', 2, "closes in line 4, and each of"),
        ('a,1,"Oh no,,train\nb,2,y",1,train\n', 2, "looks like a row of its own"),
        ('a,1, "Well, yes",1,train\n', 2, "a double quote with a space before it; delete"),
        ('a,1,"Well, yes" ,1,train\n', 2, "text follows the one that closes it, in line 2"),
        ('a,1,He said "no",1,train\n', 2, "a double quote inside of a text; double it"),
        ('a,1,Oh no",1,train\n', 2, "a double quote inside of a text"),
        ('a,1,"x\ny",1,train\nb,1,z"z,1,train\n', 4, "a double quote inside of a text"),
        ("a,1,Well, I hate it,1,train\n", 2, "6, not 5.; a text with commas stands in double"),
        ("a,1,x\ry,1,train\n", 2, "a carriage return stands in the midst of a line"),
        ("a,1,x\0y,1,train\n", 2, "is no text"),
        ('a,1,"' + "x\n" * 99_999 + '",1,train\n', 2, "none closes it within 131072 characters"),
        ('a,1,"' + "x" * 200_000 + '",1,train\n', 2, "field larger than field limit"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_remedy(
    tmp_path: Path, body: str, line: int, told: str
) -> None:
    assert refused(tmp_path / "label.csv", (HEADER + body).encode()) == line
    with pytest.raises(DatasetError, match=told):
        read_lines(tmp_path / "label.csv", COLUMNS)


def test_a_label_csv_with_a_quote_that_is_not_closed_is_refused(faults: Path) -> None:
    with pytest.raises(DatasetError, match=r"label\.csv, line 5: a double quote opens here"):
        read_lines(faults / "unbalanced_quote_label.csv", COLUMNS)


@pytest.mark.parametrize(
    "text",
    [
        "Roses are red,\nviolets are blue,\nsugar is sweet,\nand so are you.",
        "Well, well, well, I see,\n\nyes, no, maybe, or never",
        "I had 1,000 reasons\nto stay, and, well, to go",
    ],
)
def test_verses_and_paragraphs_are_one_text(tmp_path: Path, text: str) -> None:
    for columns in (("file", "text"), ("text", "id", "mode"), ("id", "text", "label", "mode")):
        table = [list(columns), *[[text if c == "text" else "x" for c in columns]] * 2]
        (tmp_path / "t.csv").write_bytes(by_python(table))
        lines = read_lines(tmp_path / "t.csv", columns)
        assert [line["text"] for _, line in lines] == [text, text]
        assert [number for number, _ in lines] == [2, 3 + text.count("\n")]


def test_spaces_around_names_and_lines_without_anything_are_no_matter(tmp_path: Path) -> None:
    content = "video_id, clip_id, text , label,\u200bmode,,\n,,,,\n\na,1,x,1,train,,\n , ,,,,,\n"
    assert read(tmp_path / "t.csv", content.encode()) == [["a", "1", "x", "1", "train"]]


def test_a_value_beside_the_named_columns_is_one_field_too_many(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("file,text,\na,Well, I hate it\n")
    with pytest.raises(DatasetError, match=r"line 2: more fields than columns \(3, not 2\)"):
        read_lines(tmp_path / "t.csv", ("file", "text"))


def test_columns_that_are_missing_are_told_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name;words\na;b\n")
    with pytest.raises(DatasetError, match=r"lacks the column file, text; .* it has name;words"):
        read_csv(tmp_path / "t.csv", ("file", "text"), ("video_id", "clip_id", "text"))
    (tmp_path / "t.csv").write_text("video_id\ttext\na\tb\n")
    with pytest.raises(DatasetError, match=r"lacks the column clip_id; .* it has video_id, text"):
        read_csv(tmp_path / "t.csv", ("file", "text"), ("video_id", "clip_id", "text"))


def test_placeholders_and_what_nobody_sees_are_empty_and_words_are_not() -> None:
    for text in (
        "nan",
        " NaN ",
        "None",
        "NULL",
        "N/A",
        "<NA>",
        "\u200b",
        "\ufeff \u200d",
        "\u2060",
    ):
        assert is_placeholder(text) and not filled({"text": text}, "text")
    for text in ("none", "na", "Nan", "N", "null and void", "می\u200cخواهم"):
        assert filled({"text": text}, "text") == text and not is_placeholder(text)
    for text in ("", "  ", "\xa0"):
        assert not is_placeholder(text) and not filled({"text": text}, "text")


@pytest.mark.parametrize("write", [by_python, by_excel, by_excel_in_germany])
def test_a_table_is_rewritten_as_it_was_written_and_the_old_one_kept(
    tmp_path: Path, write: Callable[[Table], bytes]
) -> None:
    path = tmp_path / "label.csv"
    before = write([[*COLUMNS, ""], ["a", "1", 'x, "y"\nz', "1", "train", ""]])
    path.write_bytes(before)
    table = read_csv(path, COLUMNS)
    more = ["b", "2", "with a\rreturn", "", "test", ""]
    old = rewrite(table, table.header, [*(row.fields for row in table.rows), more])
    assert old == tmp_path / "label.csv.old" and old.read_bytes() == before
    again = read_csv(path, COLUMNS)
    assert again.rows[0].fields == table.rows[0].fields and again.rows[1].fields == more
    assert again[4:] == table[4:]
    assert rewrite(again, again.header, []).name == "label.csv.old2"


def test_rows_that_are_too_short_are_read_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "label.csv"
    path.write_text("video_id,clip_id,text,label,mode,,\na,1,x,1,train\na,2,y,2\na,3\n")
    table = read_csv(path, COLUMNS)
    assert [row.fields for row in table.rows][1:] == [
        ["a", "2", "y", "2", "", "", ""],
        ["a", "3", "", "", "", "", ""],
    ]
    (warning,) = table.warnings()
    assert "label.csv: 2 of 3 rows have fewer fields than columns, the first in line 3" in warning
    path.write_text("video_id,clip_id,text,label,mode,,\na,1,x,1,train\n")
    assert read_csv(path, COLUMNS).warnings() == []
