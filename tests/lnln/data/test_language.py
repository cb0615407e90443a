"""BERT inside the network, on a tiny one made on the spot."""

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from lnln.data.batches import Inputs, PaddedSequence
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.models.lnln.losses import compute
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import LNLNSettings, LossWeights
from lnln.settings import Shapes

IDS = torch.tensor([[2, 7, 9, 3, 0, 0], [2, 8, 1, 5, 6, 3]])
MASK = IDS > 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
    )
    folder = tmp_path_factory.mktemp("tiny-bert")
    BertModel(config).save_pretrained(folder)
    return folder


def network(language: LanguageEncoder | None) -> LNLN:
    shapes = Shapes(
        text_dim=16, audio_dim=2, vision_dim=2, text_length=8, audio_length=4, vision_length=4
    )
    settings = LNLNSettings(width=8, tokens=2, heads=2, head_width=4, hyper_head_width=4)
    return LNLN(settings, shapes, language)


def sentences(ids: torch.Tensor = IDS) -> Inputs:
    rows = PaddedSequence(torch.ones(2, 3, 2), torch.ones(2, 3, dtype=torch.bool))
    return Inputs(PaddedSequence(ids, ids > 0), rows, rows)


def train_step(model: LNLN) -> None:
    model.train()
    loss = compute(model(sentences(), sentences()), torch.ones(2), torch.ones(2), LossWeights())
    loss.total.backward()


def test_frozen_encoder_gets_no_gradient_and_stays_in_evaluation(folder: Path) -> None:
    model = network(FrozenLanguageEncoder.from_folder(folder))
    train_step(model)
    assert model.language is not None
    assert all(p.grad is None and not p.requires_grad for p in model.language.parameters())
    assert model.training and not any(m.training for m in model.language.modules())
    assert torch.equal(model(sentences()).prediction, model(sentences()).prediction)


def test_finetuned_encoder_trains_with_its_own_dropout(folder: Path) -> None:
    model = network(LanguageEncoder.from_folder(folder))
    train_step(model)
    assert model.language is not None
    assert all(p.grad is not None for p in model.language.parameters())
    assert all(m.training for m in model.language.modules())
    assert not torch.equal(model(sentences()).prediction, model(sentences()).prediction)


def test_token_ids_and_their_hidden_states_give_the_same_answer(folder: Path) -> None:
    language = FrozenLanguageEncoder.from_folder(folder)
    model = network(language)
    assert language.width == 16
    hidden = sentences()._replace(text=PaddedSequence(language(IDS, MASK), MASK))
    torch.testing.assert_close(model(sentences()).prediction, model(hidden).prediction)


def test_padding_of_token_ids_changes_nothing(folder: Path) -> None:
    model = network(FrozenLanguageEncoder.from_folder(folder))
    longer = sentences(torch.nn.functional.pad(IDS, (0, 2)))
    expected = model(sentences()).prediction
    torch.testing.assert_close(model(longer).prediction, expected, atol=1e-6, rtol=0)


def test_an_encoder_rebuilt_from_its_saved_config_takes_its_weights(folder: Path) -> None:
    original = LanguageEncoder.from_folder(folder).eval()
    config = json.loads(json.dumps(original.config))
    assert str(folder) not in json.dumps(config)
    rebuilt = LanguageEncoder.from_config(config).eval()
    rebuilt.load_state_dict(original.state_dict())
    torch.testing.assert_close(rebuilt(IDS, MASK), original(IDS, MASK))


def test_token_ids_without_an_encoder_say_what_to_do() -> None:
    with pytest.raises(ValueError, match="no language encoder: give hidden states"):
        network(None)(sentences())


def test_too_many_token_ids_are_named_before_the_encoder_sees_them(folder: Path) -> None:
    model = network(FrozenLanguageEncoder.from_folder(folder))
    with pytest.raises(ValueError, match=r"text has 40 rows, .* at most 8"):
        model(sentences(torch.ones(2, 40, dtype=torch.long)))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config\.json is not there"):
        LanguageEncoder.from_folder(tmp_path)


def test_a_config_of_no_known_model_is_refused() -> None:
    with pytest.raises(ValueError, match="model_type='brt' is no language model"):
        LanguageEncoder.from_config({"model_type": "brt"})
