"""From a table of sentences to a model that was trained with them, stage by stage."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.parquet import read_table
from pipeline.commands.main import app
from pipeline.params import load_dataset, load_params
from pipeline.stages import (
    dataset,
    extract,
    incomplete,
    ingest,
    segment,
    sentences,
    train,
    transcribe,
)

WORDS = ("good", "bad", "film", "the", "so")
SMALL = ("width", "tokens", "heads", "head_width", "hyper_head_width")


def lnln(*arguments: str) -> None:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output


@pytest.mark.slow
def test_a_dataset_of_features_trains_with_a_corpus_of_one_s_own(
    project: Path,
    change: Callable[..., None],
    make_bert: Callable[..., Path],
    mmsa: Any,
    write_pickle: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [f"{WORDS[i % 2]} {WORDS[i % 5]} {i},{(-1) ** i}" for i in range(20)]
    (project / "t.csv").write_text("\n".join(["text,score", *rows]) + "\n", "utf-8")
    lnln("import-mmsa", str(write_pickle(mmsa(WORDS))), "--dataset", "mosi")
    options = ("--text", "text", "--label", "score", "--label-range", "-1", "1")
    lnln("import-sentences", "t.csv", "--name", "mine", *options)
    corpus = {"kind": "sentences", "label_range": [-1, 1], "language": "en", "source": "me"}
    change("mine", corpus | {"archive": None, "splits": None}, file="datasets.yaml")
    change("mosi.sentences", {"mine": 0.5}, file="datasets.yaml")
    change("mosi.text.model", str(make_bert(WORDS)), file="datasets.yaml")
    change("dataset", "mosi")
    change("run.workers", 1)
    change("masks.valid_rates", [0.5])
    change("train.epochs", 2)
    change("train.finetune_language", False)
    for name in SMALL:
        change(f"lnln.{name}", 4 if name != "heads" else 1)
    for stage in (dataset, ingest, transcribe, segment):
        stage.main()
    for modality in ("text", "audio", "vision"):
        monkeypatch.setattr(sys, "argv", ["extract", modality])
        extract.main()
    incomplete.main()
    sentences.main()
    labels = read_table("outputs/sentences.parquet")["label"].to_pylist()
    assert labels == [3.0, -3.0] * 10
    for model, taken in (("lnln", {"mine": 3}), ("constant", None)):
        train.fit(load_params(), load_dataset(), model, 1)
        folder = Path("models/trained") / f"{model}-1"
        training = json.loads((folder / "config.json").read_text("utf-8"))["training"]
        assert training.get("sentences") == taken
        assert training["clips"] == {"train": 6, "valid": 3}
