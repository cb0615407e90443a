"""A network that learns a label of its own for every modality of a clip, as Self-MM does."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from lnln.layers.unimodal_heads import Output
from lnln.layers.unimodal_labels import UnimodalLabels
from lnln.models.interface import Network, Targets, Terms
from lnln.settings import TrainSettings


class LabellingNetwork(Network):
    """The losses, learning rates and hooks of such a network; a subclass has the forward pass.

    Attributes
    ----------
    labels : UnimodalLabels
    audio_encoder, vision_encoder : nn.Module
    rates : tuple of float
        Peak learning rates of the two.
    """

    takes_sentences: ClassVar[bool] = False  # labels are kept per clip
    labels: UnimodalLabels
    audio_encoder: nn.Module
    vision_encoder: nn.Module
    rates: tuple[float, float]

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the error of the prediction, and those of the single modalities."""
        return self.labels.losses(output, targets.clip)

    def parameter_groups(self, training: TrainSettings) -> list[dict[str, Any]]:
        """Give the two encoders learning rates of their own."""
        encoders = self.audio_encoder, self.vision_encoder
        apart = {parameter for encoder in encoders for parameter in encoder.parameters()}
        groups = super().parameter_groups(training)
        groups[0]["params"] = [p for p in groups[0]["params"] if p not in apart]
        for encoder, rate in zip(encoders, self.rates, strict=True):
            groups.append({"params": list(encoder.parameters()), "lr": rate})
        return groups

    def before_training(self, labels: Tensor) -> None:
        """Give every modality the clip's label to begin with."""
        self.labels.start(labels)

    def after_step(self, output: Output, targets: Targets) -> None:
        """Move the labels of the batch's clips."""
        self.labels.update(output, targets.clip)

    def after_epoch(self, epoch: int) -> None:
        """Let labels move less from epoch to epoch."""
        self.labels.epoch = epoch + 1

    def training_state(self) -> dict[str, Tensor]:
        """Return labels and features of all clips."""
        return self.labels.state()

    def load_training_state(self, state: dict[str, Tensor]) -> None:
        """Take up a `training_state`."""
        self.labels.load(state)
