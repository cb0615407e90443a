"""`params.yaml` and `datasets.yaml`, typed and validated in one place."""

import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from contracts.files import read_json
from extractors.settings import (
    AudioSettings,
    ExtractorSettings,
    RunSettings,
    SpeechSettings,
    TextSettings,
    Unspoken,
    VisionSettings,
)
from lnln.missing.patterns import PatternName
from lnln.models.registry import find, names
from lnln.settings import Metric, MetricSet, Seed, SeedlessTrainSettings
from pipeline.checking import (
    RESTORE,
    Name,
    ParamsError,
    problems_of,
    problems_of_some,
    read_yaml,
    refuse,
    without_nulls,
)
from pipeline.corpora import Corpus, clip_sections, load_corpora, no_dataset, unknown_corpora
from pipeline.paths import DATASET, DATASETS, PARAMS, project_folder


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
    """One section of `datasets.yaml`, but for those of `pipeline.corpora`."""

    label_range: tuple[float, float]
    metric_set: MetricSet
    language: str = Field(pattern=r"^[a-z]{2,3}$", description="ISO 639 code")
    text: TextSettings
    speech: SpeechSettings
    lengths: Lengths
    clips: Clips | None
    segment: Unspoken | None = Field(
        default=None,
        description="cut recordings into utterances, and what stretches without speech become",
    )
    models: dict[str, Preset] = Field(description="presets, by name of the model")
    sentences: dict[str, Annotated[float, Field(gt=0, le=100)]] = Field(
        description="corpora to train with: sentences per epoch, as a share of the training clips"
    )
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
    corpora: dict[str, Corpus] = Field(description="those that `sentences` names")
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
    """How the work is done; nothing here changes a result by more than rounding."""

    resume: str = Field(min_length=1, description="folder of the states of interrupted trainings")
    threads: int = Field(ge=0, description="of a process that trains or predicts; 0: one per core")


class IngestParams(_Section):
    """What the `ingest` stage tolerates."""

    max_quarantined: float = Field(ge=0, le=1, description="share of clips")


class MaskParams(_Section):
    """Synthetic incompleteness of the validation and test splits."""

    seed: Seed
    draws: int = Field(ge=1, description="masks per clip")
    valid_rates: list[Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1)
    patterns: list[PatternName] = Field(min_length=1, description="the first is the headline's")

    @field_validator("valid_rates", "patterns")
    @classmethod
    def _are_different(cls, values: list[Any]) -> list[Any]:
        if len(set(values)) < len(values):
            raise ValueError("a value stands there twice")
        return values


class ModelParams(_Section):
    """Which model is trained beside the floors, and used by `lnln predict`."""

    name: str = Field(description="a folder of lnln/models")
    ablate: list[str] = Field(description="parts of it that are left out")

    @field_validator("name")
    @classmethod
    def _is_a_model(cls, name: str) -> str:
        if name not in names():
            raise ValueError(_no_model())
        return name


