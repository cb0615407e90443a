"""Settings of the models of a run: params.yaml over the dataset's preset over the model's own."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.files import REMEDY, DamagedFile, read_json
from lnln.models.registry import find
from lnln.settings import ModelSettings, SeedlessTrainSettings, Shapes, TrainSettings
from pipeline.checking import ParamsError, problems_of, refuse
from pipeline.params import Dataset, Params
from pipeline.paths import DATASETS, PARAMS, SETTINGS

# Trained and evaluated beside every model, so that no score stands alone; dvc.yaml names them too.
FLOORS = ("text_only", "ridge", "majority", "constant")


class ResolvedModel(BaseModel):
    """What one model is trained with: nothing is left open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: dict[str, Any]
    train: SeedlessTrainSettings

    def settings(self, name: str) -> ModelSettings:
        """Return the settings as the model's own class."""
        return find(name).settings.model_validate(self.model)

    def training(self, seed: int) -> TrainSettings:
        """Return how it is trained with one seed."""
        return TrainSettings(seed=seed, **self.train.model_dump())


def compared(params: Params) -> list[str]:
    """Name the models of a run: the one that params.yaml names, and the floors."""
    return list(dict.fromkeys([params.model.name, *FLOORS]))


def resolve_model(name: str, params: Params, dataset: Dataset) -> ResolvedModel:
    """Settle the settings of a model.

    A value in params.yaml that is not null wins over the dataset's preset, and that over the
    model's own. A model that is fitted at once takes nothing but `selection` and `normalisation`
    from `train`.

    Raises
    ------
    ParamsError
        params.yaml lacks the model's section, or the settings do not go together.
    """
    if name not in params.overrides:
        raise ParamsError(
            f"{PARAMS}: {name}: missing; every model of the run has a section, which may be empty: "
            f"`{name}: {{}}`, or -S '+{name}={{}}'"
        )
    kind = find(name)
    preset = dataset.models.get(name)
    settings: dict[str, Any] = {}
    train: dict[str, Any] = dict(kind.training)
    if preset is not None:
        settings, train = merged(settings, preset.model), merged(train, preset.train)
    settings = merged(settings, params.overrides.get(name, {}))
    if name == params.model.name and params.model.ablate:
        settings["ablate"] = params.model.ablate
        if "ablate" not in kind.settings.model_fields:
            refuse([f"model.ablate: {name} has no parts that can be left out: []"], str(PARAMS))
    own = params.train.overrides
    if kind.learns == "at_once":
        own = {key: value for key, value in own.items() if key == "normalisation"}
    train = merged(train, own)
    train["selection"] = params.train.selection
    where = f"{PARAMS} over the presets of {DATASETS}"
    refuse(problems_of(kind.settings, settings, name), where)
    resolved = ResolvedModel(
        model=kind.settings.model_validate(settings).model_dump(mode="json"),
        train=SeedlessTrainSettings.model_validate(train),
    )
    if resolved.train.normalisation == "speaker" and _reads_raw(name, resolved):
        refuse(
            [
                f"train.normalisation: speaker: with these settings {name} reads features as they "
                f"come, without any normalisation; allowed: split, or {name}.variant: paper"
            ],
            where,
        )
    return resolved


def _reads_raw(name: str, resolved: ResolvedModel) -> bool:
    shapes = Shapes.model_validate(dict.fromkeys(Shapes.model_fields, 1))  # any will do
    layout = find(name).load().reads(resolved.settings(name), shapes, "states")
    return layout.features == "raw"


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another, key by key."""
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            both[key] = merged(below, value)
        else:
            both[key] = value
    return both


def load_model(name: str, path: Path = SETTINGS) -> ResolvedModel:
    """Read what the `dataset` stage settled for a model."""
    content = read_json(path)
    if name not in content:
        raise DamagedFile(f"{path} has no model {name}: {REMEDY}")
    refuse(problems_of(ResolvedModel, content[name]), f"{path}: {name}")
    return ResolvedModel.model_validate(content[name])
