"""Sentiment from incomplete language, audio and vision.

>>> from extractors import extract
>>> from lnln import load, predict
>>> model = load("models/lnln")
>>> predict(extract(["a.mp4", "folder/"], model.extraction), model)

`load` takes a folder or the id of a model on the Hugging Face hub, as `Checkpoint.from_pretrained`
does; `Checkpoint.save_pretrained` writes one. `LNLN` is the network alone.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import contracts.environment  # noqa: F401 - for what is imported below

if TYPE_CHECKING:
    from lnln.checkpoints.checkpoint import Checkpoint, load
    from lnln.models.lnln.model import LNLN
    from lnln.prediction import Prediction, predict

# Threads that wait for each other sleep. They would spin, which holds everybody up where there are
# more threads than cores: two trainings with two threads each got nowhere on two cores. No result
# depends on it. The OpenMP that comes with torch reads it when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = ["LNLN", "Checkpoint", "Prediction", "load", "predict"]

_MODULES = {
    "LNLN": "lnln.models.lnln.model",
    "Checkpoint": "lnln.checkpoints.checkpoint",
    "Prediction": "lnln.prediction",
    "load": "lnln.checkpoints.checkpoint",
    "predict": "lnln.prediction",
}


def __getattr__(name: str) -> Any:
    """Import torch only when something that needs it is asked for."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
