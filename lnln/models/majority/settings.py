"""The majority has nothing to set."""

from typing import Any

from lnln.settings import ModelSettings

SETTINGS = ModelSettings
TRAINING: dict[str, Any] = {"epochs": 1}
