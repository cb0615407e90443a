"""Labels of language, audio and vision that are generated while a network learns.

A clip has one label, that of what is seen, heard and said together. Self-MM (arXiv 2102.04830)
gives every modality a label of its own: the clip's label, moved by how much nearer to the positive
clips the modality's feature lies than the feature of all modalities. TETFN (Pattern Recognition,
2023) takes the same labels.

Shapes: N the clips of the training split, B those of a batch. There are four heads
(`lnln.layers.unimodal_heads`): multimodal, language, audio and vision; F is the sum of the widths
of their features.
"""

from typing import Literal

import torch
from torch import Tensor

from lnln.layers.unimodal_heads import Output, Widths

EPSILON = 1e-8
Distance = Literal["squared", "euclidean"]


class UnimodalLabels:
    """The labels of every training clip, and the features they are generated from.

    The features are those the network last gave for each clip, dropout and missing rows included.

    Parameters
    ----------
    widths : Widths
        Of the heads' features.
    bound : float
        H, the greatest absolute label; what is generated beyond it is cut.
    distance : {"squared", "euclidean"}
        Between a feature of width d and a centre: the squared Euclidean distance / sqrt(d), as
        Self-MM's paper says, or the Euclidean distance, as the published code computes it.

    Attributes
    ----------
    labels : Tensor, [N, 4]
        Of every head. Those of the multimodal one are the clips' and never change.
    features : Tensor, [N, F]
        Zeros for a clip that was not seen yet.
    epoch : int
        The one that is going on, counted from 1.
    """

    def __init__(self, widths: Widths, bound: float, distance: Distance) -> None:
        self.widths, self.bound, self.distance = list(widths), bound, distance
        self.labels = torch.empty(0, len(Widths._fields))
        self.features = torch.empty(0, sum(self.widths))
        self.epoch = 1

    def start(self, labels: Tensor) -> None:
        """Begin with the clips' labels, [N], for every head.

        Raises
        ------
        ValueError
            If none of them is positive, or none negative: there would be nothing to be near to.
        """
        for sign, there in (("positive", labels > 0), ("negative", labels < 0)):
            if not there.any():
                raise ValueError(
                    f"none of the {len(labels)} labels of the training split is {sign}, but "
                    "labels of single modalities are generated from how near a clip is to the "
                    "positive and to the negative ones: train on clips of both signs, or another "
                    "model"
                )
        self.labels = labels[:, None].repeat(1, len(Widths._fields))
        self.features = labels.new_zeros(len(labels), sum(self.widths))
        self.epoch = 1

    def losses(self, output: Output, clips: Tensor) -> dict[str, Tensor]:
        """Compute L = mean |p_m - y_m| + sum over s of mean tanh(|y_s - y_m|) |p_s - y_s|.

        A label that equals the clip's own weighs nothing, so only the first term counts in the
        first epoch.

        Parameters
        ----------
        output : Output
        clips : Tensor, [B] int64
            Positions in the training split.

        Returns
        -------
        dict
            `total` and the four terms, scalars.
        """
        labels = self.labels[clips]
        weights = torch.tanh((labels - labels[:, :1]).abs())
        weights[:, 0] = 1
        predictions = torch.cat([output.prediction[:, None], output.unimodal], 1)
        terms = (weights * (predictions - labels).abs()).mean(0)
        named = zip(("prediction", "text", "audio", "vision"), terms.unbind(), strict=True)
        return {"total": terms.sum()} | {f"loss_{name}": term for name, term in named}

    @torch.no_grad()
    def update(self, output: Output, clips: Tensor) -> None:
        """Move the labels of a batch's clips, from the second epoch on, and keep their features.

        In epoch n a label becomes (n - 1) / (n + 1) times what it was plus 2 / (n + 1) times the
        one that is generated, so that it settles.

        Parameters
        ----------
        output : Output
        clips : Tensor, [B] int64
            Positions in the training split.
        """
        if self.epoch > 1:
            n = self.epoch
            fresh = self.generate(output.features, clips)
            self.labels[clips, 1:] = (n - 1) / (n + 1) * self.labels[clips, 1:] + 2 / (
                n + 1
            ) * fresh
        self.features[clips] = output.features

    def generate(self, features: Tensor, clips: Tensor) -> Tensor:
        """Generate labels of language, audio and vision, [B, 3], for a batch's clips.

        The mean of y_m delta_s / delta_m and y_m + delta_s - delta_m, with the relative distance
        delta = (D- - D+) / D+ of a feature to the negative and the positive centre.
        """
        delta = self.relative_distances(features)
        label, joint, single = self.labels[clips, :1], delta[:, :1], delta[:, 1:]
        ratio = single / (joint + EPSILON)
        fresh = (ratio * label) / 2 + (label + single - joint) / 2
        return fresh.clamp(-self.bound, self.bound)

    def relative_distances(self, features: Tensor) -> Tensor:
        """Say how much nearer features [B, F] are to the positive than to the negative, [B, 4]."""
        deltas = []
        for feature, centres in zip(features.split(self.widths, 1), self.centres(), strict=True):
            positive, negative = (self.distances(feature, centre) for centre in centres)
            deltas.append((negative - positive) / (positive + EPSILON))
        return torch.stack(deltas, 1)

    def distances(self, feature: Tensor, centre: Tensor) -> Tensor:
        """Measure the distances [B] of one head's features [B, d] to a centre [d]."""
        if self.distance == "euclidean":
            return (feature - centre).norm(dim=1)
        return (feature - centre).square().sum(1) / feature.shape[1] ** 0.5

    def centres(self) -> list[tuple[Tensor, Tensor]]:
        """Average every head's features over clips it takes for positive, and for negative ones.

        A label of 0 is neither. A modality whose labels have all come to be of one sign is divided
        by the clips' own: a mean over no clips is not a number.
        """
        centres = []
        for labels, features in zip(
            self.labels.unbind(1), self.features.split(self.widths, 1), strict=True
        ):
            if not ((labels > 0).any() and (labels < 0).any()):
                labels = self.labels[:, 0]
            centres.append((features[labels > 0].mean(0), features[labels < 0].mean(0)))
        return centres

    def state(self) -> dict[str, Tensor]:
        """Return all that `load` needs to go on from here."""
        return {
            "labels": self.labels,
            "features": self.features,
            "epoch": torch.tensor(self.epoch),
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up a `state`."""
        self.labels, self.features = state["labels"], state["features"]
        self.epoch = int(state["epoch"])
