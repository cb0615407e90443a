"""What a dataset trains with: scale, splits, word pieces, leakage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import feature_info
from contracts.parquet import write_table
from contracts.schemas import SENTENCES, TRAINING_SENTENCES
from extractors.assets.archives import ARCHIVES
from extractors.errors import SetupError
from extractors.sentences import gathering
from extractors.sentences.gathering import gather, read_corpus
from extractors.settings import SentenceSettings, TextSettings
from extractors.text.extractor import TextExtractor

WORDS = ("so", "good", "no", "it", "works", "well", "done", "maybe", "film", "by")
SPLITS = {"train": ["tweets", "product_reviews"], "test": ["editorials"]}
VARIABLE = "LNLN_ASSET_HUTTO_ICWSM_2014"


def settings(**changes: Any) -> SentenceSettings:
    usual = {"label_range": (-4, 4), "language": "en", "archive": "hutto-icwsm-2014"}
    return SentenceSettings(**usual | {"splits": SPLITS} | changes)


@pytest.fixture
def text(make_bert: Callable[..., Path]) -> TextSettings:
    return TextSettings(model=str(make_bert(WORDS)), max_tokens=5)


@pytest.fixture
def archive(write_archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(write_archive()))


def gathered(text: TextSettings, **more: Any) -> gathering.Gathered:
    usual: dict[str, Any] = {"corpora": {"rated": settings()}, "label_range": (-3, 3)}
    asked = usual | {"language": "en", "said": {}, "offline": True} | more
    return gather(asked.pop("corpora"), text, **asked)


@pytest.mark.usefixtures("archive")
def test_sentences_come_on_the_dataset_s_scale_as_its_word_pieces(text: TextSettings) -> None:
    table = gathered(text).table
    assert table.schema.equals(TRAINING_SENTENCES)
    rows = table.to_pylist()
    assert [row["sentence_id"] for row in rows] == [
        *(f"tweets/{i}" for i in (1, 2, 3)),
        *(f"editorials/{i}" for i in ("1_1", "1_2")),
    ]
    assert {row["corpus"] for row in rows} == {"rated"}
    assert [row["label"] for row in rows[:3]] == pytest.approx([1.875, -0.9375, 0.375])
    assert rows[0]["deviation"] == pytest.approx(0.375) and rows[1]["deviation"] is None
    assert [row["split"] for row in rows] == ["train"] * 3 + ["test"] * 2
    extractor = TextExtractor(text, offline=True)
    for row in rows:
        tokens = extractor.extract(row["text"], [])
        assert row["token_ids"] == tokens.token_ids.tolist()
        assert row["special"] == tokens.special.tolist()
    assert feature_info(table) == extractor.info()


@pytest.mark.usefixtures("archive")
def test_whatever_is_left_out_or_cut_is_told(text: TextSettings) -> None:
    told = gathered(text, language="zh", said={"test": ["no"]})
    assert told.leaked == 3
    assert told.warnings == [
        "rated: 1 of 8 sentences have no deviation: that in the archive is of another mean rating",
        "rated: 1 sentences of film_reviews are in no split and left out",
        "rated is in 'en', the dataset in 'zh'",
        "1 sentences were cut after 5 tokens",
        "leakage: 2 sentences are in the train split of the sentences and in their test split; not "
        "trained with (such as 'it works', 'well done')",
        "leakage: 1 sentences are in the train split of the sentences and in clips of the "
        "dataset's test split; not trained with (such as 'no')",
    ]


@pytest.mark.usefixtures("archive")
def test_the_same_bytes_come_out_again(text: TextSettings, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table(gathered(text).table, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_corpora_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "TextExtractor", None)
    told = gather({}, TextSettings(), label_range=(-3, 3), language="en", said={})
    assert told.table.equals(TRAINING_SENTENCES.empty_table())
    assert (told.warnings, told.leaked) == ([], 0)


def test_an_imported_corpus_has_its_own_splits_and_leaks_into_others(
    text: TextSettings, tmp_path: Path, archive: None
) -> None:
    rows = [("Good!", 5.0, "train"), ("maybe", 1.0, "test"), ("so", 3.0, "valid")]
    table = pa.Table.from_pylist(
        [
            {"sentence_id": str(i), "source": "all", "text": t, "label": label, "split": split}
            for i, (t, label, split) in enumerate(rows)
        ],
        schema=SENTENCES,
    )
    write_table(table, tmp_path / "stars.parquet")
    stars = settings(label_range=(1, 5), archive=None, splits=None)
    told = gathered(text, corpora={"rated": settings(), "stars": stars}, folder=tmp_path)
    own = [row for row in told.table.to_pylist() if row["corpus"] == "stars"]
    assert [(row["label"], row["split"]) for row in own] == [
        (3, "train"),
        (-3, "test"),
        (0, "valid"),
    ]
    trained = [r["text"] for r in told.table.to_pylist() if r["split"] == "train"]
    assert "Maybe\x85" not in trained and "Maybe" not in trained
    with pytest.raises(SetupError, match="1 ratings are not within 1 to 4, its label_range; 0 has"):
        read_corpus("stars", stars.model_copy(update={"label_range": (1, 4)}), folder=tmp_path)


@pytest.mark.usefixtures("archive")
def test_a_source_that_is_none_is_told_with_those_there_are() -> None:
    wrong = settings(splits={"train": ["twets"]})
    with pytest.raises(SetupError, match="'twets' is no source of it; there are tweets, film_re"):
        read_corpus("rated", wrong, offline=True)


def test_an_imported_corpus_that_is_not_there_is_told_with_the_command(tmp_path: Path) -> None:
    mine = settings(archive=None, splits=None)
    with pytest.raises(SetupError, match="lnln import-sentences FILE --name mine writes it"):
        read_corpus("mine", mine, folder=tmp_path)
    write_table(pa.table({"text": ["a"]}), tmp_path / "mine.parquet")
    with pytest.raises(SetupError, match="has other columns than a table of sentences"):
        read_corpus("mine", mine, folder=tmp_path)
    (tmp_path / "mine.parquet").write_bytes(b"nothing")
    with pytest.raises(SetupError, match="is no table of sentences"):
        read_corpus("mine", mine, folder=tmp_path)


def test_a_rating_at_the_end_of_a_range_that_float32_rounds_is_within(tmp_path: Path) -> None:
    row = {"sentence_id": "1", "source": "s", "text": "a", "label": 0.3, "split": "train"}
    write_table(pa.Table.from_pylist([row], schema=SENTENCES), tmp_path / "mine.parquet")
    mine = settings(archive=None, splits=None, label_range=(0, 0.3))
    labels = read_corpus("mine", mine, folder=tmp_path).table["label"].to_numpy()
    assert labels.tolist() == [float(np.float32(0.3))]


def test_every_archive_of_sentences_has_a_reader() -> None:
    assert gathering.READERS.keys() == ARCHIVES.keys()
