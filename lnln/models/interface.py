"""What training, evaluation, checkpoints and prediction ask of a model.

A model is a folder `lnln/models/<name>/` with two files: `settings.py` (its settings and how it is
trained) and `model.py` (a `Network` or an `Estimator`). It knows nothing of stages, seeds, masks or
files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lnln.data.batches import Layout, PaddedSequence, collate, in_batches, rows_of, to_device
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, RatingHead
from lnln.settings import ModelSettings, Shapes, TrainSettings

BATCH = 64  # clips at a time when a network predicts
Terms = dict[str, Tensor]  # scalars by name


class Scores(NamedTuple):
    """What a model says of clips.

    Attributes
    ----------
    prediction : array, [clips] float64
        In the units of the training labels.
    w : array, [clips] float64, or None
        Estimated completeness of language, 0 to 1; None where the model makes no such estimate.
    """

    prediction: NDArray[np.float64]
    w: NDArray[np.float64] | None


class Model(nn.Module):
    """A model of sentiment from incomplete language, audio and vision.

    Parameters
    ----------
    settings : ModelSettings
        Of the model's own class.
    shapes : Shapes
        Feature widths and greatest lengths.
    language : nn.Module, optional
        The language encoder, where the model runs it itself, see `Layout.text`.

    Attributes
    ----------
    layout : Layout
        What the model reads.
    """

    reads_text: ClassVar[bool] = True  # False: no language encoder is loaded for it
    # Learns from rated sentences beside the clips, see `lnln.data.sentences`. False: it keeps
    # something of every training clip, and sentences are other ones in every epoch.
    takes_sentences: ClassVar[bool] = True

    def __init__(
        self, settings: ModelSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.settings = settings
        self.language = language
        finetuned = language is not None and not isinstance(language, FrozenLanguageEncoder)
        self.layout = self.reads(settings, shapes, "ids" if finetuned else "states")

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say what a model with these settings reads.

        Parameters
        ----------
        settings : ModelSettings
        shapes : Shapes
        text : {"states", "ids"}
            "ids" where the language encoder is trained along with the model.
        """
        return Layout(shapes, text=text if cls.reads_text else "none")

    def take_head(self, head: RatingHead) -> None:
        """Called before training where the language encoder has a head that rates sentences.

        Parameters
        ----------
        head : RatingHead
            In the units of the labels.
        """

    def predict(self, features: FeatureSet) -> Scores:
        """Predict the sentiment of clips.

        Parameters
        ----------
        features : FeatureSet
            Normalised as `layout` says, and incomplete already where it is to be.
        """
        raise NotImplementedError


class Targets(NamedTuple):
    """What a batch's output is compared with.

    Attributes
    ----------
    label : Tensor, [B]
    completeness : Tensor, [B]
        True completeness of language: content tokens left / content tokens there were.
    rate : Tensor, [B]
        Missing rate that was drawn for the clip's language.
    clip : Tensor, [B] int64
        Position of the clip in the training split, for models that keep something per clip; of a
        rated sentence one beyond the split.
    """

    label: Tensor
    completeness: Tensor
    rate: Tensor
    clip: Tensor


class Network(Model):
    """A model that learns by gradient descent.

    `forward(incomplete, complete)` returns a NamedTuple of tensors with at least `prediction`, [B],
    and `w`, [B] or None; `complete` is None but in training.

    Attributes
    ----------
    schedule : {"step", "epoch"}
        How often the learning rate moves.
    passes : tuple of str
        Names of the losses that are minimised, each in a pass of its own over the training split,
        one after another in every epoch.
    """

    schedule: Literal["step", "epoch"] = "step"
    passes: ClassVar[tuple[str, ...]] = ("total",)

    def losses(self, output: Any, targets: Targets) -> Terms:
        """Compute a batch's losses, scalars: those of `passes`, and what they are made of.

        Further entries may be other figures of a batch that are worth a curve.
        """
        raise NotImplementedError

    def hidden_states(self, text: PaddedSequence) -> Tensor:
        """Return the hidden states of sentences, [B, L, D], encoded here if they came as ids."""
        if self.language is None:
            return text.values
        states: Tensor = self.language(text.values, text.mask)
        return states

    def parameter_groups(self, training: TrainSettings) -> list[dict[str, Any]]:
        """Return the parameters for the optimiser, each group with its peak learning rate `lr`.

        A group may have a `weight_decay` of its own, and under `minimises` the name of the pass
        in which it is moved; without it that is the last one.
        """
        own: list[Tensor] = []
        language: list[Tensor] = []
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                (language if name.startswith("language.") else own).append(parameter)
        groups: list[dict[str, Any]] = [{"params": own, "lr": training.learning_rate}]
        if language:
            groups.append({"params": language, "lr": training.language_learning_rate})
        return groups

    def before_training(self, labels: Tensor) -> None:
        """Called once, with the labels of the training split, [clips].

        What is kept per clip is a plain tensor, returned by `training_state`. Parameters and
        buffers are registered in `__init__`: a checkpoint has to hold the same ones.
        """

    def after_step(self, output: Any, targets: Targets) -> None:
        """Called after every optimiser step of the last pass, once for each part of the batch."""

    def after_epoch(self, epoch: int) -> None:
        """Called after every epoch, counted from 1, before validation."""

    def training_state(self) -> dict[str, Tensor]:
        """Return what the hooks keep beside parameters and buffers, to resume from."""
        return {}

    def load_training_state(self, state: dict[str, Tensor]) -> None:
        """Take up a `training_state`."""

    @torch.inference_mode()
    def predict(self, features: FeatureSet) -> Scores:
        """Run the network over clips in evaluation mode, on the device it is on."""
        device = next(self.parameters()).device
        was_training = self.training
        self.eval()
        prediction, w = [], []
        order = np.argsort(rows_of(features), kind="stable")  # like lengths together
        for clips in in_batches(order, BATCH) if len(features) else []:
            output = self(to_device(collate(features.take(clips), self.layout), device))
            prediction.append(output.prediction.double().cpu().numpy())
            if output.w is not None:
                w.append(output.w.double().cpu().numpy())
        self.train(was_training)
        if not prediction:
            return Scores(np.empty(0), None)
        back = np.argsort(order)
        return Scores(np.concatenate(prediction)[back], np.concatenate(w)[back] if w else None)


class Estimator(Model):
    """A model that is fitted at once; its fitted numbers are buffers."""

    needs_masks: ClassVar[bool] = True  # False: fitted on complete clips

    def fit(self, train_sets: Iterable[FeatureSet], valid_sets: Sequence[FeatureSet]) -> None:
        """Fit the model.

        Parameters
        ----------
        train_sets : iterable of FeatureSet
            The training split, incomplete as in each epoch of a network's training.
        valid_sets : sequence of FeatureSet
            The validation split under its masks, for what has to be chosen.
        """
        raise NotImplementedError
