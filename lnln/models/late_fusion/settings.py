"""Settings of late fusion."""

from typing import Any, Literal

from pydantic import Field

from lnln.settings import ModelSettings


class LateFusionSettings(ModelSettings):
    """Size of the heads."""

    width: int = Field(default=64, ge=1, description="width of each hidden layer")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout probability in the heads")


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = LateFusionSettings
TRAINING: dict[str, Any] = {"learning_rate": 1e-3}
