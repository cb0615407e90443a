"""Tuning a language encoder on rated sentences, of which some have lost words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from lnln.data.language import LanguageEncoder
from lnln.layers.pooled import average
from lnln.tuning.sentences import Batch, FloatArray, Sentences, batch, shuffled
from lnln.tuning.settings import TuningSettings
from lnln.tuning.updates import METHODS, Update, Updates

UNIT = 3.0  # ratings of -1 to 1 are learnt as -3 to 3, for which the loss and its rates were chosen
HEAD_RATE = 1e-3  # least peak learning rate of the head, which begins at 0
READ_AT_ONCE = 64  # sentences that are judged together


class RatedEncoder(nn.Module):
    """A language encoder whose weights are updated, and a linear head on the mean of its states.

    Parameters
    ----------
    folder : Path
        Of the language encoder.
    settings : TuningSettings

    Raises
    ------
    ValueError
        If no layer is left to tune.
    """

    def __init__(self, folder: Path, settings: TuningSettings) -> None:
        super().__init__()
        self.encoder = LanguageEncoder.from_folder(folder)
        self.updates: Updates = METHODS[settings.method](
            self.encoder.model, settings.frozen_layers, settings.rank
        )
        self.head = nn.Linear(self.encoder.width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, sentences: Batch) -> Tensor:
        """Rate sentences by the mean state of their words, [B], -3 to 3."""
        states = self.encoder(sentences.ids, sentences.mask)
        rated: Tensor = self.head(average(states, sentences.content))[:, 0]
        return rated


class Tuned(NamedTuple):
    """A tuned encoder, and what tuning changed of it."""

    model: RatedEncoder
    updates: dict[str, Update]


def tune(folder: Path, sentences: Sentences, settings: TuningSettings) -> Tuned:
    """Tune a language encoder on rated sentences of which some have lost words.

    Parameters
    ----------
    folder : Path
        Of the language encoder.
    sentences : Sentences
    settings : TuningSettings

    Returns
    -------
    Tuned
        Its model is in evaluation mode, in which it was tuned.
    """
    torch.manual_seed(settings.seed)
    # Without dropout: in so few epochs nothing is learnt by heart.
    model = RatedEncoder(folder, settings).eval()
    with torch.no_grad():
        model.head.bias.fill_(UNIT * float(sentences.ratings.mean()))
    learnt = [p for p in model.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.encoder.parameters() if p.requires_grad]},
        {"params": [*model.head.parameters()], "lr": max(HEAD_RATE, settings.learning_rate)},
    ]
    optimiser = torch.optim.AdamW(
        groups, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    per_epoch = sum(1 for _ in shuffled(sentences, settings.batch_size, np.random.default_rng(0)))
    steps = settings.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _rate(step, steps, settings.warmup)
    )
    bar = tqdm(total=steps, desc="tune", unit="step", disable=None)
    for epoch in range(settings.epochs):
        generator = np.random.default_rng([settings.seed, epoch])
        for chosen in shuffled(sentences, settings.batch_size, generator):
            rates = np.where(
                generator.random(len(chosen)) < settings.masked, generator.random(len(chosen)), 0
            )
            shown = batch(sentences.take(chosen), rates, generator)
            with torch.autocast("cpu", torch.bfloat16):  # a quarter to a half of the time less
                rated = model(shown)
            loss = nn.functional.smooth_l1_loss(rated.float(), UNIT * shown.ratings)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learnt, 1.0)
            optimiser.step()
            schedule.step()
            bar.update()
            bar.set_postfix(loss=f"{loss.item():.3f}")
    bar.close()
    return Tuned(model, model.updates.finish())


@torch.inference_mode()
def rate(model: RatedEncoder, sentences: Sentences, lost: float, *, seed: int) -> FloatArray:
    """Rate sentences of which a share of the words is lost, [sentences], -1 to 1."""
    generator = np.random.default_rng([seed, round(1000 * lost)])
    order = np.argsort([len(s) for s in sentences.ids], kind="stable")
    rated = np.zeros(len(sentences))
    for start in range(0, len(order), READ_AT_ONCE):
        chosen = order[start : start + READ_AT_ONCE]
        shown = batch(sentences.take(chosen), np.full(len(chosen), lost), generator)
        rated[chosen] = model(shown).double().numpy() / UNIT
    return rated


def _rate(step: int, steps: int, warmup: float) -> float:
    """Return the learning rate of a step as a share of the peak: a rise, then a line to 0."""
    rise = max(1.0, warmup * steps)
    return min((step + 1) / rise, (steps - step) / max(1.0, steps - rise))
