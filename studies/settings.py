"""`studies/params.yaml`, typed and validated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lnln.settings import Seed
from pipeline.checking import problems_of, read_yaml, refuse

PARAMS = Path("studies/params.yaml")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Budget(_Section):
    """What every model that learns by gradient descent is given, the same for all."""

    epochs: int = Field(ge=1, description="passes over the training split")
    batch_size: int = Field(ge=1, description="clips per step")
    averaging: float = Field(ge=0, lt=1, description="decay of the moving average of the weights")
    learning_rates: list[float] = Field(
        min_length=1,
        description="those tried with the first seed; validation chooses one of them",
    )


class Studies(_Section):
    """The whole of the file."""

    seeds: list[Seed] = Field(min_length=1, description="of training")
    parts_seeds: list[Seed] = Field(
        min_length=1, description="of training, of ablations and loss weights"
    )
    draws: int = Field(ge=1, description="masks drawn per clip and rate")
    rates: list[float] = Field(min_length=2, description="missing rates asked about")
    patterns: list[str] = Field(min_length=1, description="patterns asked about")
    resamples: int = Field(ge=1, description="of the bootstrap")
    budget: Budget
    corpora: list[str] = Field(min_length=1, description="sections of datasets.yaml")
    encoder: str = Field(description="language encoder of all models")
    by_epoch: str = Field(description="the corpus on which choosing on the test split is priced")
    models: list[str] = Field(min_length=2, description="folders of lnln/models")
    by_speaker: list[str] = Field(
        description="those of them that are also run by each speaker's own mean and deviation"
    )
    ablations: dict[str, dict[str, Any]] = Field(description="settings of LNLN, by name")
    weights: dict[str, dict[str, Any]] = Field(description="settings of LNLN, by name")
    adversarial: dict[str, dict[str, Any]] = Field(
        description="settings of LNLN by name; official_reversal and learning_rate beside them"
    )
    damages: dict[str, list[str]] = Field(description="what is done to raw test clips, by name")


def results_of(studies: Studies) -> list[str]:
    """Name the results of a comparison: every model, and those by speaker, `<model>-speaker`."""
    return [*studies.models, *(f"{model}-speaker" for model in studies.by_speaker)]


def seeds_of(study: str, studies: Studies) -> list[int]:
    """Return the seeds that a study of LNLN's parts trains with."""
    return studies.seeds if study == "adversarial" else studies.parts_seeds


def load_studies(path: Path = PARAMS) -> Studies:
    """Read the file.

    Raises
    ------
    ParamsError
        It is missing, is no YAML mapping, or a key or value is not allowed.
    """
    content = read_yaml(path)
    refuse(problems_of(Studies, content), str(path))
    return Studies.model_validate(content)
