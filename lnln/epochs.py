"""One pass over the training split after another: steps of gradient descent, and their means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lnln import losses
from lnln.batches import Layout, collate, in_batches, incomplete, rows_of, to_device
from lnln.checkpoint import weights_of
from lnln.features import FeatureSet
from lnln.history import Row
from lnln.incompleteness import Masks, training_masks, uniforms
from lnln.language import LanguageEncoder
from lnln.model import LNLN
from lnln.schedule import learning_rate
from lnln.settings import LossSettings, NetworkSettings, TrainSettings

# What is told of a step, and of an epoch as the mean over its clips.
TERMS = (*losses.Losses._fields, "discriminator_accuracy", "gradient_norm")


class TrainingDiverged(RuntimeError):
    """The loss is no longer a finite number; the message says where and which clips."""


@dataclass
class Training:
    """A network in training: weights, their average, optimiser, and where in the epoch it is.

    Attributes
    ----------
    sums : array, [len(TERMS)]
        Of this epoch so far, over its clips.
    done : int
        Steps of this epoch so far.
    """

    model: LNLN
    clips: FeatureSet
    layout: Layout
    encoder: LanguageEncoder | None
    network: NetworkSettings
    loss: LossSettings
    settings: TrainSettings
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(TERMS)))
    done: int = 0

    def __post_init__(self) -> None:
        self.device = next(self.model.parameters()).device
        self.averaged = AveragedModel(
            self.model, multi_avg_fn=get_ema_multi_avg_fn(self.settings.averaging)
        )
        self.optimiser = torch.optim.AdamW(
            [p for p in self.model.parameters() if p.requires_grad],
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            fused=True,
        )

    @property
    def kept(self) -> LNLN:
        """The network with the averaged weights, which are validated and kept."""
        averaged = self.averaged.module
        assert isinstance(averaged, LNLN)
        return averaged

    def state(self) -> dict[str, Any]:
        """Return all that changes while it trains, random generators included."""
        return {
            "model": weights_of(self.model),
            "averaged": weights_of(self.kept),
            "averagings": int(self.averaged.n_averaged),
            "optimiser": self.optimiser.state_dict(),
            "sums": self.sums.tolist(),
            "done": self.done,
            "generator": torch.get_rng_state(),
            "cuda_generators": torch.cuda.get_rng_state_all(),  # none without a GPU
        }

    def go_on(self, state: dict[str, Any]) -> None:
        """Take up a `state`."""
        # A frozen language encoder is not in there.
        self.model.load_state_dict(state["model"], strict=False)
        self.kept.load_state_dict(state["averaged"], strict=False)
        self.averaged.n_averaged.fill_(state["averagings"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.sums = np.array(state["sums"])
        self.done = state["done"]
        torch.set_rng_state(state["generator"])
        torch.cuda.set_rng_state_all(state["cuda_generators"])

    def epoch(self, epoch: int, after_step: Callable[[], None]) -> Row:
        """Pass over the training split once, or over what is left of it.

        Parameters
        ----------
        epoch : int
            Counted from 1.
        after_step : callable
            Called after every step.

        Returns
        -------
        dict
            The learning rate of the last step, and the means of `TERMS`.

        Raises
        ------
        TrainingDiverged
            If one of them is not finite.
        """
        self.model.train()
        masks, rates = training_masks(self.clips, seed=self.settings.seed, epoch=epoch)
        rows = None if self.layout.full else rows_of(self.clips)
        batches = in_batches(self.order(epoch), self.settings.batch_size, rows)
        while self.done < len(batches):
            step, batch = (epoch - 1) * len(batches) + self.done, batches[self.done]
            for group in self.optimiser.param_groups:
                group["lr"] = self.learning_rate(step, len(batches))
            self.sums += self.step(step, self.clips.take(batch), masks, rates) * len(batch)
            self.done += 1
            after_step()
        row: Row = {
            "epoch": epoch,
            "learning_rate": self.learning_rate(epoch * len(batches) - 1, len(batches)),
        }
        for name, total in zip(TERMS, self.sums, strict=True):
            row[f"train/{name}"] = float(total / len(self.clips))
        self.sums, self.done = np.zeros(len(TERMS)), 0
        return row

    def learning_rate(self, step: int, steps: int) -> float:
        """Look up the learning rate of one step of the run, of `steps` an epoch."""
        return learning_rate(self.settings, self.network.variant, step, steps)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Shuffle the clips, anew every epoch."""
        seed, count = self.settings.seed, len(self.clips)
        draws = uniforms(count, seed=seed, purpose="order", epoch=epoch, clip_id="", modality="")
        return np.argsort(draws, kind="stable")

    def step(
        self, step: int, clips: FeatureSet, masks: Masks, rates: dict[str, float]
    ) -> NDArray[np.float64]:
        """Take one step of gradient descent; return the `TERMS`."""
        masked = incomplete(clips, masks, self.encoder)
        completeness = (
            np.array([1 - rates[clip_id] for clip_id in clips.clip_ids])  # the published code
            if self.network.variant == "official"
            else masked.text.completeness()
        )
        inputs, complete = (
            to_device(collate(c, self.layout), self.device) for c in (masked, clips)
        )
        output = self.model(inputs, complete)
        terms = losses.compute(
            output, self.tensor(clips.known_labels()), self.tensor(completeness), self.loss
        )
        self.optimiser.zero_grad(set_to_none=True)
        terms.total.backward()
        norm = torch.nn.utils.get_total_norm(
            [p.grad for p in self.model.parameters() if p.grad is not None]
        )
        told = (*terms, losses.discriminator_accuracy(output), norm)
        values = torch.stack([value.detach() for value in told]).double().cpu().numpy()
        if not np.isfinite(values).all():
            named = ", ".join(f"{n} {v:g}" for n, v in zip(TERMS, values, strict=True))
            raise TrainingDiverged(
                f"the loss is not finite at step {step} ({named}); clips of the batch: "
                f"{', '.join(clips.clip_ids)}. Lower learning_rate, or look at these clips' "
                "features"
            )
        self.optimiser.step()
        self.averaged.update_parameters(self.model)
        return values

    def tensor(self, values: NDArray[np.floating]) -> Tensor:
        """Move one number per clip to the network's device and precision."""
        return torch.from_numpy(values.astype(np.float32)).to(self.device)
