"""The name of a run: a hash of everything that can change what comes out of it."""

from __future__ import annotations

import hashlib
import inspect
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from torch import nn

from contracts.code import digest, plain
from lnln.models.registry import find
from lnln.training.processes import accelerator

# Imported by a run, and yet nothing that comes out of it depends on it.
HARMLESS = {
    "contracts": "what was read counts by its content",
    "lnln/checkpoints/card.py": "a text about the model",
    "lnln/checkpoints/hub.py": "where a model is, not what is in it",
    "lnln/missing/patterns.py": "the masks of validation count by their content",
    "lnln/missing/rules.py": "the masks of validation count by their content",
    "lnln/settings.py": "the values count, not the checks of them",
    "lnln/training/resume.py": "how a run resumes, not what comes out",
    "lnln/training/telling.py": "what is told of a run",
}

Buffer = bytes | memoryview


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Hash inputs of any size together with the code of the run, torch, threads and processor.

    The code is that of `lnln.training.run` and of the model, and all that they import.

    Parameters
    ----------
    inputs : mapping
        Of names to feature sets, masks, settings, networks, and plain values: the arguments of
        `lnln.training.run.train`. `name` is that of the model.

    Returns
    -------
    str
        sha256, in hexadecimal digits.

    Raises
    ------
    TypeError
        If a value is of another kind.
    """
    digest_ = hashlib.sha256()
    for piece in _pieces([_surroundings(inputs["name"]), inputs]):
        digest_.update(piece)
    return digest_.hexdigest()


def _surroundings(model: str) -> dict[str, Any]:
    """Return what else the result depends on: code, libraries, processor."""
    folder = f"lnln/models/{model}"
    files = ["lnln/training/run.py", f"{folder}/model.py", f"{folder}/settings.py"]
    return {
        "code": digest(files, without=HARMLESS),
        "registered": _registered(model),
        "processes": accelerator().num_processes,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "processor": torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else platform.processor() or platform.machine(),
    }


def _registered(model: str) -> bytes | None:
    """Return the code of the file that a model is written in; None if it was typed into a shell."""
    try:
        return plain(Path(inspect.getfile(find(model).load())).read_bytes())
    except (OSError, TypeError):
        return None


def _pieces(value: Any) -> Iterator[Buffer]:
    """Yield a value as bytes, each part behind its kind and size: no two values give the same."""
    if isinstance(value, np.ndarray):
        yield f"array {value.dtype.str} {value.shape};".encode()
        yield np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
    elif isinstance(value, torch.Tensor):
        yield from _pieces(value.detach().cpu().numpy())
    elif isinstance(value, nn.Module):
        yield from _pieces([type(value).__name__, dict(value.state_dict())])
    elif isinstance(value, BaseModel):
        yield from _pieces(value.model_dump_json())
    elif is_dataclass(value):
        yield from _pieces({field.name: getattr(value, field.name) for field in fields(value)})
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)};".encode()
        for key, item in value.items():
            yield from _pieces(key)
            yield from _pieces(item)
    elif isinstance(value, str | bytes):
        content = value.encode() if isinstance(value, str) else value
        yield f"{type(value).__name__} {len(content)};".encode()
        yield content
    elif isinstance(value, Sequence):
        yield f"sequence {len(value)};".encode()
        for item in value:
            yield from _pieces(item)
    elif value is None or isinstance(value, bool | int | float):
        yield f"{value!r};".encode()
    else:
        raise TypeError(f"{type(value).__name__} is nothing that a run can be named after")
