"""A modality in a few tokens: nothing computed twice, and nothing changed by it."""

import pytest
import torch
from torch import Tensor

from lnln.data.batches import PaddedSequence
from lnln.models.lnln.embedding import Embedding
from lnln.models.lnln.settings import VARIANTS, LNLNSettings, Variant

COUNTS = (9, 2, 7, 0)


def build(variant: Variant, dropout: float = 0.0) -> Embedding:
    settings = LNLNSettings(
        variant=variant, width=8, tokens=2, heads=2, head_width=4, dropout=dropout
    )
    return Embedding(settings, "audio", dim=5, length=9)


def batch() -> PaddedSequence:
    mask = torch.arange(9) < torch.tensor(COUNTS)[:, None]
    return PaddedSequence(torch.randn(4, 9, 5) * mask[..., None], mask)


def damaged(sequence: PaddedSequence, clips: list[int]) -> PaddedSequence:
    """Zero a row of some clips."""
    values = sequence.values.clone()
    values[clips, 1] = 0
    return sequence._replace(values=values)


def gradients(embedding: Embedding, tokens: Tensor) -> list[Tensor]:
    weights = torch.linspace(-1, 1, tokens.numel()).view_as(tokens)
    return list(torch.autograd.grad((tokens * weights).sum(), list(embedding.parameters())))


@pytest.mark.parametrize("variant", ["paper", "masked"])
def test_a_clip_is_embedded_alone_as_in_a_batch_of_other_lengths(variant: Variant) -> None:
    embedding, sequence = build(variant), batch()
    together = embedding(sequence)
    for clip, count in enumerate(COUNTS):
        rows = slice(clip, clip + 1), slice(count)
        alone = PaddedSequence(sequence.values[rows], sequence.mask[rows])
        torch.testing.assert_close(embedding(alone)[0], together[clip], atol=1e-6, rtol=0)


def test_rows_between_others_are_left_out_like_padding() -> None:
    embedding, sequence = build("masked"), batch()
    mask = sequence.mask.clone()
    mask[0, 3:6] = mask[2, 0] = False
    rows = embedding.linear(sequence.values)
    torch.testing.assert_close(
        embedding(sequence._replace(mask=mask)), embedding.encoder(rows, mask), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_both_gives_what_two_passes_give(variant: Variant) -> None:
    embedding, complete = build(variant), batch()
    incomplete = damaged(complete, [0, 2])
    tokens, goals = embedding.both(incomplete, complete)
    apart, whole = embedding(incomplete), embedding(complete)
    torch.testing.assert_close(tokens, apart, atol=1e-6, rtol=0)
    torch.testing.assert_close(goals, whole, atol=1e-6, rtol=0)
    assert goals.requires_grad is (variant == "official")
    if variant != "official":
        whole = whole.detach()
    for actual, expected in zip(
        gradients(embedding, torch.cat([tokens, goals])),
        gradients(embedding, torch.cat([apart, whole])),
        strict=True,
    ):
        torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("variant", "rows"), [("paper", [4, 2]), ("masked", [4, 2]), ("official", [6])]
)
def test_a_clip_that_lost_nothing_is_embedded_once(
    variant: Variant, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding, complete, seen = build(variant), batch(), []
    forward = Embedding.forward
    monkeypatch.setattr(
        Embedding, "forward", lambda self, s, *more: seen.append(len(s.mask)) or forward(self, s)
    )
    embedding.both(damaged(complete, [0, 2]), complete)
    assert seen == rows


def test_goals_of_official_have_a_dropout_of_their_own() -> None:
    embedding, complete = build("official", dropout=0.5), batch()
    tokens, goals = embedding.both(complete, complete)
    assert not torch.equal(tokens, goals)
    embedding.eval()
    tokens, goals = embedding.both(complete, complete)
    assert torch.equal(tokens, goals)


def test_official_inputs_of_two_lengths_are_embedded_apart() -> None:
    embedding, complete = build("official"), batch()
    shorter = PaddedSequence(complete.values[:, :7], complete.mask[:, :7])
    tokens, goals = embedding.both(shorter, complete)
    torch.testing.assert_close(tokens, embedding(shorter), atol=1e-6, rtol=0)
    torch.testing.assert_close(goals, embedding(complete), atol=1e-6, rtol=0)
