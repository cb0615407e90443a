"""Settings of the model `robust`."""

from typing import Any, Literal

from pydantic import Field

from lnln.settings import ModelSettings

Part = Literal["precision", "rows"]


class RobustSettings(ModelSettings):
    """Sizes, how it learns, and which parts there are."""

    width: int = Field(default=32, ge=1, description="width of the hidden layer that reads rows")
    heads: int = Field(default=2, ge=1, description="ways in which the rows of a clip are weighed")
    rate: float = Field(
        default=20.0, gt=0, description="learning rate of the network, times train.learning_rate"
    )
    decay: float = Field(
        default=5.0, ge=0, description="weight decay of the lines of the short cut, AdamW's"
    )
    ablate: tuple[Part, ...] = Field(
        default=(),
        description="parts to leave out: precision (answers are added up), rows (the short cut is "
        "left alone)",
    )


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = RobustSettings
TRAINING: dict[str, Any] = {
    "epochs": 10,
    "batch_size": 16,
    "learning_rate": 5e-4,
    "averaging": 0.95,
}
