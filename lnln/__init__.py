"""LNLN: sentiment from incomplete language, audio and vision.

>>> from extractors import extract
>>> from lnln import load, predict
>>> model = load("models/lnln")
>>> predict(extract(["a.mp4", "folder/"], model.extraction), model)

`load` takes a folder or the id of a model on the Hugging Face hub; `LNLN.from_pretrained` gives
the network alone, and its `save_pretrained` writes it.
"""

from typing import Any

__all__ = ["LNLN", "Checkpoint", "Prediction", "load", "predict"]


def __getattr__(name: str) -> Any:
    """Import torch only when something that needs it is asked for."""
    from importlib import import_module

    homes = {
        "load": "checkpoints.checkpoint",
        "Checkpoint": "checkpoints.checkpoint",
        "LNLN": "models.lnln.network",
    }
    if name in __all__:
        return getattr(import_module(f"lnln.{homes.get(name, 'prediction')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
