"""The encoder of MulT; its values are tested against published ones with the models' own."""

import math

import pytest
import torch
from torch import Tensor

from lnln.layers.crossmodal import Dropouts, SequenceEncoder, sinusoids

WIDTH = 6


@pytest.fixture
def encoder() -> SequenceEncoder:
    return SequenceEncoder(WIDTH, heads=2, layers=2, positions="sinusoidal").eval()


def rows(clips: int, length: int) -> Tensor:
    return torch.randn(clips, length, WIDTH)


def until(*lengths: int) -> Tensor:
    return torch.arange(max(*lengths, 1)) < torch.tensor(lengths)[:, None]


def depends(output: Tensor, source: Tensor) -> Tensor:
    """Which rows of the output, [N, M] bool, feel which rows of the source."""
    felt = [torch.autograd.grad(row.square().sum(), source, retain_graph=True)[0] for row in output]
    return torch.stack(felt)[:, 0].abs().sum(-1) > 1e-9


def test_nothing_later_is_seen_in_self_attention(encoder: SequenceEncoder) -> None:
    x = rows(1, 5).requires_grad_()
    assert torch.equal(depends(encoder(x)[0], x), torch.ones(5, 5).tril().bool())


@pytest.mark.parametrize(("length", "length_of_source"), [(4, 7), (7, 4), (5, 5)])
def test_a_source_is_seen_as_far_ahead_as_the_lengths_differ(
    encoder: SequenceEncoder, length: int, length_of_source: int
) -> None:
    x, source = rows(1, length), rows(1, length_of_source).requires_grad_()
    seen = torch.ones(length, length_of_source).tril(abs(length - length_of_source)).bool()
    assert torch.equal(depends(encoder(x, source)[0], source), seen)


def test_the_future_may_be_seen() -> None:
    encoder = SequenceEncoder(WIDTH, heads=2, layers=1, future="seen").eval()
    x = rows(1, 4).requires_grad_()
    assert depends(encoder(x)[0], x).all()


def test_padding_changes_nothing_where_it_is_known(encoder: SequenceEncoder) -> None:
    x, source = rows(2, 6), rows(2, 9)
    mask, source_mask = until(6, 3), until(9, 4)
    together = encoder(x, source, mask, source_mask)
    alone = encoder(x[1:, :3], source[1:, :4])
    torch.testing.assert_close(together[1:, :3], alone)
    among = encoder(x, mask=mask)
    torch.testing.assert_close(among[1:, :3], encoder(x[1:, :3]))


def test_a_source_without_rows_gives_finite_outputs_and_gradients(encoder: SequenceEncoder) -> None:
    x, source = rows(2, 3).requires_grad_(), rows(2, 4).requires_grad_()
    output = encoder(x, source, until(3, 0), until(4, 0))
    output.sum().backward()
    for tensor in (output, x.grad, source.grad, *(p.grad for p in encoder.parameters())):
        assert tensor is not None and tensor.isfinite().all()
    assert source.grad is not None and not source.grad[1].any()


def test_the_source_is_read_by_every_layer_as_it_was(encoder: SequenceEncoder) -> None:
    x, source = rows(1, 3), rows(1, 3)
    first = encoder.embed(source, None)
    window_free = [layer(encoder.embed(x, None), first, None) for layer in encoder.layers]
    assert not torch.equal(*window_free)  # each has weights of its own
    expected = encoder.norm(encoder.layers[1](window_free[0], first, None))
    encoder.future = "seen"
    torch.testing.assert_close(encoder(x, source), expected)


def test_positions_count_from_one_and_are_sines_then_cosines() -> None:
    table = sinusoids(3, 7)
    assert table.shape == (3, 7)
    angles = (2, 0.02, 2e-4)  # of the second row
    expected = [*map(math.sin, angles), *map(math.cos, angles), 0]
    assert table[1].tolist() == pytest.approx(expected, abs=1e-6)
    assert sinusoids(2, 2).isfinite().all() and sinusoids(2, 1).tolist() == [[0], [0]]


def test_rows_that_begin_with_zero_have_no_position_unless_they_are_known_to_be_real(
    encoder: SequenceEncoder,
) -> None:
    x = rows(1, 2)
    x[0, 1, 0] = 0
    scaled, table = x * WIDTH**0.5, sinusoids(2, WIDTH)
    unknown, known = encoder.embed(x, None), encoder.embed(x, until(2))
    torch.testing.assert_close(unknown[0], torch.stack([scaled[0, 0] + table[0], scaled[0, 1]]))
    torch.testing.assert_close(known[0], scaled[0] + table)


def test_dropout_acts_in_training_alone() -> None:
    dropouts = Dropouts(embedding=0.3, attention=0.3, relu=0.3, residual=0.3)
    encoder = SequenceEncoder(WIDTH, heads=2, layers=1, dropouts=dropouts)
    x = rows(1, 4)
    assert not torch.equal(encoder(x), encoder(x))
    encoder.eval()
    assert torch.equal(encoder(x), encoder(x))


def test_weights_begin_uniform_after_xavier_and_biases_at_zero(encoder: SequenceEncoder) -> None:
    begun = encoder.state_dict()
    bound = math.sqrt(6 / (WIDTH + 3 * WIDTH))
    assert 0.8 * bound < begun["layers.0.attention.project.weight"].abs().max() <= bound
    assert not any(p.any() for name, p in begun.items() if name.endswith("bias"))


def test_heads_that_do_not_divide_the_width_are_told() -> None:
    with pytest.raises(ValueError, match="4 heads do not divide a width of 6"):
        SequenceEncoder(WIDTH, heads=4, layers=1)
