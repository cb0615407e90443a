"""Settings of the ridge regression."""

from typing import Any, Literal

from pydantic import Field

from lnln.settings import ModelSettings


class RidgeSettings(ModelSettings):
    """Which penalties are tried."""

    alphas: tuple[float, ...] = Field(
        default=tuple(10 ** (half / 2) for half in range(-2, 13)),
        min_length=1,
        description="penalties; the one with the least MAE on the validation split is kept",
    )


LEARNS: Literal["by_gradient", "at_once"] = "at_once"
SETTINGS = RidgeSettings
TRAINING: dict[str, Any] = {"epochs": 10}  # over how many epochs' masks it is fitted
