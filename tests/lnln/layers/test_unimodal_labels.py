"""Labels of single modalities: what they start from, how they move, and what is refused."""

import pytest
import torch
from torch import Tensor

from lnln.layers.unimodal_heads import Output, Widths
from lnln.layers.unimodal_labels import UnimodalLabels

NARROW = Widths(1, 1, 1, 1)


def said(features: Tensor) -> Output:
    return Output(torch.zeros(len(features)), torch.zeros(len(features), 3), features)


def generator(labels: Tensor, **changes: object) -> UnimodalLabels:
    """One in its second epoch, with features 1 wide of which nothing is known."""
    kept = UnimodalLabels(**{"widths": NARROW, "bound": 3.0, "distance": "squared"} | changes)
    kept.start(labels)
    kept.epoch = 2
    return kept


def test_squared_distance_is_divided_by_the_root_of_the_width() -> None:
    features, centre = torch.tensor([[3.0, 4.0, 0.0, 0.0]]), torch.zeros(4)
    distance = {
        kind: UnimodalLabels(Widths(4, 4, 4, 4), 3.0, kind).distances(features, centre).item()
        for kind in ("squared", "euclidean")
    }
    assert distance == {"squared": 25 / 2, "euclidean": 5.0}


def test_label_moves_by_the_mean_of_ratio_and_difference() -> None:
    kept = generator(torch.tensor([2.0, -2.0]))
    # Centres: all features of the first clip at 1, of the second at -1.
    kept.features = torch.tensor([[1.0] * 4, [-1.0] * 4])
    new = torch.tensor([[0.5, 0.5, 0.2, 0.0]])
    # delta = (D- - D+) / D+ with squared distances: 1.5² and .5², 1.2² and .8², 1 and 1.
    m, a = (2.25 - 0.25) / 0.25, (1.44 - 0.64) / 0.64
    expected = [2.0, (2 * a / m + 2 + a - m) / 2, max(-3.0, (0 + 2 + 0 - m) / 2)]
    fresh = kept.generate(new, torch.tensor([0]))
    torch.testing.assert_close(fresh, torch.tensor([expected]))
    kept.update(said(new), torch.tensor([0]))
    moved = 1 / 3 * 2 + 2 / 3 * fresh
    torch.testing.assert_close(kept.labels[0, 1:], moved[0])
    assert kept.labels[0, 0] == 2 and kept.labels[1].tolist() == [-2.0] * 4
    assert torch.equal(kept.features[:1], new)


def test_labels_stay_in_the_first_epoch() -> None:
    kept = generator(torch.tensor([2.0, -2.0]))
    kept.epoch = 1
    kept.update(said(torch.randn(2, 4)), torch.tensor([1, 0]))
    assert kept.labels.tolist() == [[2.0] * 4, [-2.0] * 4]


@pytest.mark.parametrize("distance", ["squared", "euclidean"])
def test_generated_labels_are_bounded_and_finite_where_a_clip_lies_on_a_centre(
    distance: str,
) -> None:
    kept = generator(torch.tensor([1.0, -1.0, 0.0]), bound=1.0, distance=distance)
    kept.features = torch.tensor([[1.0] * 4, [1.0, 1.0, -1.0, -1.0], [0.0] * 4])
    kept.update(said(kept.features.clone()), torch.arange(3))
    assert kept.labels.isfinite().all()
    assert kept.labels.abs().max() <= 1


def test_clips_labelled_zero_belong_to_neither_centre() -> None:
    kept = generator(torch.tensor([1.0, 0.0, -1.0]))
    kept.features = torch.tensor([[1.0] * 4, [100.0] * 4, [-1.0] * 4])
    for positive, negative in kept.centres():
        assert (positive.item(), negative.item()) == (1.0, -1.0)


def test_modality_whose_labels_are_of_one_sign_is_divided_by_the_clips_labels() -> None:
    kept = generator(torch.tensor([1.0, -1.0]))
    kept.features = torch.tensor([[1.0] * 4, [-1.0] * 4])
    kept.labels[:, 2] = 0.5
    assert [c.item() for c in kept.centres()[2]] == [1.0, -1.0]
    kept.update(said(kept.features.clone() / 2), torch.arange(2))
    assert kept.labels.isfinite().all()


@pytest.mark.parametrize(("sign", "labels"), [("negative", [1.0, 0.0]), ("positive", [-1.0, -2.0])])
def test_training_split_of_one_sign_is_refused(sign: str, labels: list[float]) -> None:
    with pytest.raises(ValueError, match=rf"none of the 2 labels .* is {sign}"):
        UnimodalLabels(NARROW, 3.0, "squared").start(torch.tensor(labels))


def test_label_that_equals_the_clip_s_weighs_nothing() -> None:
    kept = generator(torch.tensor([2.0, -2.0]))
    kept.labels[0, 3] = 1.0
    predictions = torch.tensor([[1.0, 0.0, 0.0, 4.0], [0.0, 0.0, 0.0, 4.0]])
    output = Output(predictions[:, 0], predictions[:, 1:], torch.zeros(2, 4))
    terms = kept.losses(output, torch.tensor([1, 0]))
    assert terms["loss_prediction"] == 2.5
    assert terms["loss_text"] == terms["loss_audio"] == 0
    # Clip 0 comes second: weight tanh|1 - 2|, error |4 - 1|; clip 1 weighs nothing.
    torch.testing.assert_close(terms["loss_vision"], torch.tensor(1.0).tanh() * 3 / 2)
    torch.testing.assert_close(terms["total"], terms["loss_prediction"] + terms["loss_vision"])
