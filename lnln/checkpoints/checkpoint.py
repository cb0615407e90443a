"""A trained network on disk: `model.safetensors` and `config.json`, all that `predict` needs.

A model card, `README.md`, says the same to people.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from contracts.features import FeatureInfo
from contracts.files import replacing
from lnln.checkpoints.card import model_card
from lnln.checkpoints.pretrained import CARD, CONFIG, WEIGHTS, find
from lnln.data.batches import Layout
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.data.normalisation import Normalisation, without_infinities
from lnln.evaluation.metrics import MetricSet
from lnln.inference import Scores, best_device, score
from lnln.models.lnln.network import LNLN
from lnln.settings import NetworkSettings, Shapes

Weights = dict[str, Tensor]


class CheckpointError(ValueError):
    """A checkpoint that cannot be used, or features that are not those it was trained on."""


class Config(BaseModel):
    """Everything about a trained network but its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: NetworkSettings
    shapes: Shapes
    normalisation: Normalisation | None = Field(
        description="of the training split; null in the variant official"
    )
    features: dict[str, FeatureInfo] = Field(description="what the network reads, by modality")
    transcription: dict[str, Any] = Field(
        default={}, description="how new clips are transcribed, as the extractors take it"
    )
    language: dict[str, Any] | None = Field(
        default=None, description="config of the BERT fine-tuned with it; null where it was frozen"
    )
    metrics: MetricSet
    label_range: tuple[float, float] = Field(description="least and greatest sentiment")
    dataset: str
    notice: str | None = Field(default=None, description="to be told with every prediction")
    training: dict[str, Any] = Field(default={}, description="settings and outcome, for the record")
    weights_sha256: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and what it was trained on."""

    model: LNLN
    config: Config

    @property
    def layout(self) -> Layout:
        """How batches are laid out for this network."""
        config = self.config
        return Layout.of(config.network, config.shapes, finetuned=config.language is not None)

    @property
    def lengths(self) -> Lengths:
        """Most rows of a clip that the network reads."""
        shapes = self.config.shapes
        return Lengths(shapes.text_length, shapes.audio_length, shapes.vision_length)

    @property
    def extraction(self) -> dict[str, Any]:
        """Settings for the features of new clips, as `extractors.extract` takes them.

        Raises
        ------
        CheckpointError
            If the network reads features that are not made from video here, such as MMSA's.
        """
        foreign = sorted({i.source for i in self.config.features.values() if i.source})
        if foreign:
            raise CheckpointError(
                f"this model cannot read video: it was trained on {', '.join(foreign)}, which "
                "cannot be extracted here. Give it those features, or train a model on your clips"
            )
        modalities = {name: info.settings for name, info in self.config.features.items()}
        return modalities | self.config.transcription

    def prepare(self, features: FeatureSet) -> FeatureSet:
        """Cut features to the network's lengths and normalise them as in training.

        Raises
        ------
        CheckpointError
            If they are not the features the network was trained on.
        """
        check_features(features, self.config)
        features = features.cut(self.lengths)
        if self.config.normalisation is None:
            return without_infinities(features)
        return self.config.normalisation.apply(features)

    def score(self, prepared: FeatureSet) -> Scores:
        """Run the network over prepared clips.

        Raises
        ------
        CheckpointError
            If it reads token ids through a frozen encoder that was not given to `load`.
        """
        if self.layout.ids and self.model.language is None:
            raise CheckpointError(
                "the variant 'official' runs the frozen language encoder itself, and a checkpoint "
                "does not hold it: load(folder, language=FrozenLanguageEncoder.from_folder(...))"
            )
        return score(self.model, prepared, self.layout)


def weights_of(model: LNLN) -> Weights:
    """Copy the weights that training may have changed; a frozen language encoder is left out."""
    frozen = isinstance(model.language, FrozenLanguageEncoder)
    return {
        name: tensor.detach().cpu().clone().contiguous()
        for name, tensor in model.state_dict().items()
        if not (frozen and name.startswith("language."))
    }


def language_config(model: LNLN) -> dict[str, Any] | None:
    """Return the config of the fine-tuned language encoder, or None where it was frozen."""
    if model.language is None or isinstance(model.language, FrozenLanguageEncoder):
        return None
    assert isinstance(model.language, LanguageEncoder)
    return {k: v for k, v in model.language.config.items() if k != "_name_or_path"}


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint and its model card; each file is replaced whole, the config last.

    The config names the sha256 of the weights, so that two halves of different runs are noticed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = safetensors.torch.save(weights_of(checkpoint.model))
    config = checkpoint.config.model_copy(
        update={"weights_sha256": hashlib.sha256(weights).hexdigest()}
    )
    written = {
        WEIGHTS: weights,
        CARD: model_card(config, checkpoint.model).encode(),
        CONFIG: (config.model_dump_json(indent=2) + "\n").encode(),
    }
    for name, content in written.items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(content)


def load(
    source: Path | str,
    language: FrozenLanguageEncoder | None = None,
    *,
    revision: str | None = None,
    offline: bool = False,
) -> Checkpoint:
    """Load a checkpoint onto the GPU, if there is one.

    Parameters
    ----------
    source : Path or str
        A folder, or the id of a model on the Hugging Face hub, `owner/name`.
    language : FrozenLanguageEncoder, optional
        Only the variant `official` with a frozen encoder needs it.
    revision, offline
        See `lnln.checkpoints.pretrained.find`.

    Raises
    ------
    FileNotFoundError
        If there is no checkpoint.
    CheckpointError
        If it is damaged, or its weights are not those of the network in its config.
    """
    folder = find(source, revision=revision, offline=offline)
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder / name} is not there: train a model first (dvc repro), or give the "
                "folder or the Hugging Face id of one"
            )
    try:
        config = Config.model_validate_json((folder / CONFIG).read_text("utf-8"))
    except ValidationError as error:
        raise CheckpointError(f"{folder / CONFIG} is no config of this program: {error}") from error
    data = (folder / WEIGHTS).read_bytes()
    if hashlib.sha256(data).hexdigest() != config.weights_sha256:
        raise CheckpointError(
            f"{folder / WEIGHTS} is not the file that {folder / CONFIG} was written with: copy "
            "both again, or train anew"
        )
    encoder: LanguageEncoder | None = None
    if config.language is not None:
        encoder = LanguageEncoder.from_config(config.language)
    elif Layout.of(config.network, config.shapes, finetuned=False).ids:
        encoder = language
    model = LNLN(config.network, config.shapes, encoder)
    _load_weights(model, safetensors.torch.load(data), folder / WEIGHTS)
    model.config = config
    return Checkpoint(model.to(best_device()).eval(), config)


def _load_weights(model: LNLN, weights: Weights, path: Path) -> None:
    expected = {name: list(tensor.shape) for name, tensor in weights_of(model).items()}
    found = {name: list(tensor.shape) for name, tensor in weights.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise CheckpointError(
                f"{path}: {name} has the shape {found.get(name, 'of nothing, it is missing')}, "
                f"the network of its config has {expected.get(name, 'no such parameter')}"
            )
    model.load_state_dict(weights, strict=False)  # a frozen language encoder is not in there


def check_features(features: FeatureSet, config: Config) -> None:
    """Make sure that features are of the kind the network was trained on.

    Raises
    ------
    CheckpointError
        If their columns, extraction settings or models differ.
    """
    for modality, trained in config.features.items():
        info = features.modality(modality).info
        if modality == "text" and trained.source and config.language is not None:
            # It reads token ids through the BERT it brings along: who made the states is all one.
            if (info.unk_id, info.pad_id) != (trained.unk_id, trained.pad_id):
                raise CheckpointError(
                    f"the model's [UNK] and [PAD] are {trained.unk_id} and {trained.pad_id}, those "
                    f"of this text {info.unk_id} and {info.pad_id}: extract text with the "
                    f"vocabulary of {trained.settings.get('model', 'its BERT')}"
                )
            most = int(features.text.token_ids.max(initial=0))
            if most >= config.language.get("vocab_size", most + 1):
                raise CheckpointError(
                    f"the model's vocabulary has {config.language['vocab_size']} word pieces, this "
                    f"text has number {most}: extract text with the vocabulary of "
                    f"{trained.settings.get('model', 'its BERT')}"
                )
            continue
        if info.source != trained.source:
            raise CheckpointError(
                f"the model was trained on {trained.source or 'features of lnln extract'}, this "
                f"{modality} is of {info.source or 'lnln extract'}: give it the same kind"
            )
        if info.names != trained.names:
            odd = sorted(set(info.names) ^ set(trained.names))
            raise CheckpointError(
                f"the model was trained on {len(trained.names)} {modality} features, these are "
                f"{len(info.names)} (differing: {', '.join(odd[:5]) or 'their order'}): extract "
                "with the model's settings"
            )
        for kind, then, now in (
            ("setting", trained.settings, info.settings),
            ("asset", trained.assets, info.assets),
        ):
            for key in sorted(then.keys() | now.keys()):
                if then.get(key) != now.get(key):
                    raise CheckpointError(
                        f"the {modality} features were extracted with the {kind} "
                        f"{key}={now.get(key)!r}, the model was trained with {then.get(key)!r}: "
                        "extract them anew with that one"
                    )
