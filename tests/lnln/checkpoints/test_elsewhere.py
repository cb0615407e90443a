"""Checkpoints from elsewhere: what is damaged, or too large to be true, is refused by name."""

import hashlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from lnln.checkpoints.checkpoint import Checkpoint, load, save
from lnln.checkpoints.config import CheckpointError
from lnln.data.features import FeatureSet
from lnln.data.language import LanguageEncoder

Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, tmp_path: Path) -> Path:
    save(tmp_path / "model", make_checkpoint(clips))
    return tmp_path / "model"


def edit_config(folder: Path, edit: Edit) -> None:
    file = folder / "config.json"
    content = json.loads(file.read_text("utf-8"))
    edit(content)
    file.write_text(json.dumps(content), "utf-8")


def write_weights(folder: Path, data: bytes) -> None:
    """Replace the weights, and the sha256 of them in the config: an attacker can do both."""
    (folder / "model.safetensors").write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    edit_config(folder, lambda c: c.update(weights_sha256=sha256))


def put(*path: str, value: Any) -> Edit:
    def edit(content: dict[str, Any]) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (put("settings", "width", value=10**10), "width is beyond 1048576"),
        (put("settings", "width", value=10**6), "describes|has the shape"),
        (put("settings", "depth", value=10**6), "more parameters than .*safetensors has"),
        (put("settings", "depth", value=10**9), "depth is beyond"),
        (put("settings", "heads", value=10**6), "has the shape"),
        (put("settings", "tokens", value=10**30), "tokens is beyond|tokens"),
        (put("shapes", "audio_length", value=10**10), "audio_length"),
        (put("shapes", "text_dim", value=10**7), "text_dim"),
        (put("shapes", "audio_dim", value=5), "audio is 5 wide in shapes"),
        (put("label_range", value=[3, -3]), "label_range is 3 to -3"),
        (put("label_range", value=[0, 0]), "label_range is 0 to 0"),
        (put("label_range", value=[math.nan, 3]), "label_range"),
        (put("label_range", value=[-math.inf, 3]), "label_range"),
        (put("normalisation", "audio", "deviation", value=[0, 1, 1, 1]), "greater than 0"),
        (put("normalisation", "audio", "deviation", value=[-1, 1, 1, 1]), "greater than 0"),
        (put("normalisation", "audio", "mean", value=[math.nan, 1, 1, 1]), "finite number"),
        (put("normalisation", "audio", "mean", value=[0.0]), "audio is 4 wide in shapes"),
        (put("settings", "dropout", value=math.nan), "dropout"),
        (put("features", "audio", value=None), "features"),
        (put("features", "audio", "modality", value="vision"), "describes another modality"),
        (put("training", "validation", value="good"), "validation is no mapping"),
        (put("training", "validation", value={"w_mae": []}), "validation is no mapping"),
        (
            put(
                "intervals",
                value={"level": 0.9, "edges": [0.4], "half_widths": [1], "clips": [9, 9]},
            ),
            "1 edges make 2 bins",
        ),
        (
            put(
                "intervals",
                value={"level": 0.9, "edges": [0.6, 0.4], "half_widths": [1] * 3, "clips": [9] * 3},
            ),
            "not ascending",
        ),
        (
            put("intervals", value={"level": 0.9, "edges": [], "half_widths": [-1], "clips": [9]}),
            "below 0",
        ),
    ],
)
def test_config_that_cannot_be_true_is_refused_at_once(
    folder: Path, edit: Edit, message: str
) -> None:
    edit_config(folder, edit)
    begin = time.process_time()
    with pytest.raises(CheckpointError, match=message) as error:
        load(folder)
    assert time.process_time() - begin < 5
    assert "config.json" in str(error.value) or "model.safetensors" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b"null", b'{"model": {}}'])
