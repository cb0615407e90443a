"""Tables of texts and scores of all kinds, and what is wrong with some."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.parquet import read_table
from contracts.schemas import SENTENCES
from extractors.datasets.labels import DatasetError
from extractors.sentences.tables import Columns, Imported, import_sentences

COLUMNS = Columns("text", "score")


def importing(
    folder: Path, content: str, columns: Columns = COLUMNS, name: str = "t.csv", **more: Any
) -> Imported:
    (folder / name).write_text(content, "utf-8")
    label_range = more.get("label_range", (-4, 4))
    return import_sentences(folder / name, folder / "out.parquet", columns, label_range)


def written(folder: Path) -> list[dict[str, Any]]:
    table = read_table(folder / "out.parquet")
    assert table.schema.equals(SENTENCES)
    return table.to_pylist()


def test_every_column_that_is_named_is_read(tmp_path: Path) -> None:
    columns = Columns("text", "score", "kind", "sd", "mode", "nr")
    imported = importing(
        tmp_path,
        'nr,text,score,sd,kind,mode,more\na,"So, so  good",3.5,0.5,tweet,train,x\n'
        "b,Bad,-2,,review,test,x\n",
        columns,
    )
    assert imported == Imported({"train": 1, "valid": 0, "test": 1}, {"tweet": 1, "review": 1}, [])
    first, second = written(tmp_path)
    assert first == {
        "sentence_id": "a",
        "source": "tweet",
        "text": "So, so good",
        "label": 3.5,
        "deviation": 0.5,
        "split": "train",
    }
    assert (second["deviation"], second["split"]) == (None, "test")


def test_tabs_a_byte_order_mark_and_parquet_give_the_same(tmp_path: Path) -> None:
    importing(tmp_path, "text,score\nGood,1\nBad,-1\n")
    expected = written(tmp_path)
    importing(tmp_path, "\ufefftext\tscore\r\nGood\t1\r\nBad\t-1\r\n", name="t.tsv")
    assert written(tmp_path) == expected
    importing(tmp_path, "text;score\nGood;1\nBad;-1\n")
    assert written(tmp_path) == expected
    table = pa.table({"text": ["Good", "Bad"], "score": pa.array([1, -1], pa.int8())})
    pq.write_table(table, tmp_path / "t.parquet")
    import_sentences(tmp_path / "t.parquet", tmp_path / "out.parquet", COLUMNS, (-1, 1))
    assert written(tmp_path) == expected


def test_rows_that_cannot_be_used_are_counted_with_the_first(tmp_path: Path) -> None:
    imported = importing(
        tmp_path,
        "text,score\nGood,1\n  ,2\nHm,\nHm,nan\nHm,1_0\nHm,good\nHm,inf\nGood,1\n,\nnan,1\nN/A,1\n"
        "Good,2\n",
    )
    assert imported.sentences["train"] == 2
    assert imported.warnings == [
        "3 rows have no text and are left out (the first: row 2)",
        "2 rows have no score and are left out (the first: row 3)",
        "2 rows have a score that is no number and are left out (the first: row 5)",
        "1 rows have a score that is not finite and are left out (the first: row 7)",
        "1 rows repeat another row and are left out (the first: row 8)",
        "1 texts are there again with another score; all stay",
    ]


def test_missing_values_of_parquet_are_none(tmp_path: Path) -> None:
    table = pa.table({"text": ["Good", None, "Bad"], "score": [1.5, 1.0, float("nan")]})
    pq.write_table(table, tmp_path / "t.parquet")
    imported = import_sentences(tmp_path / "t.parquet", tmp_path / "out.parquet", COLUMNS, (-4, 4))
    assert imported.sentences["train"] == 1 and len(imported.warnings) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("text,score\nGood,5\n", "row 1 has the score 5, which is not within -4 to 4: .*--label-r"),
        ("text,stars\nGood,5\n", "lacks the column score"),
        ('text,score\n"Good,1\nBad,2\n', "line 2: a double quote opens here, and none closes it"),
        ("text,score\nGood, or not,1\n", "line 2: more fields than columns"),
        ("text,score\n", r"no row can be used \(it has none\)"),
        ("text,score\n,1\nx,\n", r"no row can be used \(1 have no text; 1 have no score\)"),
        ("", "lacks the column"),
    ],
)
def test_a_table_of_another_kind_is_refused(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        importing(tmp_path, content)
    assert not (tmp_path / "out.parquet").exists()


def test_an_id_twice_and_a_split_that_is_none_are_refused(tmp_path: Path) -> None:
    content = "nr,text,score,mode\n1,a,1,train\n1,b,1,train\n"
    with pytest.raises(DatasetError, match="the id '1' is there twice, in rows 1 and 2"):
        importing(tmp_path, content, COLUMNS._replace(id="nr"))
    with pytest.raises(DatasetError, match="row 1 has the split 'dev', not one of train, valid"):
        importing(tmp_path, content.replace("train", "dev"), COLUMNS._replace(split="mode"))


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"t\.csv: no such file"):
        import_sentences(tmp_path / "t.csv", tmp_path / "o.parquet", COLUMNS, (0, 1))
    (tmp_path / "t.xlsx").touch()
    with pytest.raises(DatasetError, match=r"\.xlsx is not read; save the table as \.csv"):
        import_sentences(tmp_path / "t.xlsx", tmp_path / "o.parquet", COLUMNS, (0, 1))
    (tmp_path / "t.parquet").write_bytes(b"text,score")
    with pytest.raises(DatasetError, match="is no Parquet file"):
        import_sentences(tmp_path / "t.parquet", tmp_path / "o.parquet", COLUMNS, (0, 1))
    (tmp_path / "t.csv").write_bytes("text,score\ncafé,1\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="is not UTF-8"):
        import_sentences(tmp_path / "t.csv", tmp_path / "o.parquet", COLUMNS, (0, 1))
