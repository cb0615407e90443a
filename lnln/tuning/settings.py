"""Settings of the tuning of a language encoder."""

from typing import Literal

from pydantic import Field

from lnln.settings import Settings


class TuningSettings(Settings):
    """How a language encoder is tuned on rated sentences."""

    method: Literal["low_rank", "truncated"] = Field(
        default="truncated",
        description="low_rank: updates of low rank are learnt; truncated: whole matrices are, and "
        "of what changed the part of that rank is kept, which is better and costs more",
    )
    rank: int = Field(default=16, ge=1, description="rank of the update of every weight matrix")
    frozen_layers: int = Field(
        default=0, ge=0, description="lowest layers that stay as they are, for a larger encoder"
    )
    epochs: int = Field(default=1, ge=1, description="passes over the sentences")
    batch_size: int = Field(default=32, ge=1, description="sentences per step")
    learning_rate: float = Field(default=1e-4, gt=0, description="AdamW's peak learning rate")
    weight_decay: float = Field(default=0.01, ge=0, description="AdamW's weight decay")
    warmup: float = Field(
        default=0.1, ge=0, lt=1, description="share of the steps over which the rate rises"
    )
    masked: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of the sentences that lose words, at a rate drawn from 0 to 1",
    )
    max_tokens: int = Field(
        default=64, ge=3, description="tokens read of a sentence, [CLS] and [SEP] included"
    )
    seed: int = Field(default=0, ge=0, description="of the order, the masks and the updates")
