"""One pass over the training split after another: steps of gradient descent, and their means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from lnln.data.batches import collate, in_batches, to_device
from lnln.data.features import FeatureSet
from lnln.data.language import LanguageEncoder
from lnln.data.sentences import Sentences
from lnln.missing.dropping import SentenceCache
from lnln.missing.masks import uniforms
from lnln.models.interface import Network, Targets
from lnln.settings import Precision, TrainSettings
from lnln.training.epoch_clips import EpochClips
from lnln.training.history import Row
from lnln.training.processes import share
from lnln.training.schedule import learning_rate

# A term of the loss has no business beyond so many squares of the greatest label.
DIVERGED = 1e5
Means = dict[str, float]


class TrainingDiverged(RuntimeError):
    """The loss is beyond all bounds, or not a number; the message says where and which clips."""


@dataclass
class Training:
    """A network in training: weights, their average, optimiser, and where in the epoch it is.

    Attributes
    ----------
    encoder : LanguageEncoder or None
        Computes the hidden states of masked sentences; None where the network does so itself.
    processes : Accelerator
        Those that train together. A step is the same for all of them: its batch is divided.
    stop_requested : callable
        Says whether this process was asked to stop.
    further : sequence of Sentences
        Corpora of which every epoch takes some beside the clips.
    sums : dict
        Terms of this epoch so far, added up over its clips.
    done : int
        Steps of this epoch so far.
    stopping : bool
        One of the processes was asked to stop before the last step.
    """

    model: Network
    clips: FeatureSet
    encoder: LanguageEncoder | None
    settings: TrainSettings
    processes: Accelerator
    stop_requested: Callable[[], bool]
    further: Sequence[Sentences] = ()
    sums: Means = field(default_factory=dict)
    done: int = 0
    stopping: bool = False

    def __post_init__(self) -> None:
        self.device = self.processes.device
        labels = self.clips.known_labels()
        self.model.before_training(self.tensor(labels))
        self.averaged = AveragedModel(
            self.model, multi_avg_fn=get_ema_multi_avg_fn(self.settings.averaging)
        )
        groups = self.model.parameter_groups(self.settings)
        for group in groups:
            group["peak"] = group["lr"]
            group.setdefault("minimises", self.model.passes[-1])
        self.optimiser = torch.optim.AdamW(
            groups, weight_decay=self.settings.weight_decay, fused=True
        )
        self.bound = DIVERGED * max(1.0, float(np.abs(labels).max()) ** 2)
        if self.processes.num_processes > 1 and self.model.training_state():
            raise ValueError(
                f"{type(self.model).__name__} keeps a state of its own while it trains, which "
                "several processes cannot share: train it with one process"
            )
        # With several processes it adds up their gradients; alone it is the model itself.
        self.together = self.processes.prepare_model(self.model)
        if self.processes.process_index:  # the first goes on with the generator of initialisation
            torch.manual_seed(self.settings.seed + self.processes.process_index)

    @property
    def averaged_model(self) -> Network:
        """The network with the averaged weights, which are validated and kept."""
        averaged = self.averaged.module
        assert isinstance(averaged, Network)
        return averaged

    def state(self) -> dict[str, Any]:
        """Return all that changes while it trains; every process has to ask for it."""
        return {
            "model": weights_of(self.model),
            "averaged": weights_of(self.averaged_model),
            "averagings": int(self.averaged.n_averaged),
            "hooks": self.model.training_state(),
            "optimiser": self.optimiser.state_dict(),
            "sums": dict(self.sums),
            "done": self.done,
            "generators": gather_object([self.generators()]),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Take up a `state`."""
        # A frozen language encoder is not in there.
        self.model.load_state_dict(state["model"], strict=False)
        self.averaged_model.load_state_dict(state["averaged"], strict=False)
        self.averaged.n_averaged.fill_(state["averagings"])
        self.model.load_training_state({n: t.to(self.device) for n, t in state["hooks"].items()})
        self.optimiser.load_state_dict(state["optimiser"])
        self.sums = dict(state["sums"])
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
        """Pass over the training split, once for every loss, or over what is left of it.

        Parameters
        ----------
        epoch : int
            Counted from 1.
        after_step : callable
            Called after every step.

        Returns
        -------
        dict
            The learning rate of the last step, and the means of the model's terms and of the
            gradient's norm.

        Raises
        ------
        ValueError
            If a batch has fewer clips than there are processes.
        TrainingDiverged
            If one of the terms is not finite, or beyond all bounds (`DIVERGED`).
        """
        self.together.train()
        passed = EpochClips.draw(self.clips, self.further, seed=self.settings.seed, epoch=epoch)
        # Not drawn by length: `lnln.data.packing` groups like lengths inside the network.
        batches = in_batches(self.order(len(passed), epoch), self.settings.batch_size)
        if min(map(len, batches)) < self.processes.num_processes:
            raise ValueError(
                f"batch_size={self.settings.batch_size} makes batches of "
                f"{min(map(len, batches))} clips, fewer than the "
                f"{self.processes.num_processes} processes: start fewer, or raise it"
            )
        passes = self.model.passes
        steps = len(passes) * len(batches)
        while self.done < steps:
            step, batch = (epoch - 1) * steps + self.done, batches[self.done % len(batches)]
            minimised = passes[self.done // len(batches)]
            for group in self.optimiser.param_groups:
                rate = self.learning_rate(step, steps)
                group["lr"] = rate * (group["peak"] / self.settings.learning_rate)
            means = self.step(step, batch, passed, minimised)
            if minimised == passes[-1]:
                for name, mean in means.items():
                    self.sums[name] = self.sums.get(name, 0.0) + mean * len(batch)
            self.done += 1
            after_step()
        self.model.after_epoch(epoch)
        row: Row = {
            "epoch": epoch,
            "learning_rate": self.learning_rate(epoch * steps - 1, steps),
        }
        for name, total in self.sums.items():
            row[f"train/{name}"] = float(total / len(passed))
        self.sums, self.done = {}, 0
        return row

    def learning_rate(self, step: int, steps: int) -> float:
        """Look up the model's learning rate at one step of the run, of `steps` an epoch."""
        return learning_rate(self.settings, self.model.schedule, step, steps)

    def order(self, count: int, epoch: int) -> NDArray[np.int64]:
        """Shuffle so many clips, anew every epoch."""
        seed = self.settings.seed
        draws = uniforms(count, seed=seed, purpose="order", epoch=epoch, clip_id="", modality="")
        return np.argsort(draws, kind="stable")

    def step(
        self, step: int, batch: NDArray[np.int64], passed: EpochClips, minimised: str
    ) -> Means:
        """Take one step of gradient descent; return the means of its terms over the batch.

        The batch is divided among the processes, and each share into as many parts as gradients
        are to be accumulated over; means are over the whole batch all the same.
        """
        mine = batch[share(len(batch), self.processes)]
        parts = np.array_split(mine, min(self.settings.accumulation, len(mine)))
        names: tuple[str, ...] = ()
        sums = torch.zeros(0, dtype=torch.float64, device=self.device)
        self.optimiser.zero_grad(set_to_none=True)
        compared = []
        for part in parts:
            last = part is parts[-1]
            with nullcontext() if last else self.processes.no_sync(self.together):
                output, targets = self.compare(part, passed)
                terms = self.model.losses(output, targets)
                weight = len(part) / len(batch)
                # Gradients are averaged over the processes, and are to be those of a sum.
                (terms[minimised] * (weight * self.processes.num_processes)).backward()
            compared.append((output, targets))
            names = tuple(terms)
            weighted = weight * torch.stack([term.detach() for term in terms.values()]).double()
            sums = weighted if part is parts[0] else sums + weighted
        requested = torch.tensor([float(self.stop_requested())], device=self.device).double()
        sums = self.processes.reduce(torch.cat([sums, requested]), "sum")
        self.stopping = bool(sums[-1])
        sums[-1] = torch.nn.utils.get_total_norm(
            [p.grad for p in self.model.parameters() if p.grad is not None]
        )
        values = sums.cpu().numpy()
        means = dict(zip((*names, "gradient_norm"), values.tolist(), strict=True))
        if not np.isfinite(values).all() or values[:-1].max() > self.bound:
            figures = ", ".join(f"{name} {mean:g}" for name, mean in means.items())
            clips = ", ".join(passed.names(batch))
            raise TrainingDiverged(
                f"training has diverged at step {step} ({figures}); clips of the batch: {clips}. "
                "Lower learning_rate, or look at these clips' features"
            )
        self.clip(sums[-1])
        for group in self.optimiser.param_groups:
            if group["minimises"] != minimised:  # it stays as it is, without decay or momentum
                for parameter in group["params"]:
                    parameter.grad = None
        self.optimiser.step()
        self.averaged.update_parameters(self.model)
        if minimised == self.model.passes[-1]:
            for output, targets in compared:
                self.model.after_step(output, targets)
        return means

    def clip(self, norm: Tensor) -> None:
        """Shorten the gradient, whose L2 norm is given, to the length that is allowed."""
        if self.settings.gradient_clip:
            torch.nn.utils.clip_grads_with_norm_(
                self.model.parameters(), self.settings.gradient_clip, norm
            )

    def compare(self, batch: NDArray[np.int64], passed: EpochClips) -> tuple[Any, Targets]:
        """Run the network over some clips; return its output in fp32, and what it should be."""
        states = SentenceCache()
        masked = passed.incomplete(batch, self.encoder, states)
        clips = passed.complete(batch, self.encoder, states)
        inputs, complete = (
            to_device(collate(c, self.model.layout), self.device) for c in (masked, clips)
        )
        with mixed(self.settings.precision, self.device):
            output = self.together(inputs, complete)
        output = output._replace(
            **{n: v.float() for n, v in output._asdict().items() if isinstance(v, Tensor)}
        )
        return output, Targets(
            label=self.tensor(clips.known_labels()),
            completeness=self.tensor(masked.text.completeness()),
            rate=self.tensor(np.array([passed.rates[clip_id] for clip_id in clips.clip_ids])),
            clip=torch.from_numpy(batch).to(self.device),
        )

    def tensor(self, values: NDArray[np.floating]) -> Tensor:
        """Move one number per clip to the network's device; losses are in fp32."""
        return torch.from_numpy(values.astype(np.float32)).to(self.device)


def mixed(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Let matrices be multiplied in bf16 where that is asked for; weights stay in fp32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
