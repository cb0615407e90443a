"""`params.yaml` and `datasets.yaml`, typed and validated in one place."""

import json
import math
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from extractors.settings import (
    AudioSettings,
    ExtractorSettings,
    RunSettings,
    SpeechSettings,
    TextSettings,
    VisionSettings,
)
from lnln.missing.patterns import PatternName
from lnln.models.registry import find, names
from lnln.settings import Metric, MetricSet, SeedlessTrainSettings
from pipeline.paths import DATASET, DATASETS, PARAMS

Section = TypeVar("Section", bound=BaseModel)


class ParamsError(Exception):
    """A key or value of `params.yaml` or `datasets.yaml` that cannot be used, and what could be."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lengths(_Section):
    """Longest sequences a model reads, in rows."""

    audio: int = Field(ge=1, description="rows of 40 ms")
    vision: int = Field(ge=1, description="rows of 1 / vision.fps s")


class Clips(_Section):
    """How many clips a dataset has by what was published."""

    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)


class Preset(_Section):
    """What a dataset says of the settings of one model: the values it names, and no others."""

    model: dict[str, Any] = {}
    train: dict[str, Any] = {}


class Dataset(_Section):
    """One section of `datasets.yaml`."""

    label_range: tuple[float, float]
    metric_set: MetricSet
    language: str = Field(pattern=r"^[a-z]{2,3}$", description="ISO 639 code")
    text: TextSettings
    speech: SpeechSettings
    lengths: Lengths
    clips: Clips | None
    models: dict[str, Preset] = Field(description="presets, by name of the model")
    source: str = Field(min_length=1, description="from whom the files are to be had")
    notice: str | None = None

    @field_validator("label_range")
    @classmethod
    def _the_least_comes_first(cls, ends: tuple[float, float]) -> tuple[float, float]:
        if not -math.inf < ends[0] < ends[1] < math.inf:
            raise ValueError(f"{list(ends)} is no range: the least label comes first")
        return ends


class ResolvedDataset(Dataset):
    """`dataset.json`: a dataset's section, where its clips lie, and how each modality is extracted.

    One key per modality, so that DVC extracts again just the modality whose settings changed.
    """

    models: dict[str, Preset] = {}  # resolved in a file of their own
    name: str
    root: str
    audio: AudioSettings
    vision: VisionSettings

    def extraction(self) -> ExtractorSettings:
        """Return what `extractors.extract` needs to make this dataset's features."""
        return ExtractorSettings(
            language=self.language,
            text=self.text,
            audio=self.audio,
            vision=self.vision,
            speech=self.speech,
        )


class RunParams(RunSettings):
    """How the work is done; nothing here changes a result."""

    resume: str = Field(min_length=1, description="folder of the states of interrupted trainings")


class IngestParams(_Section):
    """What the `ingest` stage tolerates."""

    max_quarantined: float = Field(ge=0, le=1, description="share of clips")


class MaskParams(_Section):
    """Synthetic incompleteness of the validation and test splits."""

    seed: int = Field(ge=0)
    draws: int = Field(ge=1, description="masks per clip")
    pattern: PatternName


class ModelParams(_Section):
    """Which model is trained beside the floors, and used by `lnln predict`."""

    name: str = Field(min_length=1, description="a folder of lnln/models")


class TrainParams(_Section):
    """How the models are trained, one per seed."""

    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    selection: Metric
    overrides: dict[str, Any] = Field(description="settings that are not left to the presets")


class EvaluateParams(_Section):
    """What the `evaluate` stage reports."""

    rates: list[Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1)
    bootstrap: int = Field(ge=0, description="resamples of the clips for 95 % intervals")


class Params(_Section):
    """The whole of `params.yaml`."""

    dataset: str
    missing_rate: float = Field(ge=0, le=1)
    run: RunParams
    ingest: IngestParams
    audio: AudioSettings
    vision: VisionSettings
    masks: MaskParams
    model: ModelParams
    overrides: dict[str, dict[str, Any]] = Field(
        description="settings of models that are not left to the presets, by name of the model"
    )
    train: TrainParams
    evaluate: EvaluateParams


