"""Text models from elsewhere whose weights are not those of their config: refused by name."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from extractors.assets.resolving import resolve
from extractors.errors import MissingAsset

Weights = dict[str, torch.Tensor]


@pytest.fixture
def folder(make_bert: Callable[..., Path]) -> Path:
    return make_bert(["good", "bad"])


def test_model_whose_weights_are_its_own_is_found(folder: Path) -> None:
    assert resolve(str(folder), offline=True) == folder


def one(weights: Weights) -> str:
    return next(name for name in weights if name.endswith("attention.output.dense.weight"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: {n: t for n, t in w.items() if n != one(w)}, "lacks .*output.dense.weight"),
        (lambda w: w | {one(w): w[one(w)] * float("nan")}, "dense.weight in .* is not finite"),
        (lambda w: w | {one(w): w[one(w)][:1].clone()}, "damaged"),
    ],
)
def test_weights_that_are_not_those_of_the_config_are_refused(
    folder: Path, change: Callable[[Weights], Weights], message: str
) -> None:
    file = folder / "model.safetensors"
    save_file(change(load_file(file)), file, {"format": "pt"})
    with pytest.raises(MissingAsset, match=f"is not a usable text model: .*{message}"):
        resolve(str(folder), offline=True)


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\x02\0\0\0\0\0\0\0{}"])
def test_damaged_weights_are_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(MissingAsset, match="is not a usable text model"):
        resolve(str(folder), offline=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_hidden_layers": 100_000}, "more layers than"),
        ({"vocab_size": 10**9}, "vocab_size in config.json is beyond"),
        ({"vocab_size": 10**6}, "more than model.safetensors has bytes"),
        ({"model_type": "roberta"}, "it is a 'roberta' model"),
        ({"hidden_size": "eight"}, "damaged"),
    ],
)
def test_config_that_describes_another_model_is_refused_at_once(
    folder: Path, change: dict[str, Any], message: str
) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | change), "utf-8")
    begin = time.process_time()
    with pytest.raises(MissingAsset, match=message):
        resolve(str(folder), offline=True)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("content", ["", '{"a": 1}', "[" * 100_000])
def test_damaged_tokenizer_is_refused(folder: Path, content: str) -> None:
    (folder / "tokenizer.json").write_text(content, "utf-8")
    with pytest.raises(MissingAsset, match="is not a usable text model: it is damaged"):
        resolve(str(folder), offline=True)
