"""A trained model on disk: `model.safetensors` and `config.json`, all that `predict` needs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import safetensors.torch
import torch

from contracts.files import replacing
from lnln.checkpoints.config import CheckpointError, Config, check_features, read_config
from lnln.checkpoints.hub import CONFIG, WEIGHTS, find
from lnln.checkpoints.weights import Weights, check_described, read_weights, saved
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.missing.masks import Masks
from lnln.missing.scaling import scale
from lnln.models.interface import Model, Scores
from lnln.models.registry import find as find_model


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and what it was trained on."""

    model: Model
    config: Config

    @classmethod
    def from_pretrained(
        cls,
        source: Path | str,
        *,
        language: FrozenLanguageEncoder | None = None,
        revision: str | None = None,
        offline: bool = False,
    ) -> Self:
        """Load a checkpoint onto the GPU, if there is one, in evaluation mode.

        Parameters
        ----------
        source : Path or str
            A folder, or the id of a model on the Hugging Face hub, `owner/name`.
        language : FrozenLanguageEncoder, optional
            Only a model that runs a frozen language encoder itself needs it, such as LNLN's variant
            `official`.
        revision, offline
            See `lnln.checkpoints.hub.find`.

        Raises
        ------
        FileNotFoundError
            If there is no checkpoint.
        CheckpointError
            If it is damaged, or its weights are not those of the model in its config.
        """
        folder = find(source, revision=revision, offline=offline)
        config = read_config(folder)
        weights = read_weights(folder / WEIGHTS, config.weights_sha256)
        kind = find_model(config.model).load()

        def build() -> Model:
            encoder: LanguageEncoder | None = None
            if config.language is not None:
                encoder = LanguageEncoder.from_config(config.language)
            elif kind.reads(config.settings, config.shapes, "states").text == "ids":
                encoder = language
            return kind(config.settings, config.shapes, encoder)

        check_described(build, weights, folder / WEIGHTS)
        model = build()
        model.load_state_dict(weights, strict=False)  # a frozen language encoder is not in there
        return cls(model.to(best_device()).eval(), config)

    def save_pretrained(self, folder: Path | str) -> None:
        """Write weights, config and model card, as `from_pretrained` and the hub take them."""
        from lnln.checkpoints.card import write_card

        save(Path(folder), self)
        write_card(Path(folder))

    @property
    def by_speaker(self) -> bool:
        """Whether voice and face are normalised by each speaker's own statistics."""
        normalisation = self.config.normalisation
        return normalisation is not None and normalisation.by == "speaker"

    @property
    def lengths(self) -> Lengths:
        """Most rows of a clip that the model reads."""
        shapes = self.config.shapes
        return Lengths(shapes.text_length, shapes.audio_length, shapes.vision_length)

    @property
    def extraction(self) -> dict[str, Any]:
        """Settings for the features of new clips, as `extractors.extract` takes them.

        Raises
        ------
        CheckpointError
            If the model reads features that are not made from video here, such as MMSA's, or
            nothing is known of how new clips are transcribed.
        """
        foreign = sorted({i.source for i in self.config.features.values() if i.source})
        if foreign:
            raise CheckpointError(
                f"this model cannot read video: it was trained on {', '.join(foreign)}, which "
                "cannot be extracted here. Give it those features, or train a model on your clips"
            )
        if not self.config.transcription:
            raise CheckpointError(
                "this checkpoint is a step of the pipeline, which does not know how new clips are "
                f"transcribed: dvc exp run -S model.name={self.config.model} makes one for new "
                "clips of it, models/lnln"
            )
        modalities = {name: info.settings for name, info in self.config.features.items()}
        return modalities | self.config.transcription

    def prepare(self, features: FeatureSet, masks: Masks | None = None) -> FeatureSet:
        """Cut features to the model's lengths and normalise them as in training.

        Parameters
        ----------
        features : FeatureSet
            As read. By speaker, they are normalised over all clips of a speaker that are here.
        masks : mapping of clip_id to Kept, optional
            Rows that will be dropped, which a speaker's statistics do without.

        Raises
        ------
        CheckpointError
            If they are not the features the model was trained on.
        """
        check_features(features, self.config)
        return scale(features.cut(self.lengths), self.config.normalisation, masks)

    def predict(self, prepared: FeatureSet) -> Scores:
        """Run the model over prepared clips.

        Raises
        ------
        CheckpointError
            If it reads token ids through a frozen encoder that was not passed to `load`, or
            answers with what is no number.
        """
        if self.model.layout.text == "ids" and self.model.language is None:
            raise CheckpointError(
                "this model runs the frozen language encoder itself, and a checkpoint does not "
                "hold it: load(folder, language=FrozenLanguageEncoder.from_folder(...))"
            )
        scores = self.model.predict(prepared)
        for column in scores:
            if column is not None and not np.isfinite(column).all():
                raise CheckpointError(
                    f"this model answers with {column[~np.isfinite(column)][0]}: its weights, or "
                    "the statistics in its config.json, are damaged; train it anew"
                )
        return scores


def load(
    source: Path | str,
    language: FrozenLanguageEncoder | None = None,
    *,
    revision: str | None = None,
    offline: bool = False,
) -> Checkpoint:
    """Load a checkpoint; see `Checkpoint.from_pretrained`."""
    return Checkpoint.from_pretrained(source, language=language, revision=revision, offline=offline)


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write weights and config; each file is replaced whole, the config last.

    The config names the sha256 of the weights, so that two halves of different runs are noticed.
    """
    weights = safetensors.torch.save(weights_of(checkpoint.model))
    config = checkpoint.config.model_copy(
        update={"weights_sha256": hashlib.sha256(weights).hexdigest()}
    )
    with replacing(folder / WEIGHTS) as temporary:
        temporary.write_bytes(weights)
    with replacing(folder / CONFIG) as temporary:
        temporary.write_text(config.model_dump_json(indent=2) + "\n", "utf-8")


def best_device() -> torch.device:
    """Return CUDA where there is a GPU, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def weights_of(model: Model) -> Weights:
    """Copy the weights that training may have changed; a frozen language encoder is left out."""
    return {
        name: tensor.detach().cpu().clone().contiguous() for name, tensor in saved(model).items()
    }


def language_config(model: Model) -> dict[str, Any] | None:
    """Return the config of the fine-tuned language encoder, or None where it was frozen."""
    if model.language is None or isinstance(model.language, FrozenLanguageEncoder):
        return None
    assert isinstance(model.language, LanguageEncoder)
    return {k: v for k, v in model.language.config.items() if k != "_name_or_path"}
