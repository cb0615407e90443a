"""What a checkpoint says of its model, and whether features are those it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from contracts.features import FeatureInfo
from contracts.schemas import MODALITIES
from lnln.checkpoints.completeness import w_withheld
from lnln.checkpoints.hub import CONFIG, WEIGHTS
from lnln.checkpoints.intervals import Intervals
from lnln.data.features import FeatureSet
from lnln.data.normalisation import Normalisation
from lnln.models.registry import find
from lnln.settings import MetricSet, ModelSettings, Shapes

MAX_SIZE = 1 << 20  # of any number in a model's settings that says how large it is


class CheckpointError(ValueError):
    """A checkpoint that cannot be used, or features that are not those it was trained on."""


class Config(BaseModel):
    """Everything about a trained model but its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: str = Field(description="name of the model, see `lnln.models.registry`")
    settings: SerializeAsAny[ModelSettings] = Field(description="of the model's own class")
    shapes: Shapes
    normalisation: Normalisation | None = Field(
        description="of the training split; null where the model reads features as they come"
    )
    features: dict[str, FeatureInfo] = Field(description="what the model reads, by modality")
    transcription: dict[str, Any] = Field(
        default={}, description="how new clips are transcribed, as the extractors take it"
    )
    language: dict[str, Any] | None = Field(
        default=None, description="config of the BERT fine-tuned with it; null where it was frozen"
    )
    metric_set: MetricSet
    label_range: tuple[float, float] = Field(description="least and greatest label")
    dataset: str
    notice: str | None = Field(default=None, description="shown with every prediction")
    intervals: Intervals | None = Field(
        default=None, description="around predictions, by observed share; null: not measured"
    )
    training: dict[str, Any] = Field(default={}, description="settings and outcome, for the record")
    weights_sha256: str = ""

    @property
    def w_withheld(self) -> str | None:
        """Why w is not shown to people, see `lnln.checkpoints.completeness`."""
        return w_withheld(self.training.get("validation", {}))

    @model_validator(mode="before")
    @classmethod
    def _settings_are_of_the_model_s_own_class(cls, content: Any) -> Any:
        if isinstance(content, dict) and isinstance(content.get("settings"), dict):
            kind = find(str(content.get("model")))
            return content | {"settings": kind.settings.model_validate(content["settings"])}
        return content

    @model_validator(mode="after")
    def _numbers_fit_together(self) -> Self:
        low, high = self.label_range
        if not low < high:
            raise ValueError(f"label_range is {low:g} to {high:g}: the least label comes first")
        if odd := self.features.keys() - set(MODALITIES):
            raise ValueError(f"features describe {min(odd)!r}, not only {', '.join(MODALITIES)}")
        for modality in self.features:
            width, names = getattr(self.shapes, f"{modality}_dim"), self.features[modality].names
            if self.features[modality].modality != modality:
                raise ValueError(f"features: {modality} describes another modality")
            statistics = getattr(self.normalisation, modality, None)
            widths = [len(names)]
            if statistics is not None:
                widths += [len(statistics.mean), len(statistics.deviation)]
            if set(widths) != {width}:
                raise ValueError(
                    f"{modality} is {width} wide in shapes, and {widths} in its names and "
                    "statistics"
                )
        validation = self.training.get("validation", {})
        if not isinstance(validation, dict) or not all(
            value is None or isinstance(value, (int, float)) for value in validation.values()
        ):
            raise ValueError("training: validation is no mapping of metrics to numbers")
        return self

    @field_validator("settings")
    @classmethod
    def _sizes_are_sensible(cls, settings: ModelSettings) -> ModelSettings:
        for name, value in _numbers(settings.model_dump()):
            if abs(value) > MAX_SIZE:
                raise ValueError(f"{name} is beyond {MAX_SIZE}")
        return settings


def _numbers(settings: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Whole numbers in settings and in those inside them."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        elif isinstance(value, int):
            yield name, value


def read_config(folder: Path) -> Config:
    """Read a checkpoint's config.

    Raises
    ------
    FileNotFoundError
        If there is no checkpoint.
    CheckpointError
        If it was written by another program, or another version of this one.
    """
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder / name} is not there: train a model first (dvc repro), or give the "
                "folder or the Hugging Face id of one"
            )
    try:
        return Config.model_validate_json((folder / CONFIG).read_bytes())
    except ValidationError as error:
        raise CheckpointError(f"{folder / CONFIG} is no config of this program: {error}") from error


def check_features(features: FeatureSet, config: Config) -> None:
    """Make sure that features are of the kind the model was trained on.

    Raises
    ------
    CheckpointError
        If their columns, extraction settings or models differ.
    """
    for modality, trained in config.features.items():
        info = features.modality(modality).info
        if modality == "text" and trained.source and config.language is not None:
            _check_vocabulary(features, config, trained)
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


def _check_vocabulary(features: FeatureSet, config: Config, trained: FeatureInfo) -> None:
    """Compare word pieces alone: the model's own BERT reads them, whoever made the states."""
    info = features.text.info
    assert config.language is not None
    said, here = ((i.unk_id, i.pad_id, i.lost_id) for i in (trained, info))
    if said != here:
        raise CheckpointError(
            f"the model's [UNK], [PAD] and id of lost words are {said}, those of this text "
            f"{here}: extract text with the "
            f"vocabulary of {trained.settings.get('model', 'its BERT')}"
        )
    most = int(features.text.token_ids.max(initial=0))
    if most >= config.language.get("vocab_size", most + 1):
        raise CheckpointError(
            f"the model's vocabulary has {config.language['vocab_size']} word pieces, this "
            f"text has number {most}: extract text with the vocabulary of "
            f"{trained.settings.get('model', 'its BERT')}"
        )
