"""A checkpoint of the published code answers to a pickle of MMSA, both brought in by commands."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from lnln import load, predict
from lnln.checkpoints.importing import PUBLISHED, Published
from lnln.data.language import LanguageEncoder
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.published_names import published_name
from lnln.models.lnln.settings import LNLNSettings
from lnln.settings import Shapes
from pipeline.commands.main import app
from pipeline.stages import dataset, extract, ingest, segment, transcribe

WORDS = ("good", "bad", "film", "the")
BERT = {
    "vocab_size": 9,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
SMALL = Shapes(
    text_dim=16, audio_dim=5, vision_dim=4, text_length=10, audio_length=12, vision_length=9
)


@pytest.mark.slow
def test_pickle_is_scored_by_a_published_checkpoint(
    project: Path,
    change: Callable[..., None],
    make_bert: Callable[..., Path],
    mmsa: Any,
    write_pickle: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = Published("CMU-MOSI", SMALL, 2, 0.8, "mosi", (-3, 3), "bert-base-uncased", BERT)
    monkeypatch.setitem(PUBLISHED, "mosi", small)
    monkeypatch.setattr("lnln.checkpoints.importing.UNK", 1)  # of the tiny vocabulary
    language = LanguageEncoder.from_config({"model_type": "bert"} | BERT)
    settings = LNLNSettings(variant="official", fusion_depth=2)
    weights = LNLN(settings, SMALL, language).state_dict()
    state = {published_name(name): value for name, value in weights.items()}
    torch.save({"epoch": 1, "optimizer": {}, "state_dict": state}, project / "best.pth")
    commands = (
        ("import-checkpoint", "best.pth", "--config", "mosi"),
        ("import-mmsa", str(write_pickle(mmsa(WORDS))), "--dataset", "mosi"),
    )
    for command in commands:
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output

    change("dataset", "mosi")
    change("run.workers", 1)
    change("mosi.text.model", str(make_bert(WORDS)), file="datasets.yaml")
    for stage in (dataset, ingest, transcribe, segment):
        stage.main()
    for modality in ("text", "audio", "vision"):
        monkeypatch.setattr(sys, "argv", ["extract", modality])
        extract.main()
    answers = predict("outputs", load("models/mosi"))
    assert len(answers) == 12
    assert all(answer.prediction is not None for answer in answers)
    assert len({answer.prediction for answer in answers}) == 12
