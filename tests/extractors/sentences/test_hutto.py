"""The archive of rated sentences, whole and broken."""

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.schemas import SENTENCES
from extractors.assets.archives import resolve_archive
from extractors.errors import MissingAsset, SetupError
from extractors.sentences import hutto
from extractors.sentences.hutto import read_hutto

WriteArchive = Callable[..., Path]


def test_sentences_have_their_kind_and_rating(write_archive: WriteArchive) -> None:
    table = read_hutto(write_archive()).table
    assert table.schema.equals(SENTENCES)
    rows = table.to_pylist()
    assert [row["sentence_id"] for row in rows] == [
        *(f"tweets/{i}" for i in (1, 2, 3)),
        "film_reviews/1",
        "product_reviews/1_1",
        "product_reviews/1_2",
        "editorials/1_1",
        "editorials/1_2",
    ]
    assert rows[0]["text"] == "So & good :)"
    assert rows[3]["text"] == "Dreadful film by Truffaut’s cousin"
    assert [row["label"] for row in rows[:3]] == [2.5, -1.25, 0.5]
    assert {row["split"] for row in rows} == {"train"}


def test_deviation_of_another_mean_is_left_unknown_and_counted(write_archive: WriteArchive) -> None:
    read = read_hutto(write_archive())
    assert read.table["deviation"].to_pylist()[:5] == [0.5, None, 0.25, pytest.approx(0.1), 0.75]
    assert read.warnings == [
        "1 of 8 sentences have no deviation: that in the archive is of another mean rating"
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tweets_GroundTruth.txt": None}, "holds no tweets_GroundTruth.txt"),
        ({"tweets_GroundTruth.txt": b"1\t2.5\r\n"}, "line 1 of tweets_GroundTruth.txt has 2 field"),
        ({"tweets_GroundTruth.txt": b"1\t1\ta\n\n1\t2\tb"}, "line 3 .* has the id '1' again"),
        ({"tweets_GroundTruth.txt": b"1\tgood\ta"}, "sentence 1 .* has the rating 'good'"),
        ({"tweets_GroundTruth.txt": b"1\t4.5\ta"}, "sentence 1 .* has the rating '4.5'"),
        ({"tweets_GroundTruth.txt": b"1\tnan\ta"}, "sentence 1 .* has the rating 'nan'"),
        ({"tweets_GroundTruth.txt": b"1\t1\t \r\n"}, "sentence 1 .* and the text ' '"),
        ({"tweets_GroundTruth.txt": b"1\t1\tcaf\xe9"}, "tweets_GroundTruth.txt is not UTF-8"),
    ],
)
def test_a_file_that_differs_is_told_with_its_place(
    write_archive: WriteArchive, changes: dict[str, bytes | None], told: str
) -> None:
    with pytest.raises(SetupError, match=told):
        read_hutto(write_archive(changes))


def test_an_archive_that_is_none_is_told(write_archive: WriteArchive, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(b"<html>not found</html>")
    with pytest.raises(SetupError, match=r"other\.zip is damaged, or no such archive"):
        read_hutto(other)
    whole = write_archive()
    with pytest.raises(SetupError, match="damaged"):
        read_hutto(write_archive(packed=gzip.compress(bytes(2048))[:-20]))
    whole = write_archive().read_bytes()
    other.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SetupError, match="damaged"):
        read_hutto(other)


def test_nothing_is_unpacked_beyond_a_bound(
    write_archive: WriteArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = write_archive(packed=gzip.compress(bytes(10_000_000)))
    monkeypatch.setattr(hutto, "LARGEST", 1_000_000)
    with pytest.raises(SetupError, match="unpacks to more than 1000000 bytes"):
        read_hutto(bomb)


def test_nothing_is_written_and_nothing_run(write_archive: WriteArchive, tmp_path: Path) -> None:
    path = write_archive({"../../escaped.txt": b"x"})
    read_hutto(path)
    assert list(tmp_path.iterdir()) == [path]
    assert not (tmp_path.parent / "escaped.txt").exists()


def test_the_real_archive_has_what_its_authors_say() -> None:
    try:
        path = resolve_archive("hutto-icwsm-2014", offline=True)
    except MissingAsset as error:
        pytest.skip(str(error))
    table = read_hutto(path).table
    assert Counter(table["source"].to_pylist()) == {
        "tweets": 4_200,
        "film_reviews": 10_605,
        "product_reviews": 3_708,
        "editorials": 5_190,
    }
    first = table.slice(0, 1).to_pylist()[0]
    assert first["label"] == pytest.approx(2.726315789) and first["deviation"] is not None
