"""Predictions for new clips: an answer and what was observed, or none and the reason."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from contracts.files import DamagedFile
from lnln import load, predict
from lnln.checkpoints.checkpoint import Checkpoint, save
from lnln.checkpoints.config import CheckpointError
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.data.reading import from_tables
from lnln.explaining.reader import Reader
from lnln.prediction_table import TABLE, to_table
from tests.lnln.prediction.conftest import ALL, LEARNED, WITHOUT


def relabelled(table: pa.Table, **changes: object) -> pa.Table:
    """Change what the schema metadata say of a table."""
    info = json.loads(table.schema.metadata[b"features"]) | changes
    return table.replace_schema_metadata({"features": json.dumps(info)})


def test_every_clip_gets_an_answer_in_order(model: Checkpoint, tables: dict[str, pa.Table]) -> None:
    answers = predict(SimpleNamespace(**tables), model)
    assert [a.clip_id for a in answers] == ["a", "b", "c", "d"]
    for answer in answers[:3]:
        assert answer.prediction is not None and -3 <= answer.prediction <= 3
        assert answer.w is not None and 0 < answer.w < 1


def test_answer_is_that_of_the_model(model: Checkpoint, tables: dict[str, pa.Table]) -> None:
    clips = from_tables(**tables).take([0, 1, 2])
    scores = model.predict(model.prepare(clips))
    answers = predict(SimpleNamespace(**tables), model)
    assert [a.prediction for a in answers[:3]] == scores.prediction.tolist()


def test_clip_in_which_nothing_was_observed_gets_no_prediction_and_is_told_so(
    model: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    answer = predict(SimpleNamespace(**tables), model)[3]
    assert answer.prediction is None
    assert answer.w is None
    assert answer.observed == dict.fromkeys(ALL, 0.0)
    assert answer.warnings == [
        "nothing was observed, neither words nor sound nor a face: no prediction"
    ]


def test_nothing_observed_in_any_clip_is_no_error(
    model: Checkpoint, make_tables: Callable[..., dict[str, pa.Table]]
) -> None:
    answers = predict(SimpleNamespace(**make_tables({"d": 0.0}, without=WITHOUT)), model)
    assert [a.prediction for a in answers] == [None]


def test_missing_modalities_are_named(model: Checkpoint, tables: dict[str, pa.Table]) -> None:
    complete, silent, faceless, _ = predict(SimpleNamespace(**tables), model)
    assert complete.warnings == []
    assert silent.observed["audio"] == 0 and silent.observed["text"] == 1
    assert silent.warnings == ["no sound observed"]
    assert faceless.warnings == ["no words observed", "no face observed"]


def test_long_clips_are_told_that_they_were_cut(
    make_set: Callable[..., FeatureSet],
    make_checkpoint: Callable[..., Checkpoint],
    tables: dict[str, pa.Table],
) -> None:
    whole = make_checkpoint(make_set("train", 8), training=LEARNED)
    shapes = whole.config.shapes.model_copy(update={"audio_length": 6})
    short = Checkpoint(whole.model, whole.config.model_copy(update={"shapes": shapes}))
    rows = from_tables(**tables).audio.counts[0]
    answer = predict(SimpleNamespace(**tables), short)[0]
    read = f"only the first 6 rows of the sound were read ({6 / rows:.0%})"
    assert answer.warnings == [read]


def test_what_was_odd_about_a_file_stands_in_its_answer(
    model: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    odd = [["time stamps start again 1 times"] if i == 1 else [] for i in range(4)]
    changed = {}
    for modality in ("audio", "vision"):
        column = pa.array(odd, pa.list_(pa.string()))
        changed[modality] = tables[modality].append_column("warnings", column)
    answers = predict(SimpleNamespace(**tables | changed), model)
    assert [a.warnings.count(odd[1][0]) for a in answers] == [0, 1, 0, 0]


def test_notice_of_the_model_comes_with_every_answer(
    make_set: Callable[..., FeatureSet],
    make_checkpoint: Callable[..., Checkpoint],
    tables: dict[str, pa.Table],
) -> None:
    model = make_checkpoint(make_set("train", 8), notice="trained on a toy", training=LEARNED)
    answers = predict(SimpleNamespace(**tables), model)
    assert all(a.warnings[-1] == "trained on a toy" for a in answers)


def test_prediction_stays_within_the_label_range(
    make_set: Callable[..., FeatureSet],
    make_checkpoint: Callable[..., Checkpoint],
    tables: dict[str, pa.Table],
) -> None:
    model = make_checkpoint(make_set("train", 8))
    with torch.no_grad():
        model.model.regressor.bias.fill_(50)
    assert predict(SimpleNamespace(**tables), model)[0].prediction == 3


def test_what_was_said_comes_from_the_transcripts(
    model: Checkpoint, tables: dict[str, pa.Table], tmp_path: Path
) -> None:
    transcripts = pa.table({"clip_id": ["a", "b"], "text": ["good", "bad"]})
    features = SimpleNamespace(**tables, transcripts=transcripts)
    assert [a.text for a in predict(features, model)] == ["good", "bad", "", ""]


def test_answer_says_where_its_words_are_from_and_whether_anybody_listened(
    model: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    sources = ["given", "asr", "unknown"]
    transcripts = pa.table(
        {"clip_id": ["a", "b", "c"], "text": ["good", "bad", ""], "source": sources}
    )
    answers = predict(SimpleNamespace(**tables, transcripts=transcripts), model)
    assert [a.text_source for a in answers] == [*sources, ""]
    assert answers[2].prediction is not None
    assert answers[2].warnings == [
        "no words: they were neither given nor recognised",
        "no face observed",
    ]
    assert to_table(answers)["text_source"].to_pylist() == [*sources, ""]


def test_folder_and_tables_give_the_same_answers(
    model: Checkpoint, tables: dict[str, pa.Table], tmp_path: Path
) -> None:
    for modality, table in tables.items():
        folder = tmp_path / "features" / modality
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "part-0.parquet")
    pq.write_table(pa.table({"clip_id": ["a"], "text": ["good"]}), tmp_path / "transcripts.parquet")
    save(tmp_path / "model", model)
    answers = predict(tmp_path, load(tmp_path / "model"))
    assert answers[0].text == "good"
    assert answers[1:] == predict(SimpleNamespace(**tables), model)[1:]


@pytest.mark.parametrize("name", ["transcripts", "manifest"])
def test_torn_table_beside_the_features_is_told_by_name(
    model: Checkpoint, tables: dict[str, pa.Table], tmp_path: Path, name: str
) -> None:
    for modality, table in tables.items():
        (tmp_path / "features" / modality).mkdir(parents=True)
        pq.write_table(table, tmp_path / "features" / modality / "part-0.parquet")
    (tmp_path / f"{name}.parquet").write_bytes(b"PAR1torn")
    with pytest.raises(DamagedFile, match=rf"{name}\.parquet is no Parquet file, or torn"):
        predict(tmp_path, model)
    pq.write_table(pa.table({"clip_id": [1]}), tmp_path / f"{name}.parquet")
    with pytest.raises(DamagedFile, match=rf"{name}\.parquet: its column clip_id is of int64"):
        predict(tmp_path, model)


def test_features_with_other_columns_are_refused(
    model: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    other = relabelled(tables["audio"], names=["loudness", "f0", "zcr", "jitter"])
    with pytest.raises(CheckpointError, match=r"audio features.*differing: jitter, rms"):
        predict(SimpleNamespace(**tables | {"audio": other}), model)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": {"fps": 25}}, "vision features were extracted with the setting fps=25.* 10"),
        ({"assets": {"face": "ff"}}, "asset face='ff', the model was trained with None"),
    ],
)
def test_features_extracted_otherwise_are_refused(
    model: Checkpoint, tables: dict[str, pa.Table], changes: dict, message: str
) -> None:
    other = relabelled(tables["vision"], **changes)
    with pytest.raises(CheckpointError, match=message):
        predict(SimpleNamespace(**tables | {"vision": other}), model)


def test_neighbours_in_a_batch_do_not_change_an_answer(
    model: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    together = predict(SimpleNamespace(**tables), model)
    alone = predict(SimpleNamespace(**{m: t.slice(1, 1) for m, t in tables.items()}), model)
    assert alone[0].prediction == pytest.approx(together[1].prediction, abs=1e-5)
    assert np.isfinite(alone[0].prediction)


def test_importing_the_package_imports_no_torch() -> None:
    check = "import lnln, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_prediction_is_explained_where_it_is_asked_for(
    model: Checkpoint,
    tables: dict[str, pa.Table],
    language: FrozenLanguageEncoder,
    make_bert: Callable[..., Path],
) -> None:
    vocabulary = make_bert([f"w{i}" for i in range(5, 30)])
    reader = Reader(language, Reader.from_folder(vocabulary).tokenizer)
    answers = predict(SimpleNamespace(**tables), model, reader=reader)
    plain = predict(SimpleNamespace(**tables), model)
    assert [a.explanation is None for a in answers] == [False, False, False, True]
    assert [a.prediction for a in answers] == [a.prediction for a in plain]
    some = predict(SimpleNamespace(**tables), model, reader=reader, explained=[answers[1].clip_id])
    assert [a.explanation for a in some] == [None, answers[1].explanation, None, None]
    none = predict(SimpleNamespace(**tables), model, reader=reader, explained=[])
    assert none == plain
    told = answers[0].explanation
    assert told is not None and told.words
    assert told.nothing + sum(told.modalities.values()) == pytest.approx(told.score, abs=1e-6)
    assert to_table(plain).column_names == TABLE.names
    row = to_table(answers).to_pylist()[0]
    assert row["contribution_text"] == told.modalities["text"]
    first = max(told.words, key=lambda word: abs(word.contribution))
    assert row["strongest_words"][0] == f"{first.text} {first.contribution:+.2f}"
    assert to_table(answers).to_pylist()[3]["contribution_audio"] is None
