"""Settings of the model `robust`."""

from typing import Any, Literal

from pydantic import Field

from lnln.settings import ModelSettings

Part = Literal["precision", "shares", "rows", "deviation"]


class RobustSettings(ModelSettings):
    """Sizes, how fast the short cut learns, and which parts there are."""

    width: int = Field(default=32, ge=1, description="width of the hidden layer that reads rows")
    heads: int = Field(default=2, ge=1, description="ways in which rows of a clip are weighed")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout of features and rows")
    short_cut_rate: float = Field(
        default=20.0,
        gt=0,
        description="learning rate of the short cut and of the precisions, times the others'",
    )
    rows_rate: float = Field(
        default=10.0, gt=0, description="learning rate of what reads rows, times the others'"
    )
    ablate: tuple[Part, ...] = Field(
        default=(),
        description="parts to leave out: precision (answers are added up instead), shares (the "
        "precision does not depend on how much was observed), rows (the short cut is left alone), "
        "deviation (of voice and face over time)",
    )


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = RobustSettings
TRAINING: dict[str, Any] = {
    "epochs": 10,
    "batch_size": 16,
    "learning_rate": 5e-4,
    "averaging": 0.95,
}
