"""The learning rate over the run: a linear rise, then a cosine to 0."""

import math
from typing import Literal

from lnln.settings import TrainSettings


def learning_rate(
    settings: TrainSettings, schedule: Literal["step", "epoch"], step: int, steps: int
) -> float:
    """Compute the learning rate of one step.

    Parameters
    ----------
    settings : TrainSettings
    schedule : {"step", "epoch"}
        How often the rate moves. Once an epoch it does as the scheduler of the published LNLN code:
        the first epoch runs at rate 0, and the peak lasts two epochs.
    step : int
        Counted from 0 over the whole run.
    steps : int
        Steps in one epoch.
    """
    peak = settings.learning_rate
    if schedule == "epoch":
        epoch, rise = step // steps, settings.warmup * settings.epochs
        if epoch <= rise:
            return peak * epoch / rise if rise else peak
        return peak * _cosine((epoch - math.floor(rise) - 1) / (settings.epochs - rise))
    total = settings.epochs * steps
    rise = settings.warmup * total
    if step < rise:
        return peak * min(1.0, (step + 1) / rise)
    return peak * _cosine((step - rise) / (total - rise))


def _cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))
