"""What tuning changes of an encoder's weight matrices: products of low rank, learnt or kept.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Update(NamedTuple):
    """The update of one weight matrix, `up` @ `down`.

    Attributes
    ----------
    down : Tensor, [rank, inputs]
    up : Tensor, [outputs, rank]
    """

    down: Tensor
    up: Tensor


class Updates(Protocol):
    """What is learnt of an encoder, from before tuning to after it."""

    def finish(self) -> dict[str, Update]:
        """Return the updates by the name of their layer; the encoder is as they make it."""


def matrices(model: PreTrainedModel, frozen_layers: int) -> dict[str, nn.Linear]:
    """Find the weight matrices of an encoder's layers, but for the lowest ones.

    Raises
    ------
    ValueError
        If no layer is left.
    """
    layers = range(frozen_layers, model.config.num_hidden_layers)
    found = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and any(f"layer.{i}." in name for i in layers)
    }
    if not found:
        raise ValueError(
            f"frozen_layers={frozen_layers} leaves none of the "
            f"{model.config.num_hidden_layers} layers: lower it"
        )
    return found


class LowRank:
    """Learns the products themselves, by PEFT."""

    def __init__(self, model: PreTrainedModel, frozen_layers: int, rank: int) -> None:
        from peft import LoraConfig, get_peft_model

        names = [*matrices(model, frozen_layers)]
        settings = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=names)
        get_peft_model(model, settings)  # puts them into the model's layers
        self.layers: dict[str, Any] = {name: model.get_submodule(name) for name in names}

    def finish(self) -> dict[str, Update]:
        """Return the products; the scale of PEFT is in them."""
        return {
            name: Update(
                layer.lora_A["default"].weight.detach(),
                layer.scaling["default"] * layer.lora_B["default"].weight.detach(),
            )
            for name, layer in self.layers.items()
        }


class Truncated:
    """Learns whole matrices, and keeps of each change the nearest product of low rank."""

    def __init__(self, model: PreTrainedModel, frozen_layers: int, rank: int) -> None:
        self.rank = rank
        model.requires_grad_(False)
        self.layers = matrices(model, frozen_layers)
        self.before = {name: layer.weight.detach().clone() for name, layer in self.layers.items()}
        for layer in self.layers.values():
            layer.weight.requires_grad_()

    @torch.no_grad()
    def finish(self) -> dict[str, Update]:
        """Decompose every change by its singular values; the largest stay."""
        found = {}
        for name, layer in self.layers.items():
            before = self.before[name]
            left, values, right = torch.linalg.svd(layer.weight - before, full_matrices=False)
            root = values[: self.rank].sqrt()
            update = Update(root[:, None] * right[: self.rank], left[:, : self.rank] * root)
            layer.weight.copy_(before + update.up @ update.down)
            found[name] = update
        return found


METHODS: dict[str, Callable[[PreTrainedModel, int, int], Updates]] = {
    "low_rank": LowRank,
    "truncated": Truncated,
}
