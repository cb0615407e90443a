"""Weights on disk, compared with the model that a config describes before anything is made.

A config from elsewhere can describe a model of any size, and its weights can be of another one, or
damaged. So a model is first built without memory, on PyTorch's meta device, and no further than the
file has tensors for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from lnln.checkpoints.config import CheckpointError
from lnln.checkpoints.hub import CONFIG
from lnln.data.language import FrozenLanguageEncoder
from lnln.models.interface import Model

Weights = dict[str, Tensor]
# Parameters that a model may make and drop again while it is built, such as BERT's pooler.
SPARE = 64
MOST_UNSAVED = 1 << 30  # bytes of tensors that are computed anew and not in the file


class TooManyParameters(Exception):
    """A model has more parameters than its file has tensors; it is not built further."""


def read_weights(path: Path, sha256: str) -> Weights:
    """Read safetensors.

    Raises
    ------
    CheckpointError
        If the file is damaged, is not the one of that sha256, or holds a number that is not finite.
    """
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CheckpointError(
            f"{path} is not the file that {path.parent / CONFIG} was written with: copy both "
            "again, or train anew"
        )
    try:
        weights = safetensors.torch.load(data)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise CheckpointError(
            f"{path} is no file of weights, or damaged ({reason}): copy it again, or train anew"
        ) from error
    for name, tensor in weights.items():
        if not torch.isfinite(tensor.double() if _is_short(tensor) else tensor).all():
            raise CheckpointError(f"{path}: {name} is not finite: train anew")
        # What values are divided by.
        if name.rpartition(".")[2] == "deviation" and not (tensor > 0).all():
            raise CheckpointError(f"{path}: {name} is not above 0: train anew")
        if name.rpartition(".")[2] == "variance" and not (tensor >= 0).all():
            raise CheckpointError(f"{path}: {name} is below 0: train anew")
    return weights


def check_described(build: Callable[[], Model], weights: Weights, path: Path) -> None:
    """Compare weights with the model that a config describes, without making it.

    Parameters
    ----------
    build : callable
        Returns the model.
    weights : mapping of str to Tensor
    path : Path
        Of the weights, for messages.

    Raises
    ------
    CheckpointError
        If there is no such model, or it has other weights.
    """
    config = path.parent / CONFIG
    try:
        with _at_most(2 * len(weights) + SPARE):
            model = _without_memory(build)
    except TooManyParameters:
        raise CheckpointError(
            f"{config} describes a model with more parameters than {path} has: copy both again"
        ) from None
    except Exception as error:  # sizes that do not fit together fail in many ways
        reason = f"{type(error).__name__}: {str(error)[:500]}"
        raise CheckpointError(f"{config} describes no model that can be built: {reason}") from error
    expected = {name: _kind(tensor) for name, tensor in saved(model).items()}
    stored = {name: _kind(tensor) for name, tensor in weights.items()}
    for name in sorted(expected.keys() | stored.keys()):
        if expected.get(name) != stored.get(name):
            raise CheckpointError(
                f"{path}: {name} has {stored.get(name, 'no shape, it is missing')}, the model of "
                f"its config has {expected.get(name, 'no such parameter')}"
            )
    tables = (table for name, table in model.named_buffers() if name not in weights)
    unsaved = sum(t.numel() * t.element_size() for t in tables if t.is_meta)
    if unsaved > MOST_UNSAVED:
        raise CheckpointError(
            f"{config} describes a model that computes {unsaved} bytes of tables: its lengths are "
            "beyond what is sensible"
        )


def _without_memory(build: Callable[[], Model]) -> Model:
    try:
        with torch.device("meta"):
            return build()
    except (RuntimeError, NotImplementedError) as error:
        if "meta" not in str(error):
            raise
        return build()  # a model of one's own that computes with its weights while it is built


def saved(model: Model) -> Weights:
    """Return the weights that a checkpoint holds; a frozen language encoder is left out."""
    frozen = isinstance(model.language, FrozenLanguageEncoder)
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not (frozen and name.startswith("language."))
    }


def _kind(tensor: Tensor) -> str:
    return f"the shape {list(tensor.shape)} in {str(tensor.dtype).removeprefix('torch.')}"


def _is_short(tensor: Tensor) -> bool:
    """Floats of one byte, of which torch cannot tell whether they are finite."""
    return tensor.is_floating_point() and tensor.element_size() == 1


@contextmanager
def _at_most(count: int) -> Iterator[None]:
    """Stop building a model that has more parameters."""
    left = count

    def made(module: nn.Module, name: str, parameter: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooManyParameters

    handle = nn.modules.module.register_module_parameter_registration_hook(made)
    try:
        yield
    finally:
        handle.remove()
