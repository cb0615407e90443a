"""Models by name: the folders beside this file, and classes registered at run time."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from lnln.settings import ModelSettings

if TYPE_CHECKING:
    from lnln.models.interface import Model

    AnyModel = TypeVar("AnyModel", bound=type[Model])


class ModelKind(NamedTuple):
    """What is known of a model before torch is imported.

    Attributes
    ----------
    settings : type of ModelSettings
    training : dict
        How it is trained, where that is not the default of `lnln.settings.TrainSettings`.
    learns : {"by_gradient", "at_once"}
        Whether it is a `Network` or an `Estimator`.
    load : callable
        Returns the class.
    """

    settings: type[ModelSettings]
    training: dict[str, Any]
    learns: Literal["by_gradient", "at_once"]
    load: Callable[[], type[Model]]


_REGISTERED: dict[str, ModelKind] = {}


def names() -> list[str]:
    """Return the names of all models."""
    folders = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted({*(module.name for module in folders if module.ispkg), *_REGISTERED})


def find(name: str) -> ModelKind:
    """Find a model.

    Raises
    ------
    ValueError
        There is none of that name.
    """
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name not in names():
        raise ValueError(f"model {name!r} is not one of {', '.join(names())}")
    settings = import_module(f"lnln.models.{name}.settings")

    def load() -> type[Model]:
        model: type[Model] = import_module(f"lnln.models.{name}.model").MODEL
        return model

    return ModelKind(settings.SETTINGS, settings.TRAINING, settings.LEARNS, load)


def register(
    name: str, settings: type[ModelSettings] = ModelSettings, **training: Any
) -> Callable[[AnyModel], AnyModel]:
    """Register a class that is no folder of this package, as a decorator.

    Parameters
    ----------
    name : str
    settings : type of ModelSettings
    **training
        How it is trained, where that is not the default.
    """

    def add(model: AnyModel) -> AnyModel:
        learns: Literal["by_gradient", "at_once"] = (
            "at_once" if hasattr(model, "fit") else "by_gradient"
        )
        _REGISTERED[name] = ModelKind(settings, training, learns, lambda: model)
        return model

    return add
