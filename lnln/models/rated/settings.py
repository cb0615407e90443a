"""The head of a rated language encoder has nothing to set."""

from typing import Any, Literal

from lnln.settings import ModelSettings

LEARNS: Literal["by_gradient", "at_once"] = "at_once"
SETTINGS = ModelSettings
TRAINING: dict[str, Any] = {"epochs": 1}
