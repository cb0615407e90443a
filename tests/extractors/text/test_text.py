import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from extractors.assets.resolving import resolve
from extractors.errors import MissingAsset, SetupError
from extractors.settings import TextSettings
from extractors.text.extractor import TextExtractor
from extractors.words import Word


@pytest.fixture(scope="module")
def extractor():
    return TextExtractor(TextSettings(), offline=True)


def test_hidden_states_are_those_of_the_whole_sentence(extractor):
    text = "I did not like it, but unbelievably it works."
    tokens = extractor.extract(text, [])
    path = str(resolve("minilm", offline=True))
    batch = AutoTokenizer.from_pretrained(path)(text, return_tensors="pt")
    with torch.no_grad():
        expected = AutoModel.from_pretrained(path).eval()(**batch).last_hidden_state[0]
    assert tokens.token_ids.tolist() == batch["input_ids"][0].tolist()
    np.testing.assert_allclose(tokens.values, expected.numpy(), atol=1e-5)
    assert np.isnan(tokens.starts).all()
    assert tokens.warnings == []


def test_only_the_frame_is_special_and_only_words_are_observed(extractor):
    tokens = extractor.extract("the \U0001f9ff [UNK] word", [])
    info = extractor.info()
    assert tokens.token_ids[0] == 101
    assert tokens.token_ids[-1] == 102
    assert info.unk_id in tokens.token_ids
    assert tokens.special.tolist() == [True] + [False] * (len(tokens.special) - 2) + [True]
    assert (tokens.observed == ~tokens.special).all()


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_no_words_are_cls_and_sep_alone(extractor, text):
    tokens = extractor.extract(text, [])
    assert tokens.token_ids.tolist() == [101, 102]
    assert not tokens.observed.any()
    assert tokens.values.shape == (2, 384)


def test_long_sentence_is_cut_and_keeps_its_end_mark():
    extractor = TextExtractor(TextSettings(max_tokens=8), offline=True)
    tokens = extractor.extract("one two three four five six seven eight nine", [])
    assert len(tokens.token_ids) == 8
    assert tokens.token_ids[-1] == 102
    assert tokens.warnings == ["the transcript was cut after 8 tokens"]
    assert extractor.extract("one two three four five six", []).warnings == []


def test_tokens_have_the_times_of_their_words(extractor):
    words = [Word("Well,", 0.1, 0.4, 0.9), Word("unbelievably", 0.5, 1.2, 0.9)]
    tokens = extractor.extract("Well, unbelievably", words)
    starts, ends = tokens.starts[1:-1], tokens.ends[1:-1]
    assert starts[:2].tolist() == [0.1, 0.1]  # the word and its comma
    assert ends[:2].tolist() == [0.4, 0.4]
    assert set(starts[2:]) == {0.5}
    assert np.isnan(tokens.starts[[0, -1]]).all()


def test_what_is_needed_to_mask_is_known(extractor):
    info = extractor.info()
    assert (info.unk_id, info.pad_id) == (100, 0)
    assert len(info.names) == len(info.units) == 384


def test_unfit_models_are_refused(tmp_path):
    with pytest.raises(MissingAsset, match="nobody/no-bert"):
        TextExtractor(TextSettings(model="nobody/no-bert"), offline=True)
    with pytest.raises(SetupError, match="not a usable text model"):
        TextExtractor(TextSettings(model=str(tmp_path)), offline=True)


def test_special_ids_are_those_of_the_model_s_own_vocabulary(make_bert):
    folder = make_bert(["好", "电", "影", "不"])
    extractor = TextExtractor(TextSettings(model=str(folder), max_tokens=8), offline=True)
    tokens = extractor.extract("好电影，不", [])
    assert tokens.token_ids.tolist() == [2, 5, 6, 7, 1, 8, 3]  # the comma is unknown here
    assert tokens.special.tolist() == [True, *[False] * 5, True]
    assert (extractor.info().unk_id, extractor.info().pad_id) == (1, 0)
    tokens = extractor.extract("", [], [2, 5, 1, 3])
    assert tokens.special.tolist() == [True, False, False, True]
