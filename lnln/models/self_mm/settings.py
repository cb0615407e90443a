"""Settings of Self-MM, and where its variants differ.

The defaults are those that the published code (github.com/thuiar/MMSA) has for MOSI; the paper is
"Learning Modality-Specific Representations with Self-Supervised Multi-Task Learning for Multimodal
Sentiment Analysis" (arXiv 2102.04830).

Of how it was trained, this is not taken over: no schedule; the end after 8 epochs without a better
one; L2 decay in the gradient, with a weight for each group of parameters and dataset (AdamW's decay
here is one for all, and decoupled); labels that are moved after every 16 clips where weights are
moved after 64.
"""

from typing import Any, Literal, NamedTuple

from pydantic import Field

from lnln.settings import ModelSettings

Variant = Literal["paper", "official"]


class Switches(NamedTuple):
    """The points at which the variants differ.

    Attributes
    ----------
    distance : {"squared", "euclidean"}
        How the distance of a feature to a centre is measured, see `lnln.layers.unimodal_labels`.
    features : {"z_scores", "raw"}
        Audio and vision on the scale of the training split's observed rows, or as they come.
    """

    distance: Literal["squared", "euclidean"] = "squared"
    features: Literal["z_scores", "raw"] = "z_scores"


VARIANTS: dict[Variant, Switches] = {
    "paper": Switches(),
    "official": Switches(distance="euclidean", features="raw"),
}


class SelfMMSettings(ModelSettings):
    """Architecture of Self-MM, and the learning rates of its encoders."""

    variant: Variant = Field(
        default="paper",
        description="paper: as the paper says; official: as the published code does, with another "
        "distance between features",
    )
    audio_lstm: int = Field(default=16, ge=1, description="width of the audio LSTM's state")
    vision_lstm: int = Field(
        default=32, ge=1, description="width of the vision LSTM's state (published: 64 for SIMS)"
    )
    text_width: int = Field(
        default=32, ge=1, description="width of the feature of language (published: 64 for SIMS)"
    )
    audio_width: int = Field(default=16, ge=1, description="width of audio and of its feature")
    vision_width: int = Field(default=32, ge=1, description="width of vision and of its feature")
    fusion_width: int = Field(default=128, ge=1, description="width of the multimodal feature")
    dropout: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="dropout probability of what the heads of language and audio read",
    )
    label_bound: float = Field(
        default=3.0,
        gt=0,
        description="H, the greatest absolute label of a modality (published: 1 for SIMS)",
    )
    audio_learning_rate: float = Field(
        default=5e-3, gt=0, description="peak learning rate of the audio LSTM"
    )
    vision_learning_rate: float = Field(
        default=5e-3,
        gt=0,
        description="peak learning rate of the vision LSTM (published: 1e-4 for MOSEI)",
    )

    @property
    def switches(self) -> Switches:
        """What the variant stands for."""
        return VARIANTS[self.variant]


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = SelfMMSettings
TRAINING: dict[str, Any] = {
    "learning_rate": 1e-3,  # of the heads
    "language_learning_rate": 5e-5,
    "weight_decay": 1e-3,
}