class TrainParams(_Section):
    """How the models are trained, one per seed."""

    seeds: list[Seed] = Field(min_length=1)
    selection: Metric
    overrides: dict[str, Any] = Field(
        default={}, description="the other keys of the section, where they are not null"
    )

    @field_validator("seeds")
    @classmethod
    def _are_different(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed stands there twice")
        return seeds


class EvaluateParams(_Section):
    """What the `evaluate` stage reports."""

    rates: list[Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1)
    bootstrap: int = Field(ge=0, description="resamples of the clips for 95 % intervals")


class _File(_Section):
    """`params.yaml` but for the sections of single models."""

    dataset: Name
    missing_rate: float = Field(ge=0, le=1)
    run: RunParams
    ingest: IngestParams
    audio: AudioSettings
    vision: VisionSettings
    masks: MaskParams
    model: ModelParams
    train: TrainParams
    evaluate: EvaluateParams


class Params(_File):
    """The whole of `params.yaml`."""

    overrides: dict[str, dict[str, Any]] = Field(
        description="sections of models, by name, with the keys that are not null"
    )


def load_params(path: Path = PARAMS) -> Params:
    """Read `params.yaml`.

    Raises
    ------
    ParamsError
        The file is missing, is no YAML mapping, or a key or value is not allowed.
    """
    content = read_yaml(path)
    overrides = {name: without_nulls(content.pop(name)) for name in names() if name in content}
    problems = [
        problem
        for name, section in overrides.items()
        for problem in problems_of_some(find(name).settings, section, name)
    ]
    train = content.get("train")
    if isinstance(train, dict):
        own = {key: train[key] for key in ("seeds", "selection") if key in train}
        rest = without_nulls({key: value for key, value in train.items() if key not in own})
        problems += problems_of_some(SeedlessTrainSettings, rest, "train", also=own)
        content["train"] = own | {"overrides": rest}
    refuse(problems_of(_File, content, also=names()) + problems, str(path))
    params = Params.model_validate(content | {"overrides": overrides})
    return params.model_copy(update={"run": params.run.model_copy(update=_placed(params.run))})


def _no_model() -> str:
    return f"no model; known: {', '.join(names())}"


def _placed(run: RunParams) -> dict[str, str]:
    """The absolute paths of what is kept between runs, experiments in copies included."""
    home = project_folder()
    placed = {"resume": str(home / Path(run.resume).expanduser())}
    if run.cache and "://" not in run.cache:
        placed["cache"] = str(home / Path(run.cache).expanduser())
    return placed


def resolve_dataset(params: Params) -> ResolvedDataset:
    """Return the section of the dataset that params.yaml names, with its name and root.

    Raises
    ------
    ParamsError
        `dataset` is no section of `datasets.yaml`.
    """
    name, known = params.dataset, load_datasets()
    if name not in known:
        raise ParamsError(
            f"{PARAMS}: dataset: {name!r} is {no_dataset(name)}; "
            f"known: {', '.join(known)}. {RESTORE}"
        )
    section, corpora = known[name].model_dump(), load_corpora()
    section["corpora"] = {corpus: corpora[corpus] for corpus in known[name].sentences}
    return ResolvedDataset(
        **section, name=name, root=f"data/{name}", audio=params.audio, vision=params.vision
    )


def load_datasets(path: Path = DATASETS) -> dict[str, Dataset]:
    """Read every section of `datasets.yaml` about clips; raises as `load_params` does."""
    sections, corpora = clip_sections(path), load_corpora(path)
    return {name: _dataset(each, f"{path}: {name}", corpora) for name, each in sections.items()}


def _dataset(section: Any, where: str, corpora: dict[str, Corpus]) -> Dataset:
    """Check a section, and that it names corpora, and settings of models, that there are."""
    refuse(problems_of(Dataset, section), where)
    dataset = Dataset.model_validate(section)
    problems, presets = unknown_corpora(dataset.sentences, corpora), {}
    for name, preset in dataset.models.items():
        key = f"models.{name}"
        if name not in names():
            problems.append(f"{key}: {_no_model()}")
            continue
        model, train = without_nulls(preset.model), without_nulls(preset.train)
        problems += problems_of_some(find(name).settings, model, f"{key}.model")
        problems += problems_of_some(SeedlessTrainSettings, train, f"{key}.train")
        if "selection" in train:
            problems.append(f"{key}.train.selection: is no part of a preset, see {PARAMS}")
        presets[name] = Preset(model=model, train=train)
    refuse(problems, where)
    return dataset.model_copy(update={"models": presets})


def load_dataset(path: Path = DATASET) -> ResolvedDataset:
    """Read what the `dataset` stage resolved."""
    content = read_json(path)
    refuse(problems_of(ResolvedDataset, content), str(path))
    return ResolvedDataset.model_validate(content)
