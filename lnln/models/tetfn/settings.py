"""Settings of TETFN, and where its variants differ.

The paper is "TETFN: A text enhanced transformer fusion network for multimodal sentiment analysis"
(Wang et al., Pattern Recognition, 2023). Its authors published no code; the defaults are those that
MMSA (github.com/thuiar/MMSA) has for MOSI.

Of that, this is not taken over: convolutions over several rows, which MMSA has for SIMS alone (here
every row is projected by itself, as for MOSI and MOSEI); steps over 256 clips, without a schedule;
the end after 8 epochs without a better one; L2 decay in the gradient, with a weight for each group
of parameters (AdamW's decay here is one for all, and decoupled).
"""

from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from lnln.settings import ModelSettings, Settings

Variant = Literal["paper", "official"]


class Switches(NamedTuple):
    """The points at which the variants differ.

    Attributes
    ----------
    positions : {"sinusoidal", "none"}
        Whether all encoders know positions, or only the text-enhanced ones. Without them order
        enters through the LSTMs, the language encoder, and what is hidden of the future.
    padding : {"left_out", "attended"}
        Attended: what stands behind the rows of a clip, up to the greatest length, is read like
        any row, and an encoder's last row is the last of the padding.
    distance : {"squared", "euclidean"}
        How the distance of a feature to a centre is measured, see `lnln.layers.unimodal_labels`.
    features : {"z_scores", "raw"}
        Audio and vision on the scale of the training split's observed rows, or as they come.
    """

    positions: Literal["sinusoidal", "none"] = "sinusoidal"
    padding: Literal["left_out", "attended"] = "left_out"
    distance: Literal["squared", "euclidean"] = "squared"
    features: Literal["z_scores", "raw"] = "z_scores"


VARIANTS: dict[Variant, Switches] = {
    "paper": Switches(),
    "official": Switches(
        positions="none", padding="attended", distance="euclidean", features="raw"
    ),
}


class Dropout(Settings):
    """Probabilities of dropout."""

    from_text: float = Field(
        default=0.1, ge=0, lt=1, description="of attention to language, and within a modality"
    )
    from_audio: float = Field(default=0.0, ge=0, lt=1, description="of attention to audio")
    from_vision: float = Field(default=0.1, ge=0, lt=1, description="of attention to vision")
    embedding: float = Field(default=0.0, ge=0, lt=1, description="of every encoder's inputs")
    relu: float = Field(default=0.0, ge=0, lt=1, description="of hidden units of feed-forward")
    residual: float = Field(
        default=0.1, ge=0, lt=1, description="of what attention and feed-forward add"
    )
    multimodal_head: float = Field(
        default=0.0, ge=0, lt=1, description="of what the multimodal head reads"
    )
    text_head: float = Field(
        default=0.0, ge=0, lt=1, description="of what the head of language reads"
    )
    audio_head: float = Field(
        default=0.0, ge=0, lt=1, description="of what the head of audio reads"
    )
    vision_head: float = Field(
        default=0.0, ge=0, lt=1, description="of what the head of vision reads"
    )


class TETFNSettings(ModelSettings):
    """Architecture of TETFN, and the learning rates of its LSTMs."""

    variant: Variant = Field(
        default="paper",
        description="paper: positions in every encoder, and padding is left out; official: as the "
        "code of MMSA does, with few positions and with padding attended",
    )
    alignment: Literal["none", "pooled"] = Field(
        default="none",
        description="none: audio and vision keep their rows; pooled: means over as many groups of "
        "rows as there are tokens (published: for SIMS; MOSI and MOSEI are aligned to words)",
    )
    width: int = Field(default=50, ge=2, description="d, width of every sequence")
    heads: int = Field(default=5, ge=1, description="attention heads, a divisor of the width")
    layers: int = Field(default=2, ge=1, description="layers of every encoder")
    audio_lstm: int = Field(
        default=16, ge=1, description="width of the audio LSTM's state (published: 32 for MOSEI)"
    )
    vision_lstm: int = Field(
        default=64, ge=1, description="width of the vision LSTM's state (published: 32 for MOSEI)"
    )
    fusion_width: int = Field(default=64, ge=1, description="width of the multimodal feature")
    text_width: int = Field(
        default=32,
        ge=1,
        description="width of the feature of language (published: 64 for MOSEI and SIMS)",
    )
    audio_width: int = Field(
        default=32, ge=1, description="width of the feature of audio (published: 16 for SIMS)"
    )
    vision_width: int = Field(
        default=16, ge=1, description="width of the feature of vision (published: 32 for SIMS)"
    )
    dropout: Dropout = Dropout()
    label_bound: float = Field(
        default=3.0, gt=0, description="H, the greatest absolute label of a modality"
    )
    audio_learning_rate: float = Field(
        default=5e-4,
        gt=0,
        description="peak learning rate of the audio LSTM (published: 1e-3 for MOSEI, 3e-3 for "
        "SIMS)",
    )
    vision_learning_rate: float = Field(
        default=3e-4,
        gt=0,
        description="peak learning rate of the vision LSTM (published: 5e-3 for MOSEI, 5e-4 for "
        "SIMS)",
    )

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
SETTINGS = TETFNSettings
TRAINING: dict[str, Any] = {
    "learning_rate": 3e-4,  # of all but the LSTMs
    "language_learning_rate": 3e-5,
    "weight_decay": 1e-2,
}
