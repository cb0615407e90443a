"""Training a model: one run, one seed, the epoch chosen on the validation split alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from accelerate.utils import gather_object

from lnln.checkpoints.checkpoint import Weights, weights_of
from lnln.checkpoints.intervals import Calibration
from lnln.data.encoding import check_language
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import LanguageEncoder
from lnln.data.normalisation import Normalisation
from lnln.data.sentences import Sentences
from lnln.missing.dropping import SentenceCache, drop
from lnln.missing.masks import Masks
from lnln.missing.scaling import scale
from lnln.models.interface import Estimator, Model, Network
from lnln.models.registry import find
from lnln.settings import MetricSet, ModelSettings, Shapes, TrainSettings
from lnln.training.checking import require_language, require_selection, require_speakers
from lnln.training.epoch_clips import sets_to_fit, taken
from lnln.training.history import History, Row
from lnln.training.processes import accelerator, share
from lnln.training.reproducible import reproducible
from lnln.training.resume import StateFile, Stopped, terminations
from lnln.training.steps import Training
from lnln.training.telling import Telling
from lnln.training.validation import calibration, validate


@dataclass(frozen=True)
class Trained:
    """The outcome of a run.

    Attributes
    ----------
    model : Model
        With the weights of the chosen epoch, in evaluation mode.
    shapes : Shapes
    normalisation : Normalisation or None
        None where the model reads features as they come.
    history : list of dict
        One row per epoch: epoch, learning_rate, train/<term>, valid/<metric>, and of a model that
        estimates w valid/w_mae and valid/w_corr: w against the true completeness. Of a model that
        is fitted at once, a single row.
    best_epoch : int
        Counted from 1.
    sentences : dict of str to int
        Rated sentences that an epoch took beside the training clips, by corpus.
    calibration : Calibration
        What the model says of the validation split, from which intervals are made.
    """

    model: Model
    shapes: Shapes
    normalisation: Normalisation | None
    history: list[Row]
    best_epoch: int
    sentences: dict[str, int]
    calibration: Calibration


def train(
    name: str,
    train_set: FeatureSet,
    valid_set: FeatureSet,
    valid_masks: Sequence[Masks],
    *,
    lengths: Lengths,
    model_settings: ModelSettings,
    settings: TrainSettings,
    metric_set: MetricSet,
    language: LanguageEncoder | None,
    label_range: tuple[float, float] = (-3.0, 3.0),
    further: Sequence[Sentences] = (),
    on_epoch: Callable[[Row], None] | None = None,
    on_weights: Callable[[Weights], None] | None = None,
    state: StateFile | None = None,
) -> Trained:
    """Train one model.

    Two runs with the same arguments on the same machine give the same bytes, also where one of
    them was interrupted and resumed. Several processes (`accelerate launch`, `torchrun`) that
    call this with the same arguments train one network together: the same steps, whose sums are
    rounded in another order, and other draws of dropout.

    Parameters
    ----------
    name : str
        Of the model, see `lnln.models.registry`.
    train_set, valid_set : FeatureSet
        As read, not normalised, with labels, and with groups where `settings.normalisation` is
        "speaker".
    valid_masks : sequence of masks
        The epoch is chosen by the validation metric averaged over them. One is enough; several
        draws or rates make the choice less a matter of chance.
    lengths : Lengths
        Most rows the model reads, to which both sets were cut.
    model_settings : ModelSettings
        Of the model's own class.
    settings : TrainSettings
    metric_set : {"mosi", "sims"}
    language : LanguageEncoder, optional
        The encoder the text features were made with; a `FrozenLanguageEncoder` unless
        `settings.finetune_language`. A model that reads no text needs none.
    label_range : (float, float)
        Least and greatest label; what a rated language encoder says is brought to it.
    further : sequence of Sentences
        Corpora of rated sentences, of which every epoch takes some beside the clips. A model that
        does not take sentences trains without, with a warning; one that reads no text, silently.
    on_epoch : callable, optional
        Called with each row of the history, also with those of epochs before an interruption.
    on_weights : callable, optional
        Called after every epoch of this process with the network's weights, which are averaged
        where that is asked for.
    state : StateFile, optional
        Where the run is kept after every epoch and when SIGTERM or SIGHUP comes, and resumes from.
        It has to be this run's, see `lnln.training.fingerprint`; whoever passed it removes it in
        the end.

    Raises
    ------
    ValueError
        If a clip has no label, the language encoder is another than the features', frozen where
        it should be trained or the reverse, the selection metric is not in the metric set, or
        clips cannot be normalised by speaker.
    TrainingDiverged
        If the loss is not finite, or beyond all bounds.
    Stopped
        If such a signal came and there is a `state` to keep the run in.
    """
    kind = find(name).load()
    require_language(name, kind, settings, language)
    require_selection(settings, metric_set)
    further = taken(kind, further)
    shapes = Shapes(
        text_dim=language.width if language else train_set.text.values.shape[1] or 1,
        audio_dim=train_set.audio.values.shape[1],
        vision_dim=train_set.vision.values.shape[1],
        **{f"{modality}_length": rows for modality, rows in lengths._asdict().items()},
    )
    layout = kind.reads(model_settings, shapes, "ids" if settings.finetune_language else "states")
    if settings.normalisation == "speaker":
        require_speakers(name, layout, train_set, valid_set)
    normalisation = (
        Normalisation.fit(train_set, settings.normalisation)
        if layout.features == "z_scores"
        else None
    )
    train_set = scale(train_set, normalisation)
    processes = accelerator()
    if language:
        language.to(processes.device)
    if language and settings.gradient_checkpointing and settings.finetune_language:
        language.model.activation_checkpointing_enable({"use_reentrant": False})
    encoder = language if layout.text == "states" else None
    if encoder is not None:
        check_language(train_set, encoder, lengths.text)
    inside = layout.text == "ids"
    with reproducible(settings):
        model = kind(model_settings, shapes, language if inside else None).to(processes.device)
        if language is not None and language.head is not None:
            model.take_head(language.head.within(*label_range))
        at_once = isinstance(model, Estimator)  # by every process, all of it
        clips = len(valid_set)
        mine = np.arange(clips) if at_once else share(clips, processes)
        cache = SentenceCache()
        incomplete_sets = [  # scaled before they are shared out, by all clips of a speaker
            drop(scale(valid_set, normalisation, masks).take(mine), masks, encoder, cache)
            for masks in valid_masks
        ]
        if isinstance(model, Estimator):
            drawn = sets_to_fit(model, train_set, further, settings, encoder)
            history = _fit(model, drawn, incomplete_sets, settings, metric_set)
        else:
            assert isinstance(model, Network)
            history = _descend(
                model,
                train_set,
                incomplete_sets,
                settings,
                metric_set,
                encoder,
                further,
                on_epoch,
                on_weights,
                state,
            )
        answered = calibration(model, incomplete_sets, _own if at_once else gather_object)
    if at_once and on_epoch:
        on_epoch(history.rows[0])
    taking = {corpus.name: corpus.per_epoch(len(train_set)) for corpus in further}
    return Trained(
        model.eval(),
        shapes,
        normalisation,
        history.rows,
        history.best_epoch,
        taking,
        answered,
    )


def _own(rows: list[Any]) -> list[Any]:
    """Gather nothing from other processes."""
    return rows


def _fit(
    model: Estimator,
    drawn: Iterable[FeatureSet],
    incomplete_sets: Sequence[FeatureSet],
    settings: TrainSettings,
    metric_set: MetricSet,
) -> History:
    """Fit a model at once, on the masks that a network would have been trained with."""
    model.fit(drawn, incomplete_sets)
    history = History()
    validated = validate(model, incomplete_sets, metric_set, 1, gather=_own)
    history.improved(
        {"epoch": 1} | {f"valid/{name}": value for name, value in validated.items()},
        settings.selection,
    )
    return history


def _descend(
    model: Network,
    train_set: FeatureSet,
    incomplete_sets: Sequence[FeatureSet],
    settings: TrainSettings,
    metric_set: MetricSet,
    encoder: LanguageEncoder | None,
    further: Sequence[Sentences],
    on_epoch: Callable[[Row], None] | None,
    on_weights: Callable[[Weights], None] | None,
    state: StateFile | None,
) -> History:
    """Train a network epoch by epoch; it ends with the weights of the best one."""
    processes = accelerator()
    report = on_epoch or (lambda row: None)
    # Without a state there is nothing to resume from: signals end the process as ever.
    with terminations() if state else nullcontext(lambda: False) as stop_requested:
        training = Training(model, train_set, encoder, settings, processes, stop_requested, further)
        history = History()

        def keep() -> None:
            if state:
                now = {"training": training.state(), "history": history.state()}
                if processes.is_main_process:
                    state.write(now)
                processes.wait_for_everyone()

        def after_step() -> None:
            telling.step()
            if training.stopping:
                keep()
                raise Stopped(
                    "stopped by SIGTERM or SIGHUP; start it again and it resumes from here"
                )

        if state and (kept := state.read()):
            training.resume(kept["training"])
            history = History.of(kept["history"])
        for row in history.rows:
            report(row)
        telling = Telling(
            model,
            settings,
            history,
            clips=len(train_set) + sum(corpus.per_epoch(len(train_set)) for corpus in further),
            done=training.done,
            speaks=processes.is_main_process,
        )
        while not history.over(settings):
            epoch = len(history.rows) + 1
            row = training.epoch(epoch, after_step)
            validated = validate(
                training.averaged_model, incomplete_sets, metric_set, epoch, gather=gather_object
            )
            row |= {f"valid/{name}": value for name, value in validated.items()}
            if history.improved(row, settings.selection):
                history.weights = weights_of(training.averaged_model)
            if on_weights:
                on_weights(weights_of(training.averaged_model))
            keep()
            telling.epoch()
            report(row)
        telling.close()
    model.load_state_dict(history.weights, strict=False)  # a frozen language encoder is not there
    return history
