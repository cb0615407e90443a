"""The gradient that turns round."""

import torch

from lnln.models.lnln.reversal import reverse_gradient


def test_reversed_gradient_has_the_other_sign_and_the_same_value() -> None:
    x = torch.randn(4, requires_grad=True)
    y = reverse_gradient(x)
    torch.testing.assert_close(y, x)
    (2 * y).sum().backward()
    torch.testing.assert_close(x.grad, torch.full((4,), -2.0))
    x.grad = None
    (2 * reverse_gradient(x, 0.25)).sum().backward()
    torch.testing.assert_close(x.grad, torch.full((4,), -0.5))
