"""Settings of the model that reads voice alone."""

from typing import Any, Literal

from pydantic import Field

from lnln.settings import ModelSettings


class AudioOnlySettings(ModelSettings):
    """Size of the head."""

    width: int = Field(default=64, ge=1, description="width of the hidden layer")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="dropout probability in the head")


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = AudioOnlySettings
TRAINING: dict[str, Any] = {"learning_rate": 1e-3}