def test_config_that_is_no_json_of_ours_is_refused(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="is no config of this program"):
        load(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:7],
        lambda data: data[:-10],
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: data.replace(b"F32", b"X32"),
        lambda data: data.replace(b"F32", b"F64", 1),
        lambda data: b"\x80\x04]." + data,
    ],
)
def test_damaged_weights_are_refused_even_under_the_right_sum(
    folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    write_weights(folder, damage((folder / "model.safetensors").read_bytes()))
    with pytest.raises(CheckpointError, match=r"model\.safetensors is no file of weights"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.fill_(math.nan), "is not finite"),
        (lambda w: w.fill_(-math.inf), "is not finite"),
        (lambda w: w.to(torch.complex64), "complex64, the model of its config has"),
        (lambda w: w.to(torch.float16), "float16, the model of its config has"),
        (lambda w: w.to(torch.int64), "int64, the model of its config has"),
        (lambda w: w.to(torch.float8_e4m3fn), "float8_e4m3fn, the model"),
        (lambda w: w.reshape(-1), "the model of its config has"),
    ],
)
def test_weights_of_another_kind_are_refused_by_name(
    folder: Path, change: Callable[[torch.Tensor], torch.Tensor], message: str
) -> None:
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.ndim == 2)
    weights[name] = change(weights[name]).contiguous()
    write_weights(folder, safetensors.torch.save(weights))
    with pytest.raises(CheckpointError, match=f"{name} .*{message}"):
        load(folder)


def test_answers_that_are_no_numbers_are_refused(folder: Path, clips: FeatureSet) -> None:
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    write_weights(
        folder, safetensors.torch.save({n: torch.full_like(t, 3e38) for n, t in weights.items()})
    )
    checkpoint = load(folder)
    with pytest.raises(CheckpointError, match=r"answers with (nan|inf|-inf)"):
        checkpoint.predict(checkpoint.prepare(clips))


@pytest.fixture
def finetuned(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, bert: Path, tmp_path: Path
) -> Path:
    save(tmp_path / "model", make_checkpoint(clips, language=LanguageEncoder.from_folder(bert)))
    return tmp_path / "model"


@pytest.mark.parametrize(
    "code",
    [
        {"attn_implementation": "owner/kernel"},
        {"_attn_implementation": "owner/kernel"},
        {"_attn_implementation_internal": "owner/kernel@main:run"},
        {"attn_implementation": {"": "owner/kernel"}},
        {"auto_map": {"AutoModel": "owner/repo--module.Class"}, "trust_remote_code": True},
        {"output_hidden_states": {"a": 1}, "output_attentions": "yes", "return_dict": False},
        {"chunk_size_feed_forward": 7},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
    ],
)
def test_code_that_a_language_config_names_is_left_out(
    finetuned: Path, clips: FeatureSet, code: dict[str, Any]
) -> None:
    before = load(finetuned)
    edit_config(finetuned, lambda c: c["language"].update(code))
    after = load(finetuned)
    language = after.model.language
    assert isinstance(language, LanguageEncoder)
    assert "owner" not in str(language.config) + str(language.model.config._attn_implementation)
    assert (after.predict(clips).prediction == before.predict(clips).prediction).all()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"num_hidden_layers": 10**6}, "more parameters than"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is beyond"),
        ({"hidden_size": 10**6}, "has the shape|cannot|can be built"),
        ({"vocab_size": 10**10}, "vocab_size is beyond"),
        ({"max_position_embeddings": 10**6}, "has the shape"),
        ({"model_type": "timm_wrapper"}, "model_type='timm_wrapper' is no language model"),
        ({"model_type": ["bert"]}, "is no language model"),
        ({"hidden_size": "eight"}, "can be built"),
        ({"num_attention_heads": 0}, "can be built"),
        ({"hidden_act": "os.system"}, "can be built"),
        ({"layer_norm_eps": None}, "layer_norm_eps is a NoneType, not a float"),
        ({"layer_norm_eps": "tiny"}, "layer_norm_eps is a str, not a float"),
        ({"is_decoder": {}}, "is_decoder is a dict, not a bool"),
        ({"pad_token_id": 1.5}, "pad_token_id is a float, not a int"),
    ],
)
def test_language_config_that_cannot_be_true_is_refused_at_once(
    finetuned: Path, edit: dict[str, Any], message: str
) -> None:
    edit_config(finetuned, lambda c: c["language"].update(edit))
    begin = time.process_time()
    with pytest.raises(CheckpointError, match=message):
        load(finetuned)
    assert time.process_time() - begin < 5


def test_kernel_that_the_folder_of_an_encoder_names_is_not_taken(bert: Path) -> None:
    before = LanguageEncoder.from_folder(bert).model.config._attn_implementation
    file = bert / "config.json"
    content = file.read_text("utf-8")
    try:
        file.write_text(json.dumps(json.loads(content) | {"attn_implementation": "owner/kernel"}))
        assert LanguageEncoder.from_folder(bert).model.config._attn_implementation == before
    finally:
        file.write_text(content, "utf-8")
