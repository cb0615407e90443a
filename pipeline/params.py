"""`params.yaml` and `datasets.yaml`, typed and validated in one place."""

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

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
from lnln.settings import (
    LossSettings,
    NetworkSettings,
    SeedlessTrainSettings,
    TrainSettings,
)
from pipeline.paths import DATASET, DATASETS, PARAMS

Section = TypeVar("Section", bound=BaseModel)


class ParamsError(Exception):
    """A key or value of `params.yaml` or `datasets.yaml` that cannot be used, and what could be."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lengths(_Section):
    """Longest sequences the network reads, in rows."""

    audio: int = Field(ge=1, description="rows of 40 ms")
    vision: int = Field(ge=1, description="rows of 1 / vision.fps s")


class Clips(_Section):
    """How many clips a dataset has by what was published."""

    train: int = Field(ge=1)
    valid: int = Field(ge=1)
    test: int = Field(ge=1)


class PublishedTraining(_Section):
    """How long and how fast a network was trained on a dataset."""

    epochs: int = Field(ge=1, description="passes over the training split")
    batch_size: int = Field(ge=1, description="clips per step")
    learning_rate: float = Field(gt=0, description="AdamW's peak learning rate")


class Published(_Section):
    """Published settings of a dataset, which take the place of those in `params.yaml`."""

    loss: LossSettings
    train: PublishedTraining

    def __str__(self) -> str:
        sections = self.model_dump().items()
        return ", ".join(
            f"{s}.{key} {value:g}" for s, keys in sections for key, value in keys.items()
        )


class Dataset(_Section):
    """One section of `datasets.yaml`."""

    label_range: tuple[float, float]
    metrics: Literal["mosi", "sims"]
    language: str = Field(pattern=r"^[a-z]{2,3}$", description="ISO 639 code")
    text: TextSettings
    speech: SpeechSettings
    lengths: Lengths
    clips: Clips | None
    published: Published | None
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
    pattern: Literal["random", "block", "no_text", "no_audio", "no_vision"]


class TrainParams(SeedlessTrainSettings):
    """How the networks are trained, one per seed."""

    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)

    def with_seed(self, seed: int) -> TrainSettings:
        """Return the settings of one network."""
        return TrainSettings(seed=seed, **self.model_dump(exclude={"seeds"}))


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
    network: NetworkSettings
    loss: LossSettings
    train: TrainParams
    evaluate: EvaluateParams


def load_params(path: Path = PARAMS) -> Params:
    """Read `params.yaml`.

    Raises
    ------
    ParamsError
        The file is missing, is no YAML mapping, or a key or value is not allowed.
    """
    params = _validate(Params, _read(path), str(path))
    return params.model_copy(update={"run": params.run.model_copy(update=_placed(params.run))})


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
    return {
        name: _validate(Dataset, section, f"{path}: {name}")
        for name, section in _read(path).items()
    }


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
