"""The name of a run: a hash of everything that can change what comes out of it."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from torch import nn

from lnln.training.processes import accelerator

Buffer = bytes | memoryview


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Hash inputs of any size together with this package's code, torch and the processor.

    Parameters
    ----------
    inputs : mapping
        Of names to feature sets, masks, settings, networks, and plain values.

    Returns
    -------
    str
        sha256, in hexadecimal digits.

    Raises
    ------
    TypeError
        If a value is of another kind.
    """
    digest = hashlib.sha256()
    for piece in _pieces([_surroundings(), inputs]):
        digest.update(piece)
    return digest.hexdigest()


def _surroundings() -> dict[str, Any]:
    """Return what else the result depends on: code, libraries, processor."""
    return {
        "code": {f.name: f.read_bytes() for f in sorted(Path(__file__).parent.glob("*.py"))},
        "processes": accelerator().num_processes,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "processor": torch.cuda.get_device_name()
        if torch.cuda.is_available()
        else platform.processor() or platform.machine(),
    }


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
