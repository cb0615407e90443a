"""A gradient that turns round (arXiv 1409.7495)."""

import torch
from torch import Tensor


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        return gradients[0].neg()


def reverse_gradient(x: Tensor) -> Tensor:
    """Pass x on unchanged, and its gradient back with the sign turned."""
    return _ReverseGradient.apply(x)
