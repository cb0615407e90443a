"""The blocks of ALMT and LNLN on their own."""

from typing import NamedTuple

import pytest
import torch

from lnln.layers.attention import Attention, Layer, attend
from lnln.layers.hyper_modality import HyperLayer
from lnln.layers.tokens import CrossEncoder, SequenceEncoder, TokenEncoder


class Settings(NamedTuple):
    width: int = 16
    heads: int = 2
    head_width: int = 4
    dropout: float = 0.0


SETTINGS = Settings()


def test_attention_is_the_formula() -> None:
    query, key, value = torch.randn(2, 5, 8), torch.randn(2, 7, 8), torch.randn(2, 7, 8)
    mask = torch.rand(2, 7) > 0.4
    mask[:, 0] = True
    expected = []
    for head in (slice(0, 4), slice(4, 8)):
        scores = query[..., head] @ key[..., head].transpose(1, 2) / 4**0.5
        scores = scores.masked_fill(~mask[:, None, :], -torch.inf)
        expected.append(scores.softmax(-1) @ value[..., head])
    actual = attend(query, key, value, heads=2, mask=mask)
    torch.testing.assert_close(actual, torch.cat(expected, -1), atol=1e-6, rtol=0)


def test_attention_is_the_formula_for_itself_for_few_and_for_as_many_queries() -> None:
    block = Attention(SETTINGS)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    rows, mask = torch.randn(2, 7, 16), torch.arange(7) < torch.tensor([[7], [4]])
    for queries in (rows, rows[:, :2], torch.randn(2, 7, 16)):
        plain = attend(
            block.query(block.norm_query(queries)),
            block.key(block.norm_key(rows)),
            block.value(block.norm_value(rows)),
            SETTINGS.heads,
            mask,
        )
        torch.testing.assert_close(
            block(queries, rows, mask), block.out(plain), atol=1e-5, rtol=1e-5
        )


def test_token_encoder_equals_the_full_computation_cut_to_its_tokens() -> None:
    encoder = TokenEncoder(SETTINGS, tokens=3, length=9, depth=2)
    x, mask = torch.randn(2, 7, 16), torch.arange(7) < torch.tensor([[7], [4]])
    actual = encoder(x, mask)
    full = torch.cat([encoder.tokens.expand(2, -1, -1), x], dim=1) + encoder.positions[:, :10]
    full_mask = torch.cat([torch.ones(2, 3, dtype=torch.bool), mask], dim=1)
    for layer in encoder.layers:
        full = layer(full, full, full_mask)
    torch.testing.assert_close(actual, full[:, :3], atol=1e-6, rtol=0)


def test_token_encoder_of_depth_one_still_encodes() -> None:
    encoder = TokenEncoder(SETTINGS, tokens=1, length=4, depth=1)
    assert encoder(torch.randn(2, 4, 16)).shape == (2, 1, 16)


@pytest.mark.parametrize("rows", [0, 4])
def test_a_clip_of_padding_alone_is_finite_and_answered_by_the_learned_tokens(rows: int) -> None:
    encoder = TokenEncoder(SETTINGS, tokens=3, length=4, depth=2)
    nothing = encoder(torch.randn(2, rows, 16), torch.zeros(2, rows, dtype=torch.bool))
    assert nothing.isfinite().all()
    torch.testing.assert_close(nothing, encoder(torch.zeros(2, 0, 16)), atol=1e-6, rtol=0)


def test_learned_parameters_start_as_the_paper_says() -> None:
    encoder = TokenEncoder(SETTINGS, tokens=3, length=400, depth=2)
    assert encoder.tokens.shape == (1, 3, 16) and not encoder.tokens.any()
    assert encoder.positions.shape == (1, 403, 16)
    assert encoder.positions.std().item() == pytest.approx(1, abs=0.05)
    cross = CrossEncoder(SETTINGS, length=3, depth=1)
    assert cross.token.shape == (1, 1, 16) and not cross.token.any()
    assert cross.query_positions.shape == cross.context_positions.shape == (1, 4, 16)


def test_sequence_encoder_returns_its_input_with_positions_and_every_layer() -> None:
    encoder, x = SequenceEncoder(SETTINGS, length=3, depth=2), torch.randn(2, 3, 16)
    states = encoder(x)
    assert len(states) == 3
    torch.testing.assert_close(states[0], x + encoder.positions)
    torch.testing.assert_close(states[2], encoder.layers[1](states[1], states[1]))


def test_cross_encoder_leaves_its_context_as_it_is() -> None:
    encoder = CrossEncoder(SETTINGS, length=3, depth=2)
    queries, context = torch.randn(2, 3, 16), torch.randn(2, 3, 16)
    x = torch.cat([encoder.token.expand(2, -1, -1), queries], 1) + encoder.query_positions
    keys = torch.cat([encoder.token.expand(2, -1, -1), context], 1) + encoder.context_positions
    for layer in encoder.layers:
        x = layer(x, keys)
    torch.testing.assert_close(encoder(queries, context), x[:, 1:])
    torch.testing.assert_close(encoder.summary(context), x[:, 0])


def test_hyper_layer_adds_to_h_hyper_or_to_its_norm() -> None:
    dominant, audio, vision = torch.randn(3, 2, 3, 16)
    hyper = 5 + 3 * torch.randn(2, 3, 16)
    residual = HyperLayer(SETTINGS, 4, "residual")
    normalised = HyperLayer(SETTINGS, 4, "normalised")
    normalised.load_state_dict(residual.state_dict(), strict=False)
    update = residual(hyper, dominant, audio, vision) - hyper
    expected = torch.nn.functional.layer_norm(hyper, (16,)) + update
    actual = normalised(hyper, dominant, audio, vision)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=0)


def test_dropout_acts_in_training_alone() -> None:
    layer = Layer(SETTINGS._replace(dropout=0.5))
    x = torch.randn(2, 3, 16)
    assert not torch.equal(layer(x, x), layer(x, x))
    layer.eval()
    assert torch.equal(layer(x, x), layer(x, x))
