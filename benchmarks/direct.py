"""LNLN computed directly: the yardstick of `benchmarks/training.py`.

The arithmetic of `lnln.models.lnln.model` as a first implementation does it: every sequence
padded to the greatest length, attention by einsum with its whole matrix of weights, every query
of every layer, incomplete and complete inputs in two passes, BERT on both at full length. Dropout
is left out, as it is 0 in the published settings. Weights are copies of our model's, and so are
the losses.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs, PaddedSequence
from lnln.layers.attention import Layer
from lnln.layers.hyper_modality import HyperLayer
from lnln.layers.tokens import CrossEncoder, SequenceEncoder, TokenEncoder
from lnln.models.lnln.embedding import Embedding
from lnln.models.lnln.losses import Losses, compute
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.output import Output
from lnln.models.lnln.reversal import reverse_gradient
from lnln.models.lnln.settings import LossWeights
from lnln.settings import Shapes


class Direct(nn.Module):
    """A copy of a network that computes everything."""

    def __init__(self, model: LNLN, shapes: Shapes) -> None:
        super().__init__()
        self.copy, self.shapes = copy.deepcopy(model), shapes
        self.official = model.settings.variant == "official"

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Do what `LNLN.forward` does."""
        net = self.copy
        text, audio, vision = self.embed(incomplete)
        batch = len(text)
        summary = token_encoder(net.completeness_encoder, text)[:, 0]
        w = torch.sigmoid(net.completeness_head(summary))
        start = net.proxy_start.expand(batch, -1, -1)
        proxy = token_encoder(net.proxy_encoder, torch.cat([start, audio, vision], dim=1))
        if self.official:
            proxy = reverse_gradient(proxy)
        dominant = (1 - w[:, :, None]) * proxy + w[:, :, None] * text
        states = sequence_encoder(net.dominant_encoder, dominant)
        hyper = net.hyper_start.expand(batch, -1, -1)
        for block, state in zip(net.hyper_layers, states, strict=False):
            hyper = hyper_layer(block, hyper, state, audio, vision)
        fused = cross_encoder(net.fusion, states[-1], hyper)
        prediction = net.regressor(fused.mean(dim=1))[:, 0]
        if complete is None:
            return Output(prediction, w[:, 0])
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.official):
            real_text, real_audio, real_vision = self.embed(complete)
        generated = dominant if self.official else reverse_gradient(proxy)
        logits = net.discriminator(torch.cat([generated, real_text]))
        reconstructed = [
            sequence_encoder(net.reconstruct_audio, audio)[-1],
            sequence_encoder(net.reconstruct_vision, vision)[-1],
            sequence_encoder(net.reconstruct_text, text)[-1],
        ]
        return Output(
            prediction,
            w[:, 0],
            logits.flatten(0, 1),
            torch.cat(reconstructed, dim=1),
            torch.cat([real_audio, real_vision, real_text], dim=1),
        )

    def embed(self, inputs: Inputs) -> list[Tensor]:
        """Summarise the three modalities, padded to their greatest lengths."""
        net, shapes = self.copy, self.shapes
        text = padded(inputs.text, shapes.text_length)
        if not text.values.is_floating_point():
            text = text._replace(values=net.language(text.values, text.mask))
        return [
            self.embed_one(net.embed_text, text),
            self.embed_one(net.embed_audio, padded(inputs.audio, shapes.audio_length)),
            self.embed_one(net.embed_vision, padded(inputs.vision, shapes.vision_length)),
        ]

    def embed_one(self, block: Embedding, sequence: PaddedSequence) -> Tensor:
        mask = None if self.official else sequence.mask
        return token_encoder(block.encoder, block.linear(sequence.values), mask)

    def losses(
        self,
        incomplete: Inputs,
        complete: Inputs,
        labels: Tensor,
        completeness: Tensor,
        weights: LossWeights,
    ) -> Losses:
        """Compute the losses of a training step."""
        return compute(self(incomplete, complete), labels, completeness, weights)


def padded(sequence: PaddedSequence, length: int) -> PaddedSequence:
    """Pad to the greatest length."""
    more = length - sequence.mask.shape[1]
    widths = (0, 0, 0, more) if sequence.values.dim() == 3 else (0, more)
    return PaddedSequence(F.pad(sequence.values, widths), F.pad(sequence.mask, (0, more)))


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    q, k, v = (x.unflatten(-1, (heads, -1)) for x in (query, key, value))
    scores = torch.einsum("bnhe,bmhe->bhnm", q, k) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
    return torch.einsum("bhnm,bmhe->bnhe", scores.softmax(dim=-1), v).flatten(2)


def layer(block: Layer, queries: Tensor, context: Tensor, mask: Tensor | None) -> Tensor:
    attention, feed_forward = block.attention, block.feed_forward
    attended = attend(
        attention.query(attention.norm_query(queries)),
        attention.key(attention.norm_key(context)),
        attention.value(attention.norm_value(context)),
        attention.heads,
        mask,
    )
    x = queries + attention.out(attended)
    return x + feed_forward.second(F.gelu(feed_forward.first(feed_forward.norm(x))))


def token_encoder(block: TokenEncoder, x: Tensor, mask: Tensor | None = None) -> Tensor:
    tokens = block.tokens.shape[1]
    x = torch.cat([block.tokens.expand(len(x), -1, -1), x], dim=1)
    x = x + block.positions[:, : x.shape[1]]
    if mask is not None:
        mask = F.pad(mask, (tokens, 0), value=True)
    for each in block.layers:
        x = layer(each, x, x, mask)
    return x[:, :tokens]


def sequence_encoder(block: SequenceEncoder, x: Tensor) -> list[Tensor]:
    states = [x + block.positions]
    for each in block.layers:
        states.append(layer(each, states[-1], states[-1], None))
    return states


def cross_encoder(block: CrossEncoder, queries: Tensor, context: Tensor) -> Tensor:
    token = block.token.expand(len(queries), -1, -1)
    x = torch.cat([token, queries], dim=1) + block.query_positions
    context = torch.cat([token, context], dim=1) + block.context_positions
    for each in block.layers:
        x = layer(each, x, context, None)
    return x[:, 1:]


def hyper_layer(
    block: HyperLayer, hyper: Tensor, dominant: Tensor, audio: Tensor, vision: Tensor
) -> Tensor:
    query = block.query(block.norm_dominant(dominant))
    audio, vision = block.norm_audio(audio), block.norm_vision(vision)
    heard = attend(query, block.key_audio(audio), block.value_audio(audio), block.heads, None)
    seen = attend(query, block.key_vision(vision), block.value_vision(vision), block.heads, None)
    return block.norm_hyper(hyper) + block.out(heard + seen)
