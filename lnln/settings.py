"""Every knob of the network, its losses and its training, typed and validated.

The defaults are those of "Towards Robust Multimodal Sentiment Analysis with Incomplete Data"
(arXiv 2409.20012) where the paper names a value.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Variant = Literal["paper", "masked", "official"]
Precision = Literal["fp32", "bf16"]
Metric = Literal[  # of either metric set, see `lnln.evaluation.metrics`
    "mae",
    "corr",
    "acc7",
    "acc5",
    "acc3",
    "acc2",
    "f1",
    "acc2_with_zero",
    "f1_with_zero",
    "acc2_without_zero",
    "f1_without_zero",
]


class Settings(BaseModel):
    """Base of all settings: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Shapes(Settings):
    """What the network must know of the features: row widths and greatest lengths."""

    text_dim: int = Field(ge=1, description="width of a language hidden state")
    audio_dim: int = Field(ge=1, description="audio features per row")
    vision_dim: int = Field(ge=1, description="vision features per row")
    text_length: int = Field(
        ge=1, description="most tokens in a sentence, [CLS] and [SEP] included"
    )
    audio_length: int = Field(ge=1, description="most audio rows in a clip")
    vision_length: int = Field(ge=1, description="most vision rows in a clip")


class NetworkSettings(Settings):
    """Architecture of LNLN."""

    variant: Variant = Field(
        default="paper",
        description="paper: as the paper says; masked: as paper, but no attention to missing rows; "
        "official: as the published code does",
    )
    width: int = Field(default=128, ge=2, description="d, width of every token")
    tokens: int = Field(default=8, ge=1, description="T, tokens that stand for one modality")
    heads: int = Field(default=8, ge=1, description="attention heads")
    head_width: int = Field(default=64, ge=1, description="width of a head")
    hyper_head_width: int = Field(
        default=16, ge=1, description="width of a head in hyper-modality learning"
    )
    depth: int = Field(default=2, ge=1, description="layers of every encoder but the fusion's")
    hyper_depth: int = Field(
        default=3,
        ge=1,
        description="layers of hyper-modality learning, at most depth + 1: each has its own H_d",
    )
    fusion_depth: int = Field(
        default=4,
        ge=1,
        description="layers of the fusion (the published code: 2 for MOSI, 4 for MOSEI and SIMS)",
    )
    dropout: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="dropout probability inside LNLN, not inside BERT"
    )

    @model_validator(mode="after")
    def _every_hyper_layer_has_a_dominant_feature(self) -> Self:
        if self.hyper_depth > self.depth + 1:
            raise ValueError(
                f"hyper_depth={self.hyper_depth} needs as many dominant features, but "
                f"depth={self.depth} gives {self.depth + 1}: set hyper_depth to at most that"
            )
        return self


class LossSettings(Settings):
    """Weights of the four terms of the loss."""

    completeness: float = Field(default=0.9, ge=0, description="alpha, weight of L_cc")
    adversarial: float = Field(
        default=0.8, ge=0, description="beta, weight of L_adv (published: 0.6 for SIMS)"
    )
    reconstruction: float = Field(default=0.1, ge=0, description="gamma, weight of L_rec")
    sentiment: float = Field(default=1.0, ge=0, description="sigma, weight of L_sp")


class SeedlessTrainSettings(Settings):
    """How the network is trained, whatever the seed."""

    epochs: int = Field(default=200, ge=1, description="passes over the training split")
    batch_size: int = Field(default=64, ge=1, description="clips per step")
    learning_rate: float = Field(default=1e-4, gt=0, description="AdamW's peak learning rate")
    language_learning_rate: float = Field(
        default=1e-4, gt=0, description="peak learning rate of BERT where it is fine-tuned"
    )
    weight_decay: float = Field(default=1e-4, ge=0, description="AdamW's weight decay")
    warmup: float = Field(
        default=0.1, ge=0, lt=1, description="share of the steps over which the rate rises"
    )
    averaging: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="decay per step of the moving average of the weights that is validated and "
        "kept; 0: the weights themselves",
    )
    finetune_language: bool = Field(
        default=False, description="train BERT along with LNLN instead of keeping it frozen"
    )
    gradient_checkpointing: bool = Field(
        default=False,
        description="fine-tuned BERT keeps no activations but computes them again: less memory, "
        "about a third more time",
    )
    precision: Precision = Field(
        default="fp32",
        description="bf16: matrices are multiplied in bfloat16; weights and losses stay in fp32",
    )
    tf32: bool = Field(
        default=False,
        description="GPUs multiply fp32 matrices with 10 bits of mantissa: faster, other digits",
    )
    deterministic: bool = Field(
        default=True,
        description="only algorithms that give the same bytes every time; false: on a GPU some "
        "are faster, and two runs, or one that went on after an interruption, differ a little",
    )
    accumulation: int = Field(
        default=1,
        ge=1,
        description="parts that a process's share of a batch goes through the network in: less "
        "memory, the same step",
    )
    selection: Metric = Field(
        default="mae", description="metric of the validation split that chooses the epoch"
    )
    patience: int = Field(
        default=0,
        ge=0,
        description="epochs in a row without a better one after which training ends; 0: never",
    )


class TrainSettings(SeedlessTrainSettings):
    """How one network is trained."""

    seed: int = Field(default=1111, ge=0, description="seed of initialisation, masks and order")