def load_params(path: Path = PARAMS) -> Params:
    """Read `params.yaml`.

    Raises
    ------
    ParamsError
        The file is missing, is no YAML mapping, or a key or value is not allowed.
    """
    content = _read(path)
    models = [name for name in names() if name in content]
    overrides = {
        name: _partly(find(name).settings, content.pop(name), f"{path}: {name}") for name in models
    }
    train = content.get("train")
    if isinstance(train, dict):
        chosen = {key: train[key] for key in ("seeds", "selection") if key in train}
        rest = {key: value for key, value in train.items() if key not in chosen}
        partly = _partly(SeedlessTrainSettings, rest, f"{path}: train")
        content["train"] = chosen | {"overrides": partly}
    params = _validate(Params, content | {"overrides": overrides}, str(path))
    if params.model.name not in names():
        raise ParamsError(
            f"{path}: model.name: {params.model.name!r} is no model; known: {', '.join(names())}"
        )
    return params.model_copy(update={"run": params.run.model_copy(update=_placed(params.run))})


def _partly(model: type[BaseModel], section: Any, where: str) -> dict[str, Any]:
    """Check the settings that a section names, and return them without those that are null."""
    set_ = _without_nulls(section) if isinstance(section, dict) else section
    _validate(model, set_, where)
    if not isinstance(set_, dict):
        return {}
    return set_


def _without_nulls(section: dict[str, Any]) -> dict[str, Any]:
    cleared = {k: _without_nulls(v) if isinstance(v, dict) else v for k, v in section.items()}
    return {k: v for k, v in cleared.items() if v is not None and v != {}}


def _placed(run: RunParams) -> dict[str, str]:
    """The absolute paths of what is kept between runs, in the project's folder.

    `dvc exp run --temp` and `--queue` work in copies of it, under .dvc/tmp/exps, and share them.
    """
    home = Path.cwd()
    for folder in home.parents:
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            home = folder.parents[2]
    placed = {"resume": str(home / Path(run.resume).expanduser())}
    if run.cache and "://" not in run.cache:
        placed["cache"] = str(home / Path(run.cache).expanduser())
    return placed


def load_datasets(path: Path = DATASETS) -> dict[str, Dataset]:
    """Read every section of `datasets.yaml`; raises as `load_params` does."""
    datasets = {
        name: _validate(Dataset, section, f"{path}: {name}")
        for name, section in _read(path).items()
    }
    for name, dataset in datasets.items():
        for model, preset in dataset.models.items():
            where = f"{path}: {name}: models.{model}"
            if model not in names():
                raise ParamsError(f"{where} is no model; known: {', '.join(names())}")
            _partly(find(model).settings, preset.model, f"{where}.model")
            _partly(SeedlessTrainSettings, preset.train, f"{where}.train")
    return datasets


def load_dataset(path: Path = DATASET) -> ResolvedDataset:
    """Read what the `dataset` stage resolved."""
    return _validate(ResolvedDataset, json.loads(path.read_text("utf-8")), str(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} is not here; run from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path} must hold `key: value` lines, not {type(content).__name__}")
    return content


def _validate(model: type[Section], content: Any, where: str) -> Section:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  {_explain(model, problem)}" for problem in error.errors())
        raise ParamsError(f"{where}:\n{problems}") from None


def _explain(model: type[BaseModel], problem: Any) -> str:
    """Say which key is wrong, what it was, and what it may be."""
    name = ".".join(str(part) for part in problem["loc"]) or "this section"
    if problem["type"] == "extra_forbidden":
        for parent in problem["loc"][:-1]:
            model = model.model_fields[parent].annotation  # type: ignore[assignment]
        return f"{name}: unknown key; allowed here: {', '.join(sorted(model.model_fields))}"
    if problem["type"] == "missing":
        return f"{name}: missing; every key has to be given"
    if isinstance(problem["input"], dict) and problem["type"] == "value_error":
        return f"{name}: {problem['ctx']['error']}"  # two keys that do not go together
    return f"{name}: {problem['input']!r} is not allowed: {problem['msg']}"
