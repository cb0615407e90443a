"""Sequences of like length together."""

import numpy as np
import torch

from lnln.data.packing import PADDING, in_groups, split


def test_groups_hold_every_sequence_once_with_little_padding() -> None:
    counts = np.random.default_rng(0).integers(0, 500, 64).tolist()
    groups = split(counts)
    assert sorted(i for group in groups for i in group) == list(range(64))
    assert 1 < len(groups) < 20
    for group in groups:
        padding = sum(counts[group[0]] - counts[i] for i in group)
        assert 0 <= padding <= PADDING * sum(counts)


def test_sequences_of_one_length_stay_one_group_in_their_order() -> None:
    assert split([7] * 5) == [[0, 1, 2, 3, 4]]
    assert split([0, 0]) == [[0, 1]]


def test_rows_left_out_of_the_mask_are_left_behind_and_the_others_keep_their_places() -> None:
    values = torch.arange(12.0).reshape(2, 6, 1)
    mask = torch.tensor([[1, 0, 1, 0, 0, 1], [0, 1, 0, 0, 0, 0]], dtype=torch.bool)
    first, second = in_groups(values, mask)
    assert first.full and second.full
    assert first.clips.tolist() == [0] and second.clips.tolist() == [1]
    assert first.places is not None and second.places is not None
    assert first.values.flatten().tolist() == [0, 2, 5] == first.places.flatten().tolist()
    assert second.values.flatten().tolist() == [7] and second.places.flatten().tolist() == [1]


def test_padding_inside_a_group_is_masked() -> None:
    mask = torch.arange(40) < torch.tensor([[40], [39]])
    (group,) = in_groups(torch.randn(2, 40, 3), mask)
    assert not group.full and group.places is None
    assert torch.equal(group.mask, mask)
