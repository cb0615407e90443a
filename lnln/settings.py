"""Settings that every model shares: the shapes of its inputs, and how it is trained.

The defaults are those of "Towards Robust Multimodal Sentiment Analysis with Incomplete Data"
(arXiv 2409.20012) where the paper names a value.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Precision = Literal["fp32", "bf16"]
NormalisedBy = Literal["split", "speaker"]
MetricSet = Literal["mosi", "sims"]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # NumPy, and all that draw by it, take no greater one
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

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelSettings(Settings):
    """Base of the settings of one model; its own stand in `lnln/models/<name>/settings.py`."""


# What no real clip or feature comes near: a number beyond them in a config from elsewhere would ask
# for more memory than there is.
MAX_WIDTH = 65_536
MAX_LENGTH = 1_000_000


class Shapes(Settings):
    """What a model must know of the features: row widths and greatest lengths."""

    text_dim: int = Field(ge=1, le=MAX_WIDTH, description="width of a language hidden state")
    audio_dim: int = Field(ge=1, le=MAX_WIDTH, description="audio features per row")
    vision_dim: int = Field(ge=1, le=MAX_WIDTH, description="vision features per row")
    text_length: int = Field(
        ge=1, le=MAX_LENGTH, description="most tokens in a sentence, [CLS] and [SEP] included"
    )
    audio_length: int = Field(ge=1, le=MAX_LENGTH, description="most audio rows in a clip")
    vision_length: int = Field(ge=1, le=MAX_LENGTH, description="most vision rows in a clip")


class SeedlessTrainSettings(Settings):
    """How a model is trained, whatever the seed."""

    epochs: int = Field(default=200, ge=1, description="passes over the training split")
    batch_size: int = Field(default=64, ge=1, description="clips per step")
    learning_rate: float = Field(default=1e-4, gt=0, description="AdamW's peak learning rate")
    language_learning_rate: float = Field(
        default=1e-4, gt=0, description="peak learning rate of BERT where it is fine-tuned"
    )
    weight_decay: float = Field(default=1e-4, ge=0, description="AdamW's weight decay")
    gradient_clip: float = Field(
        default=0.0, ge=0, description="greatest L2 norm of a step's gradient; 0: no limit"
    )
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
        default=False, description="train BERT along with the model instead of keeping it frozen"
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
        "are faster, and two runs, or one that was resumed, differ a little",
    )
    accumulation: int = Field(
        default=1,
        ge=1,
        description="parts that a process's share of a batch goes through the model in: less "
        "memory, the same step",
    )
    normalisation: NormalisedBy = Field(
        default="split",
        description="whose mean and deviation are taken out of voice and face: split, the training "
        "split's; speaker, each speaker's own",
    )
    selection: Metric = Field(
        default="mae", description="metric of the validation split that chooses the epoch"
    )
    patience: int = Field(
        default=0,
        ge=0,
        description="epochs in a row without a better one after which training ends; 0: never",
    )
    interval_level: float = Field(
        default=0.9,
        gt=0,
        lt=1,
        description="share of the labels that the intervals around predictions are to hold",
    )


class TrainSettings(SeedlessTrainSettings):
    """How one model is trained."""

    seed: Seed = Field(default=1111, description="seed of initialisation, masks and order")
