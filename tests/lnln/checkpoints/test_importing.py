"""Checkpoints of the published code: read to the last weight, or refused by name."""

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor
from transformers import BertConfig, BertModel

from lnln.checkpoints.checkpoint import load, save
from lnln.checkpoints.config import CheckpointError
from lnln.checkpoints.importing import PUBLISHED, Published, import_checkpoint
from lnln.data.batches import Inputs
from lnln.data.features import FeatureSet
from lnln.data.language import LanguageEncoder
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.published_names import published_name
from lnln.models.lnln.settings import LNLNSettings, LossWeights
from lnln.settings import Shapes

SETTINGS = dict(PUBLISHED)  # a fixture makes one of them small

BERT = {
    "vocab_size": 30,
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 32,
}
State = dict[str, Any]


@pytest.fixture(autouse=True)
def small(reference_shapes: Shapes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `mosi` have the shapes of the reference and a tiny BERT."""
    small = Published(
        "CMU-MOSI", reference_shapes, 2, 0.8, "mosi", (-3, 3), "bert-base-uncased", BERT
    )
    monkeypatch.setitem(PUBLISHED, "mosi", small)


@pytest.fixture
def state(reference_weights: dict[str, Tensor]) -> State:
    """What the published code has in `state_dict`, its BERT with all that BERT had then."""
    bert = BertModel(BertConfig(**BERT)).state_dict()
    bert["embeddings.position_ids"] = torch.arange(32)[None]
    assert "pooler.dense.weight" in bert
    return reference_weights | {f"bertmodel.model.{name}": value for name, value in bert.items()}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(state: Any, **more: Any) -> Path:
        optimiser = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-4}]}
        content = {"epoch": 7, "optimizer": optimiser, "state_dict": state} | more
        torch.save(content, tmp_path / "best.pth")
        return tmp_path / "best.pth"

    return write


def assert_reference(model: LNLN, inputs: Inputs, expected: dict[str, Any]) -> None:
    with torch.no_grad():
        output = model(inputs)
    for found, key in (
        (output.prediction, "sentiment_preds"),
        (output.w, "completeness_w"),
    ):
        torch.testing.assert_close(found[:, None], torch.tensor(expected[key]), atol=1e-5, rtol=0)


def test_round_trip_gives_the_figures_of_the_published_code(
    write: Callable[..., Path],
    state: State,
    reference: dict[str, Any],
    reference_inputs: tuple[Inputs, Inputs],
    tmp_path: Path,
) -> None:
    save(tmp_path / "ours", import_checkpoint(write(state), "mosi"))
    after = load(tmp_path / "ours")
    assert_reference(after.model, reference_inputs[1], reference["eval"])
    again = {published_name(name): value for name, value in after.model.state_dict().items()}
    dropped = {name for name in state if "position_ids" in name or "pooler" in name}
    assert again.keys() == state.keys() - dropped
    assert all(torch.equal(again[name], state[name]) for name in again)


def test_config_says_where_it_comes_from_and_what_it_reads(
    write: Callable[..., Path], state: State, tmp_path: Path
) -> None:
    checkpoint = import_checkpoint(write(state), "mosi")
    config = checkpoint.config
    assert (config.settings.variant, config.settings.fusion_depth) == ("official", 2)
    assert (config.metric_set, config.label_range, config.normalisation) == ("mosi", (-3, 3), None)
    assert {i.source for i in config.features.values()} == {"MMSA's unaligned features of mosi"}
    assert config.features["text"].unk_id == 100
    assert config.training["imported"]["file"] == "best.pth"
    assert len(config.training["imported"]["sha256"]) == 64
    checkpoint.save_pretrained(tmp_path / "ours")
    for name in ("config.json", "README.md"):
        assert str(tmp_path) not in (tmp_path / "ours" / name).read_text("utf-8")
    card = (tmp_path / "ours" / "README.md").read_text("utf-8")
    assert "It cannot read video" in card
    assert "MMSA's unaligned features of mosi" in card


def test_imported_model_reads_token_ids_through_its_own_bert(
    write: Callable[..., Path], state: State
) -> None:
    checkpoint = import_checkpoint(write(state), "mosi")
    assert (checkpoint.model.layout.text, checkpoint.model.layout.length) == ("ids", "full")
    assert isinstance(checkpoint.model.language, LanguageEncoder)
    word = state["bertmodel.model.embeddings.word_embeddings.weight"]
    found = checkpoint.model.state_dict()["language.model.embeddings.word_embeddings.weight"]
    assert torch.equal(found.cpu(), word)


def test_imported_model_refuses_our_features_and_raw_video(
    write: Callable[..., Path], state: State, make_set: Callable[..., FeatureSet]
) -> None:
    checkpoint = import_checkpoint(write(state), "mosi")
    with pytest.raises(CheckpointError, match="this model cannot read video"):
        _ = checkpoint.extraction
    ours = make_set("test", 2)
    with pytest.raises(
        CheckpointError, match=r"are \(100, 0, None\), those of this text \(1, 0, None\)"
    ):
        checkpoint.prepare(ours)
    info = ours.text.info.model_copy(update={"unk_id": 100})
    ids = ours.text.token_ids + BERT["vocab_size"]
    with pytest.raises(CheckpointError, match=r"vocabulary has 30 word pieces, this text has"):
        checkpoint.prepare(replace(ours, text=replace(ours.text, info=info, token_ids=ids)))
    with pytest.raises(
        CheckpointError, match=r"trained on MMSA's .* this audio is of lnln extract"
    ):
        checkpoint.prepare(replace(ours, text=replace(ours.text, info=info)))


@pytest.mark.parametrize("key", ["proj_x.weight", "module.h_p", "bertmodel.model.lm_head.bias"])
def test_unknown_weight_is_named_and_refused(
    write: Callable[..., Path], state: State, key: str
) -> None:
    with pytest.raises(CheckpointError, match=rf"best.pth is refused: {key} is unknown"):
        import_checkpoint(write(state | {key: torch.zeros(1)}), "mosi")


def test_missing_weights_are_named_and_counted(write: Callable[..., Path], state: State) -> None:
    kept = {name: value for name, value in state.items() if not name.startswith("bertmodel")}
    with pytest.raises(
        CheckpointError, match=r"bertmodel.model.embeddings.*\(and \d+ more\) is missing"
    ):
        import_checkpoint(write(kept), "mosi")


def test_weight_of_another_shape_is_named_with_both_shapes(
    write: Callable[..., Path], state: State
) -> None:
    changed = state | {"proj_a.0.weight": torch.zeros(128, 74)}
    with pytest.raises(
        CheckpointError,
        match=r"proj_a.0.weight has the shape \[128, 74\], the network of these settings "
        r"\[128, 7\]; was it trained with the settings of another of mosi, mosei, sims",
    ):
        import_checkpoint(write(changed), "mosi")


def test_weight_that_is_not_finite_is_named(write: Callable[..., Path], state: State) -> None:
    changed = state | {"h_p": torch.full_like(state["h_p"], torch.nan)}
    with pytest.raises(CheckpointError, match="h_p is not finite"):
        import_checkpoint(write(changed), "mosi")


def test_other_content_is_named_and_refused(write: Callable[..., Path], state: State) -> None:
    with pytest.raises(CheckpointError, match="it also holds arguments"):
        import_checkpoint(write(state, arguments={"seed": 1}), "mosi")
    with pytest.raises(CheckpointError, match="it also holds h_p"):
        import_checkpoint(write(state | {"h_p": 1.0}), "mosi")
    with pytest.raises(CheckpointError, match="it has no state_dict"):
        import_checkpoint(write(None), "mosi")


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("where", ["state_dict", "optimizer", "epoch"])
def test_code_in_the_file_does_not_run(
    write: Callable[..., Path], state: State, tmp_path: Path, where: str
) -> None:
    path = write(state, **{where: Evil(tmp_path / "marker")})
    with pytest.raises(CheckpointError, match=r"best.pth is refused: .*mkdir"):
        import_checkpoint(path, "mosi")
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_in_a_bare_pickle_does_not_run(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "best.pth"
    path.write_bytes(pickle.dumps({"state_dict": Evil(tmp_path / "marker")}, protocol))
    with pytest.raises(CheckpointError, match=r"best.pth is refused"):
        import_checkpoint(path, "mosi")
    assert not (tmp_path / "marker").exists()


def test_damaged_file_is_one_message(write: Callable[..., Path], state: State) -> None:
    path = write(state)
    whole = path.read_bytes()
    for part in (b"", b"no checkpoint", whole[: len(whole) // 2], whole[:-100]):
        path.write_bytes(part)
        with pytest.raises(CheckpointError, match=r"best.pth is refused"):
            import_checkpoint(path, "mosi")


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"best.pth"):
        import_checkpoint(tmp_path / "best.pth", "mosi")


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="'iemocap' is none of the published mosi, mosei"):
        import_checkpoint(tmp_path / "best.pth", "iemocap")


def test_published_model_has_the_size_that_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the published shapes again
    published = PUBLISHED["mosi"]
    assert published.shapes.audio_dim == 5
    with torch.device("meta"):
        language = LanguageEncoder.from_config({"model_type": "bert"} | published.bert)
        settings = LNLNSettings(variant="official", fusion_depth=published.fusion_depth)
        model = LNLN(settings, published.shapes, language)
    pooler = 768 * 768 + 768  # counted there, and not read
    counts = [sum(p.numel() for p in m.parameters()) + pooler for m in (model, language)]
    assert [round(count / 1e6) for count in counts] == [116, 109]


@pytest.mark.parametrize(
    ("name", "dims", "lengths"),
    [
        ("mosei", (768, 74, 35), (50, 500, 500)),
        ("sims", (768, 33, 709), (39, 400, 55)),
    ],
)
def test_published_shapes(name: str, dims: tuple[int, ...], lengths: tuple[int, ...]) -> None:
    shapes = PUBLISHED[name].shapes
    assert (shapes.text_dim, shapes.audio_dim, shapes.vision_dim) == dims
    assert (shapes.text_length, shapes.audio_length, shapes.vision_length) == lengths
    assert PUBLISHED[name].fusion_depth == 4


@pytest.mark.parametrize("name", SETTINGS)
def test_published_settings_are_those_of_the_presets(name: str) -> None:
    root = Path(__file__).parents[3]
    preset = yaml.safe_load((root / "datasets.yaml").read_text("utf-8"))[name]
    published, model = SETTINGS[name], preset["models"]["lnln"]["model"]
    assert published.fusion_depth == model["fusion_depth"]
    assert LossWeights(adversarial=published.adversarial) == LossWeights(**model["loss"])
    assert list(published.label_range) == preset["label_range"]
    assert published.metric_set == preset["metric_set"]
    assert published.text_model == preset["text"]["model"]
    shapes = published.shapes
    assert shapes.text_length == preset["text"]["max_tokens"]
    assert [shapes.audio_length, shapes.vision_length] == list(preset["lengths"].values())
