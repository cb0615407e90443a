"""One pass over the training split after another: steps of gradient descent, and their means."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lnln.checkpoints.checkpoint import weights_of
from lnln.data.batches import Layout, collate, in_batches, incomplete, to_device
from lnln.data.features import FeatureSet
from lnln.data.language import LanguageEncoder
from lnln.missing.masks import Masks, training_masks, uniforms
from lnln.models.lnln import losses
from lnln.models.lnln.network import LNLN
from lnln.settings import LossSettings, NetworkSettings, Precision, TrainSettings
from lnln.training.history import Row
from lnln.training.processes import share
from lnln.training.schedule import learning_rate

# A term of the loss has no business beyond so many squares of the greatest label.
DIVERGED = 1e5
# What is told of a step, and of an epoch as the mean over its clips.
TERMS = (*losses.Losses._fields, "discriminator_accuracy", "gradient_norm")


class TrainingDiverged(RuntimeError):
    """The loss is beyond all bounds, or not a number; the message says where and which clips."""


@dataclass
class Training:
    """A network in training: weights, their average, optimiser, and where in the epoch it is.

    Attributes
    ----------
    processes : Accelerator
        Those that train together. A step is the same for all of them: its batch is divided.
    asked : callable
        Says whether this process was asked to stop.
    sums : array, [len(TERMS)]
        Of this epoch so far, over its clips.
    done : int
        Steps of this epoch so far.
    stopping : bool
        One of the processes was asked to stop before the last step.
    """

    model: LNLN
    clips: FeatureSet
    layout: Layout
    encoder: LanguageEncoder | None
    network: NetworkSettings
    loss: LossSettings
    settings: TrainSettings
    processes: Accelerator
    asked: Callable[[], bool]
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(TERMS)))
    done: int = 0
    stopping: bool = False

    def __post_init__(self) -> None:
        self.device = self.processes.device
        self.averaged = AveragedModel(
            self.model, multi_avg_fn=get_ema_multi_avg_fn(self.settings.averaging)
        )
        own: list[Tensor] = []
        language: list[Tensor] = []
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                (language if name.startswith("language.") else own).append(parameter)
        groups = [{"params": own, "peak": self.settings.learning_rate}]
        if language:
            groups.append({"params": language, "peak": self.settings.language_learning_rate})
        self.optimiser = torch.optim.AdamW(
            groups, weight_decay=self.settings.weight_decay, fused=True
        )
        greatest = float(np.abs(self.clips.known_labels()).max())
        self.bound = DIVERGED * max(1.0, greatest**2)
        # With several processes it adds up their gradients; alone it is the model itself.
        self.together = self.processes.prepare_model(self.model)
        if self.processes.process_index:  # the first goes on with the generator of initialisation
            torch.manual_seed(self.settings.seed + self.processes.process_index)

    @property
    def kept(self) -> LNLN:
        """The network with the averaged weights, which are validated and kept."""
        averaged = self.averaged.module
        assert isinstance(averaged, LNLN)
        return averaged

    def state(self) -> dict[str, Any]:
        """Return all that changes while it trains; every process has to ask for it."""
        return {
            "model": weights_of(self.model),
            "averaged": weights_of(self.kept),
            "averagings": int(self.averaged.n_averaged),
            "optimiser": self.optimiser.state_dict(),
            "sums": self.sums.tolist(),
            "done": self.done,
            "generators": gather_object([self.generators()]),
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
        generators = state["generators"][self.processes.process_index]
        torch.set_rng_state(generators["cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(generators["cuda"], self.device)

    def generators(self) -> dict[str, Tensor]:
        """Return the states of this process's random generators."""
        states = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        return states

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
        ValueError
            If a batch has fewer clips than there are processes.
        TrainingDiverged
            If one of the terms is not finite, or beyond all bounds (`DIVERGED`).
        """
        self.together.train()
        masks, rates = training_masks(self.clips, seed=self.settings.seed, epoch=epoch)
        # Not drawn by length: `lnln.data.packing` groups like lengths inside the network.
        batches = in_batches(self.order(epoch), self.settings.batch_size)
        if min(map(len, batches)) < self.processes.num_processes:
            raise ValueError(
                f"batch_size={self.settings.batch_size} makes batches of "
                f"{min(map(len, batches))} clips, fewer than the "
                f"{self.processes.num_processes} processes: start fewer, or raise it"
            )
        while self.done < len(batches):
            step, batch = (epoch - 1) * len(batches) + self.done, batches[self.done]
            for group in self.optimiser.param_groups:
                rate = self.learning_rate(step, len(batches))
                group["lr"] = rate * (group["peak"] / self.settings.learning_rate)
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
        """Look up LNLN's learning rate at one step of the run, of `steps` an epoch."""
        return learning_rate(self.settings, self.network.variant, step, steps)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Shuffle the clips, anew every epoch."""
        seed, count = self.settings.seed, len(self.clips)
        draws = uniforms(count, seed=seed, purpose="order", epoch=epoch, clip_id="", modality="")
        return np.argsort(draws, kind="stable")

    def step(
        self, step: int, clips: FeatureSet, masks: Masks, rates: dict[str, float]
    ) -> NDArray[np.float64]:
        """Take one step of gradient descent; return the `TERMS`.

        The batch is divided among the processes, and each share into as many parts as gradients
        are to be accumulated over; means are over the whole batch all the same.
        """
        mine = share(len(clips), self.processes)
        parts = np.array_split(mine, min(self.settings.accumulation, len(mine)))
        sums = torch.zeros(len(TERMS), dtype=torch.float64, device=self.device)
        self.optimiser.zero_grad(set_to_none=True)
        for part in parts:
            last = part is parts[-1]
            with nullcontext() if last else self.processes.no_sync(self.together):
                terms = self.terms(clips.take(part), masks, rates)
                weight = len(part) / len(clips)
                # Gradients are averaged over the processes, and are to be those of a sum.
                (terms[0] * (weight * self.processes.num_processes)).backward()
            sums[:-1] += weight * torch.stack([term.detach() for term in terms]).double()
        sums[-1] = self.asked()
        sums = self.processes.reduce(sums, "sum")
        self.stopping = bool(sums[-1])
        sums[-1] = torch.nn.utils.get_total_norm(
            [p.grad for p in self.model.parameters() if p.grad is not None]
        )
        values = sums.cpu().numpy()
        if not np.isfinite(values).all() or values[:-2].max() > self.bound:
            named = ", ".join(f"{n} {v:g}" for n, v in zip(TERMS, values, strict=True))
            raise TrainingDiverged(
                f"training has diverged at step {step} ({named}); clips of the batch: "
                f"{', '.join(clips.clip_ids)}. Lower learning_rate, or look at these clips' "
                "features"
            )
        self.optimiser.step()
        self.averaged.update_parameters(self.model)
        return values

    def terms(self, clips: FeatureSet, masks: Masks, rates: dict[str, float]) -> tuple[Tensor, ...]:
        """Compute the loss of some clips, its terms, and the discriminator's accuracy."""
        masked = incomplete(clips, masks, self.encoder)
        completeness = (
            np.array([1 - rates[clip_id] for clip_id in clips.clip_ids])  # the published code
            if self.network.variant == "official"
            else masked.text.completeness()
        )
        inputs, complete = (
            to_device(collate(c, self.layout), self.device) for c in (masked, clips)
        )
        with mixed(self.settings.precision, self.device):
            output = self.together(inputs, complete)
        output = output._replace(**{n: v.float() for n, v in output._asdict().items()})
        terms = losses.compute(
            output, self.tensor(clips.known_labels()), self.tensor(completeness), self.loss
        )
        return (*terms, losses.discriminator_accuracy(output))

    def tensor(self, values: NDArray[np.floating]) -> Tensor:
        """Move one number per clip to the network's device; losses are in fp32."""
        return torch.from_numpy(values.astype(np.float32)).to(self.device)


def mixed(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Let matrices be multiplied in bf16 where that is asked for; weights stay in fp32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
