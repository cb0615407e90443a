"""Training LNLN: one run, one seed, the epoch chosen on the validation split alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from lnln import losses, metrics
from lnln.batches import Layout, check_language, collate, in_batches, incomplete, to_device
from lnln.checkpoint import Weights, weights_of
from lnln.features import FeatureSet, Lengths
from lnln.incompleteness import Masks, training_masks, uniforms
from lnln.inference import best_device, score
from lnln.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.model import LNLN
from lnln.normalisation import Normalisation, without_infinities
from lnln.schedule import learning_rate
from lnln.settings import LossSettings, NetworkSettings, Shapes, TrainSettings

Row = dict[str, float | int | None]


class TrainingDiverged(RuntimeError):
    """The loss is no longer a finite number; the message says where and which clips."""


@dataclass(frozen=True)
class Trained:
    """The outcome of a run.

    Attributes
    ----------
    model : LNLN
        With the weights of the chosen epoch, in evaluation mode.
    shapes : Shapes
    normalisation : Normalisation or None
        None in the variant `official`, whose features go as they come.
    history : list of dict
        One row per epoch: epoch, learning_rate, train/<loss term>, valid/<metric>.
    best_epoch : int
        Counted from 1.
    """

    model: LNLN
    shapes: Shapes
    normalisation: Normalisation | None
    history: list[Row]
    best_epoch: int


def train(
    train_set: FeatureSet,
    valid_set: FeatureSet,
    valid_masks: Sequence[Masks],
    *,
    lengths: Lengths,
    network: NetworkSettings,
    loss: LossSettings,
    settings: TrainSettings,
    metric_set: metrics.MetricSet,
    language: LanguageEncoder,
    on_epoch: Callable[[Row], None] | None = None,
) -> Trained:
    """Train one network.

    Two runs with the same arguments on the same machine give the same bytes.

    Parameters
    ----------
    train_set, valid_set : FeatureSet
        As read, not normalised, with labels.
    valid_masks : sequence of masks
        The epoch is chosen by the validation metric averaged over them. One is enough; several
        draws or rates make the choice less a matter of chance.
    lengths : Lengths
        Most rows the network reads, to which both sets were cut.
    network, loss, settings
    metric_set : str
        "mosi" or "sims".
    language : LanguageEncoder
        The encoder the text features were made with; a `FrozenLanguageEncoder` unless
        `settings.finetune_language`.
    on_epoch : callable, optional
        Called with each row of the history.

    Raises
    ------
    ValueError
        If a clip has no label, the language encoder is another than the features', frozen where
        it should be trained or the reverse, or the selection metric is not in the metric set.
    TrainingDiverged
        If the loss is not finite.
    """
    if settings.finetune_language is isinstance(language, FrozenLanguageEncoder):
        raise ValueError(
            f"finetune_language is {settings.finetune_language}, but the language encoder is a "
            f"{type(language).__name__}: load the other kind"
        )
    if settings.selection not in metrics.metric_names(metric_set):
        raise ValueError(
            f"selection={settings.selection!r} is not one of "
            f"{', '.join(metrics.metric_names(metric_set))}"
        )
    official = network.variant == "official"
    normalisation = None if official else Normalisation.fit(train_set)
    train_set, valid_set = (
        without_infinities(s) if normalisation is None else normalisation.apply(s)
        for s in (train_set, valid_set)
    )
    shapes = Shapes(
        text_dim=language.width,
        audio_dim=train_set.audio.values.shape[1],
        vision_dim=train_set.vision.values.shape[1],
        **{f"{modality}_length": rows for modality, rows in lengths._asdict().items()},
    )
    layout = Layout.of(network, shapes, settings.finetune_language)
    device = best_device()
    language.to(device)
    if not layout.ids:
        check_language(train_set, language, lengths.text)
    encoder = None if layout.ids else language
    judged = [incomplete(valid_set, masks, encoder) for masks in valid_masks]

    with reproducible(settings.seed):
        model = LNLN(network, shapes, language if layout.ids else None).to(device)
        run = _Run(model, train_set, layout, encoder, network, loss, settings)
        best: tuple[float | None, int, Weights] | None = None
        history: list[Row] = []
        for epoch in (bar := tqdm(range(1, settings.epochs + 1), desc="train", disable=None)):
            row = run.epoch(epoch)
            found = _validate(run.kept, judged, layout, metric_set, epoch)
            row |= {f"valid/{name}": value for name, value in found.items()}
            history.append(row)
            value = found[settings.selection]
            if best is None or metrics.better(settings.selection, value, best[0]):
                best = (value, epoch, weights_of(run.kept))
            bar.set_postfix({f"best {settings.selection}": best[0], "epoch": best[1]})
            if on_epoch:
                on_epoch(row)
    assert best is not None  # settings have at least one epoch
    model.load_state_dict(best[2], strict=False)  # a frozen language encoder is not in there
    return Trained(model.eval(), shapes, normalisation, history, best[1])


def _validate(
    model: LNLN,
    judged: Sequence[FeatureSet],
    layout: Layout,
    metric_set: metrics.MetricSet,
    epoch: int,
) -> metrics.Metrics:
    """Average the metrics of the validation split over its masks."""
    several = []
    for clips in judged:
        said = score(model, clips, layout).sentiment
        if not np.isfinite(said).all():
            raise TrainingDiverged(
                f"predictions for the validation split are not finite after epoch {epoch}: lower "
                "learning_rate"
            )
        several.append(metrics.compute(clips.known_labels(), said, metric_set))
    return metrics.mean(several)


@dataclass
class _Run:
    """What stays the same over the epochs of a run."""

    model: LNLN
    clips: FeatureSet
    layout: Layout
    encoder: LanguageEncoder | None
    network: NetworkSettings
    loss: LossSettings
    settings: TrainSettings

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

    def epoch(self, epoch: int) -> Row:
        """Pass over the training split once; return the learning rate and the mean loss terms."""
        self.model.train()
        masks, rates = training_masks(self.clips, seed=self.settings.seed, epoch=epoch)
        batches = in_batches(self.order(epoch), self.settings.batch_size)
        sums = np.zeros(len(losses.Losses._fields))
        rate = 0.0
        for i, batch in enumerate(batches):
            step = (epoch - 1) * len(batches) + i
            rate = learning_rate(self.settings, self.network.variant, step, len(batches))
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            sums += self.step(step, self.clips.take(batch), masks, rates) * len(batch)
        row: Row = {"epoch": epoch, "learning_rate": rate}
        for name, total in zip(losses.Losses._fields, sums, strict=True):
            row[f"train/{name}"] = float(total / len(self.clips))
        return row

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Shuffle the clips, anew every epoch."""
        seed, count = self.settings.seed, len(self.clips)
        draws = uniforms(count, seed=seed, purpose="order", epoch=epoch, clip_id="", modality="")
        return np.argsort(draws, kind="stable")

    def step(
        self, step: int, clips: FeatureSet, masks: Masks, rates: dict[str, float]
    ) -> NDArray[np.float64]:
        """Take one step of gradient descent; return the loss terms."""
        masked = incomplete(clips, masks, self.encoder)
        completeness = (
            np.array([1 - rates[clip_id] for clip_id in clips.clip_ids])  # the published code
            if self.network.variant == "official"
            else masked.text.completeness()
        )
        inputs, complete = (
            to_device(collate(c, self.layout), self.device) for c in (masked, clips)
        )
        terms = losses.compute(
            self.model(inputs, complete),
            self.tensor(clips.known_labels()),
            self.tensor(completeness),
            self.loss,
        )
        values = torch.stack(list(terms)).detach().double().cpu().numpy()
        if not np.isfinite(values).all():
            named = ", ".join(f"{n} {v:g}" for n, v in zip(terms._fields, values, strict=True))
            raise TrainingDiverged(
                f"the loss is not finite at step {step} ({named}); clips of the batch: "
                f"{', '.join(clips.clip_ids)}. Lower learning_rate, or look at these clips' "
                "features"
            )
        self.optimiser.zero_grad(set_to_none=True)
        terms.total.backward()
        self.optimiser.step()
        self.averaged.update_parameters(self.model)
        return values

    def tensor(self, values: NDArray[np.floating]) -> Tensor:
        """Move one number per clip to the network's device and precision."""
        return torch.from_numpy(values.astype(np.float32)).to(self.device)


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Seed torch, and let it use only algorithms that give the same bytes every time."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA asks for
    before = torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
