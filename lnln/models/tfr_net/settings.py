"""Settings of TFR-Net, and where its variants differ.

The defaults are those of MMSA (github.com/thuiar/MMSA) for MOSI.
"""

from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from lnln.settings import ModelSettings, Settings

Variant = Literal["paper", "official"]


class Switches(NamedTuple):
    """The points at which the variants differ.

    Attributes
    ----------
    reconstruction : {"over_channels", "over_clips"}
        What the encoders before the reconstruction attend across. The published code misses a
        transposition: clips see those that happen to stand before them in the batch. The
        prediction is the same.
    similarity : {"rows", "rows_and_moments"}
        What reconstruction and complete input are compared by: rows alone, or moments as well.
    padding : {"left_out", "attended"}
        Attended: rows of zeros up to the greatest length are rows like any other.
    features : {"z_scores", "raw"}
        Audio and vision on the scale of the training split's observed rows, or as they come.
    """

    reconstruction: Literal["over_channels", "over_clips"] = "over_channels"
    similarity: Literal["rows", "rows_and_moments"] = "rows"
    padding: Literal["left_out", "attended"] = "left_out"
    features: Literal["z_scores", "raw"] = "z_scores"


VARIANTS: dict[Variant, Switches] = {
    "paper": Switches(),
    "official": Switches(
        reconstruction="over_clips",
        similarity="rows_and_moments",
        padding="attended",
        features="raw",
    ),
}


class Kernels(Settings):
    """Rows that one step of each modality's convolution sees."""

    text: int = Field(default=1, ge=1, description="of language")
    audio: int = Field(default=5, ge=1, description="of audio")
    vision: int = Field(default=3, ge=1, description="of vision")


class Summaries(Settings):
    """Widths of each modality's summary, and of either direction of its GRU."""

    text: int = Field(default=36, ge=1, description="of language")
    audio: int = Field(default=20, ge=1, description="of audio")
    vision: int = Field(default=48, ge=1, description="of vision")


class Dropout(Settings):
    """Probabilities of dropout."""

    text: float = Field(default=0.2, ge=0, lt=1, description="of the hidden states of language")
    embedding: float = Field(default=0.2, ge=0, lt=1, description="of every encoder's inputs")
    from_text: float = Field(
        default=0.2, ge=0, lt=1, description="of attention to language, and within a modality"
    )
    from_audio: float = Field(default=0.1, ge=0, lt=1, description="of attention to audio")
    from_vision: float = Field(default=0.0, ge=0, lt=1, description="of attention to vision")
    relu: float = Field(default=0.2, ge=0, lt=1, description="of hidden units of feed-forward")
    residual: float = Field(
        default=0.2, ge=0, lt=1, description="of what attention and feed-forward add"
    )
    summary: float = Field(default=0.2, ge=0, lt=1, description="of the modalities' summaries")
    classifier: float = Field(default=0.0, ge=0, lt=1, description="of the head's hidden layer")


class LossWeights(Settings):
    """Weights of the reconstructions' losses; that of the sentiment is 1."""

    text: float = Field(default=5.0, ge=0, description="of language")
    audio: float = Field(default=2.0, ge=0, description="of audio")
    vision: float = Field(default=20.0, ge=0, description="of vision")


class TFRNetSettings(ModelSettings):
    """Architecture of TFR-Net and the weights of its losses."""

    variant: Variant = Field(
        default="paper",
        description="paper: as the paper says; official: as the published code does, with padding "
        "attended",
    )
    width: int = Field(default=30, ge=2, description="d, width of every sequence")
    heads: int = Field(default=6, ge=1, description="attention heads, a divisor of the width")
    layers: int = Field(
        default=3,
        ge=1,
        description="layers of the cross-modal encoders; the others have at least 3",
    )
    reconstruction_heads: int = Field(
        default=25,
        ge=1,
        description="heads before the reconstruction, at most; a divisor of the greatest length",
    )
    gru_layers: int = Field(default=3, ge=1, description="layers of the GRUs")
    classifier_width: int = Field(default=128, ge=1, description="width of the head's hidden layer")
    kernels: Kernels = Kernels()
    summaries: Summaries = Summaries()
    dropout: Dropout = Dropout()
    loss: LossWeights = LossWeights()

    @property
    def switches(self) -> Switches:
        """What the variant stands for."""
        return VARIANTS[self.variant]

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(
                f"heads={self.heads} does not divide width={self.width}: set heads to a divisor"
            )
        return self


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = TFRNetSettings
# BERT's rate is that of the authors' repository (MMSA on MOSI: 2e-6). Not taken over: clipping by
# value, decay within the gradient, which is less for BERT, steps on gradients of up to four
# batches, and masks that are drawn once for all epochs.
TRAINING: dict[str, Any] = {
    "learning_rate": 1e-3,
    "language_learning_rate": 1e-5,
    "weight_decay": 1e-3,
}
