"""Hidden states computed anew, and compared with those that features hold."""

import numpy as np
import pytest
import torch

from lnln.data.encoding import check_language, encode
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import FrozenLanguageEncoder


def test_states_are_those_of_each_sentence_alone(
    clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    states = encode(language, clips.text)
    assert states.shape == (len(clips), clips.text.counts.max(), language.width)
    for clip in range(len(clips)):
        tokens = torch.from_numpy(clips.text.token_ids[clips.text.rows(clip)])[None]
        alone = language(tokens, tokens >= 0)[0].numpy()
        assert np.allclose(states[clip, : len(alone)], alone, atol=1e-5)


def test_sentences_that_may_have_been_cut_are_not_compared(
    clips: FeatureSet, language: FrozenLanguageEncoder
) -> None:
    short = clips.cut(Lengths(text=5, audio=20, vision=10))
    check_language(short, language, length=5)
    with pytest.raises(ValueError, match=r"does not give the hidden states .*tiny"):
        check_language(short, language, length=50)
