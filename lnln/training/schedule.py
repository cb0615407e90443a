"""The learning rate over the run: a linear rise, then a cosine to 0."""

import math

from lnln.settings import TrainSettings, Variant


def learning_rate(settings: TrainSettings, variant: Variant, step: int, steps: int) -> float:
    """Compute the learning rate of one step.

    Parameters
    ----------
    settings : TrainSettings
    variant : str
        `paper` moves with every step. `official` moves once an epoch as the published code's
        scheduler does: the first epoch runs at rate 0, and the peak lasts two epochs.
    step : int
        Counted from 0 over the whole run.
    steps : int
        Steps in one epoch.
    """
    peak = settings.learning_rate
    if variant == "official":
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
