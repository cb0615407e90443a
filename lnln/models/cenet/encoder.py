"""A language encoder run layer by layer, so that its states can be changed on the way.

Shapes: B the batch, L the tokens of a sentence, D the width of a hidden state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:  # imported where it is used: it takes longer than torch
    from transformers import PreTrainedModel

    from lnln.data.language import LanguageEncoder


def encode(
    model: PreTrainedModel, token_ids: Tensor, mask: Tensor, change: Callable[[Tensor], Tensor]
) -> Tensor:
    """Encode sentences, and change their states after the first layer.

    Parameters
    ----------
    model : PreTrainedModel
        An encoder that `check` accepts.
    token_ids : Tensor, [B, L] int64
    mask : Tensor, [B, L] bool
        False for padding, and for tokens that no other attends to.
    change : callable
        Maps the states [B, L, D] after the first layer to those that the second one reads.

    Returns
    -------
    Tensor, [B, L, D]
    """
    from transformers.masking_utils import create_bidirectional_mask

    parts: Any = model  # its submodules have no types
    states: Tensor = parts.embeddings(input_ids=token_ids)
    attended = create_bidirectional_mask(
        config=model.config, inputs_embeds=states, attention_mask=mask.long()
    )
    first, *others = parts.encoder.layer
    states = change(first(states, attended))
    for layer in others:
        states = layer(states, attended)
    return states


@torch.no_grad()
def check(language: LanguageEncoder) -> None:
    """Make sure that an encoder is embeddings and layers, one after another, and nothing else.

    Raises
    ------
    ValueError
        If it is built otherwise, or does something between its layers.
    """
    model, was_training = language.model, language.training
    words = [token for token in range(4) if token != model.config.pad_token_id][:3]
    tokens = torch.tensor([words], device=next(language.parameters()).device)
    language.eval()
    try:
        states = encode(model, tokens, tokens >= 0, lambda states: states)
        plain = torch.allclose(states, language(tokens, tokens >= 0), atol=1e-4)
    except (AttributeError, TypeError, ValueError):
        plain = False
    language.train(was_training)
    if not plain:
        raise ValueError(
            f"CENET puts its enhancement between two layers of the language encoder, but "
            f"{type(model).__name__} is not plain embeddings and encoder.layer: choose a BERT, "
            "RoBERTa or MiniLM, or another model"
        )
