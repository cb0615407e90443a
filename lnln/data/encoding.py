"""Hidden states of sentences, computed anew by the language encoder."""

from __future__ import annotations

import numpy as np
import torch

from lnln.data.batches import pad
from lnln.data.features import FeatureSet, TextFeatures
from lnln.data.language import LanguageEncoder


@torch.no_grad()
def encode(language: LanguageEncoder, text: TextFeatures) -> np.ndarray:
    """Return the hidden states of sentences, padded: [sentences, longest, D]."""
    device = next(language.parameters()).device
    tokens = pad(text, text.token_ids, int(text.counts.max()), text.info.pad_id or 0)
    states: torch.Tensor = language(tokens.values.to(device), tokens.mask.to(device))
    return states.float().cpu().numpy()


def check_language(features: FeatureSet, language: LanguageEncoder, length: int) -> None:
    """Make sure that an encoder is the one whose hidden states the features hold.

    Parameters
    ----------
    features : FeatureSet
    language : LanguageEncoder
    length : int
        Most tokens of a sentence; sentences this long may have been cut and are not looked at.

    Raises
    ------
    ValueError
        If it encodes the first sentences to something else.
    """
    text = features.text.take(np.flatnonzero(features.text.counts < length)[:4])
    if not len(text.values):
        return
    states = encode(language, text)
    for sentence in range(len(text.counts)):
        stored = text.values[text.rows(sentence)]
        computed = states[sentence, : text.counts[sentence]]
        if stored.shape != computed.shape or not np.allclose(stored, computed, atol=0.02):
            raise ValueError(
                "the language encoder does not give the hidden states that the text features "
                "hold: load the model named in their settings "
                f"({text.info.settings.get('model', 'unknown')}), or extract text anew"
            )
