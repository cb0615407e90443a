"""Training LNLN: one run, one seed, the epoch chosen on the validation split alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate.utils import gather_object
from tqdm import tqdm

from lnln.checkpoints.checkpoint import weights_of
from lnln.data.batches import Layout, check_language, incomplete
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.data.normalisation import Normalisation, without_infinities
from lnln.evaluation import metrics
from lnln.inference import score
from lnln.missing.masks import Masks
from lnln.models.lnln.network import LNLN
from lnln.settings import LossSettings, NetworkSettings, Shapes, TrainSettings
from lnln.training.epochs import Training, TrainingDiverged
from lnln.training.history import History, Row
from lnln.training.processes import accelerator, share
from lnln.training.resume import StateFile, Stopped, terminations


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
        One row per epoch: epoch, learning_rate, train/<term> (`lnln.training.epochs.TERMS`),
        valid/<metric>, and valid/w_mae and valid/w_corr: w against the true completeness.
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
    state: StateFile | None = None,
) -> Trained:
    """Train one network.

    Two runs with the same arguments on the same machine give the same bytes, also where one of
    them was interrupted and went on. Several processes (`accelerate launch`, `torchrun`) that
    call this with the same arguments train one network together: the same steps, whose sums are
    rounded in another order, and other draws of dropout.

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
        Called with each row of the history, also with those of epochs before an interruption.
    state : StateFile, optional
        Where the run is kept after every epoch and when SIGTERM comes, and goes on from. It has
        to be this run's, see `lnln.training.fingerprint`; whoever gave it removes it in the end.

    Raises
    ------
    ValueError
        If a clip has no label, the language encoder is another than the features', frozen where
        it should be trained or the reverse, or the selection metric is not in the metric set.
    TrainingDiverged
        If the loss is not finite, or beyond all bounds.
    Stopped
        If SIGTERM came and there is a `state` to keep the run in.
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
    processes = accelerator()
    language.to(processes.device)
    if settings.gradient_checkpointing and settings.finetune_language:
        language.model.activation_checkpointing_enable({"use_reentrant": False})
    if not layout.ids:
        check_language(train_set, language, lengths.text)
    encoder = None if layout.ids else language
    mine = valid_set.take(share(len(valid_set), processes))
    judged = [incomplete(mine, masks, encoder) for masks in valid_masks]

    # Without a state there is nothing to go on from: SIGTERM ends the process as ever.
    watch = terminations() if state else nullcontext(lambda: False)
    with reproducible(settings), watch as asked:
        model = LNLN(network, shapes, language if layout.ids else None).to(processes.device)
        training = Training(
            model, train_set, layout, encoder, network, loss, settings, processes, asked
        )
        history = History()
        tell = on_epoch or (lambda row: None)

        def keep() -> None:
            if state:
                now = {"training": training.state(), "history": history.state()}
                if processes.is_main_process:
                    state.write(now)
                processes.wait_for_everyone()

        def stop_if_asked() -> None:
            if training.stopping:
                keep()
                raise Stopped("stopped, as SIGTERM asked; start it again and it goes on from here")

        if state and (kept := state.read()):
            training.go_on(kept["training"])
            history = History.of(kept["history"])
        for row in history.rows:
            tell(row)
        bar = tqdm(
            total=settings.epochs,
            initial=len(history.rows),
            desc="train",
            disable=None if processes.is_main_process else True,
        )
        while not history.over(settings):
            epoch = len(history.rows) + 1
            row = training.epoch(epoch, stop_if_asked)
            found = _validate(training.kept, judged, layout, metric_set, epoch)
            row |= {f"valid/{name}": value for name, value in found.items()}
            if history.improved(row, settings.selection):
                history.weights = weights_of(training.kept)
            keep()
            bar.update()
            best = {f"best {settings.selection}": history.best(settings.selection)}
            bar.set_postfix(best | {"epoch": history.best_epoch})
            tell(row)
        bar.close()
    model.load_state_dict(history.weights, strict=False)  # a frozen language encoder is not there
    return Trained(model.eval(), shapes, normalisation, history.rows, history.best_epoch)


def _validate(
    model: LNLN,
    judged: Sequence[FeatureSet],
    layout: Layout,
    metric_set: metrics.MetricSet,
    epoch: int,
) -> metrics.Metrics:
    """Average the metrics of the validation split over its masks; w_*: w against the truth."""
    several = []
    for clips in judged:
        answers = score(model, clips, layout)
        own = np.stack([*answers, clips.text.completeness(), clips.known_labels()])
        said, w, truth, labels = np.concatenate(gather_object([own]), axis=1)  # of all processes
        if not np.isfinite(said).all():
            wrong = [clips.clip_ids[i] for i in np.flatnonzero(~np.isfinite(answers.sentiment))]
            raise TrainingDiverged(
                f"predictions for the validation split are not finite after epoch {epoch} "
                f"({', '.join(wrong[:5])}): lower learning_rate, or look at these clips' features"
            )
        several.append(
            metrics.compute(labels, said, metric_set)
            | {"w_mae": float(np.abs(w - truth).mean()), "w_corr": metrics.correlation(w, truth)}
        )
    return metrics.mean(several)


@contextmanager
def reproducible(settings: TrainSettings) -> Iterator[None]:
    """Seed torch, and let it use only the algorithms and the precision that the settings allow."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA asks for
    before = torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()
    deterministic: Any = torch.utils.deterministic  # whose switch its types leave out
    filling = deterministic.fill_uninitialized_memory
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(settings.deterministic)
    # Nothing here reads memory that nobody wrote; to fill it takes a tenth of a step.
    deterministic.fill_uninitialized_memory = False
    torch.set_float32_matmul_precision("high" if settings.tf32 else "highest")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        deterministic.fill_uninitialized_memory = filling
        torch.set_float32_matmul_precision(before[1])
