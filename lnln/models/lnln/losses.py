"""The four terms LNLN is trained on (arXiv 2409.20012, section 3)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from lnln.models.lnln.output import Output
from lnln.models.lnln.settings import LossWeights


class Losses(NamedTuple):
    """The loss and its terms, scalars, not yet weighted; None where the part was ablated."""

    total: Tensor
    prediction: Tensor
    completeness: Tensor | None
    adversarial: Tensor | None
    reconstruction: Tensor | None


def compute(output: Output, label: Tensor, completeness: Tensor, weights: LossWeights) -> Losses:
    """Compute L = alpha L_cc + beta L_adv + gamma L_rec + sigma L_sp.

    Parameters
    ----------
    output : Output
        Of a forward pass that was given complete inputs. A term whose part was ablated is left out.
    label : Tensor, [B]
        Sentiment.
    completeness : Tensor, [B]
        True completeness of the language, 0 to 1.
    weights : LossWeights

    Raises
    ------
    ValueError
        If the labels do not fit the predictions.
    """
    logits, reconstructed, targets = output[2:]
    for name, target in (("label", label), ("completeness", completeness)):
        if target.shape != output.prediction.shape:  # [B, 1] would broadcast to [B, B]
            raise ValueError(
                f"{name} has the shape {list(target.shape)}, but there are "
                f"{len(output.prediction)} predictions: give a target of shape [batch]"
            )
    adversarial = None
    if logits is not None:
        real = torch.zeros(len(logits) // 2, dtype=torch.long, device=logits.device)
        adversarial = F.cross_entropy(logits, torch.cat([real + 1, real]))  # generated 1, real 0
    terms = Losses(
        total=torch.zeros_like(output.prediction[0]),
        prediction=F.mse_loss(output.prediction, label),
        completeness=None if output.w is None else F.mse_loss(output.w, completeness),
        adversarial=adversarial,
        reconstruction=None
        if reconstructed is None or targets is None
        else F.mse_loss(reconstructed, targets),
    )
    weighted = [
        weight * term
        for weight, term in (
            (weights.completeness, terms.completeness),
            (weights.adversarial, terms.adversarial),
            (weights.reconstruction, terms.reconstruction),
            (weights.prediction, terms.prediction),
        )
        if term is not None
    ]
    return terms._replace(total=sum(weighted[1:], start=weighted[0]))


def discriminator_accuracy(output: Output) -> Tensor:
    """Share of the tokens, generated and real, that the discriminator tells right, a scalar.

    At 0.5 it cannot tell them apart, which is what the reversed gradient is for.
    """
    assert output.discriminator_logits is not None
    generated, real = output.discriminator_logits.argmax(dim=1).chunk(2)
    return torch.cat([generated == 1, real == 0]).float().mean()
