"""Predictions by what a person calls them: a model, a file, a checkpoint, an experiment."""

import json
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from contracts.files import read_json
from lnln.checkpoints.config import read_config
from lnln.checkpoints.hub import CONFIG
from lnln.evaluation.table import parse, read
from lnln.settings import MetricSet
from pipeline.checking import parse_yaml
from pipeline.paths import DATASET, PARAMS, PREDICTIONS, SWEPT, TRAINED, run_name


class SourceError(ValueError):
    """Nothing goes by that name, or not what was asked for; the message says what there is."""


class Source(NamedTuple):
    """The predictions of one model.

    Attributes
    ----------
    said : str
        What a person called it, and the model, where that does not name it.
    model : str
    table : pa.Table
        Its rows alone.
    metric_set : str or None
        Of its dataset, where that stands beside it.
    """

    said: str
    model: str
    table: pa.Table
    metric_set: MetricSet | None


def find(said: str, predictions: Path = PREDICTIONS) -> list[Source]:
    """Find predictions.

    Parameters
    ----------
    said : str
        The folder of a checkpoint of this project; the path of a table of predictions, with or
        without `:model`; the name of a model in `predictions`; or a DVC experiment or git
        revision, with or without `:model`, without which it is the one that its params.yaml names.
        What is there first, in this order, is meant.
    predictions : Path
        The table in which models are looked for.

    Raises
    ------
    SourceError
        If nothing is found.
    FileNotFoundError
        If a checkpoint has no predictions here.
    ValueError
        If a file is no table of predictions.
    """
    if (Path(said) / CONFIG).is_file():
        return [_of_checkpoint(Path(said))]
    path, model = _parted(said)
    if Path(path).is_file():
        return _of_table(said, read([Path(path)]), model, _metric_set_beside(Path(path)))
    names: list[str] = []
    if predictions.is_file():
        table = read([predictions])
        names = _models(table)
        if said in names:
            return _of_table(said, table, said, _metric_set_beside(predictions))
    return _of_revision(said, predictions, names)


def _of_checkpoint(folder: Path) -> Source:
    config = read_config(folder)
    seed = config.training.get("settings", {}).get("seed")
    if seed is None:
        raise SourceError(
            f"{folder}: its training left no seed, so that its predictions cannot be found; name "
            "their table instead"
        )
    name = run_name(config.model, seed)
    trained = TRAINED / name
    if trained.is_dir() and read_config(trained).weights_sha256 != config.weights_sha256:
        raise SourceError(
            f"{folder}: {SWEPT / name}.parquet is of {trained}, which has other weights; name the "
            "table of its predictions instead"
        )
    return Source(name, config.model, read([SWEPT / f"{name}.parquet"]), config.metric_set)


def _of_revision(said: str, predictions: Path, names: list[str]) -> list[Source]:
    from dvc.api import open as open_revision
    from dvc.exceptions import DvcException
    from dvc.scm import RevError, SCMError

    revision, _, model = said.partition(":")

    def content(path: Path) -> bytes:
        with open_revision(path.as_posix(), rev=revision, mode="rb") as file:
            return bytes(file.read())

    try:
        table = parse(content(PREDICTIONS), f"{PREDICTIONS} of {revision}")
    except (RevError, SCMError) as error:
        known = (
            f"no model of {predictions} ({', '.join(names)})"
            if names
            else (f"no model, as there is no {predictions}")
        )
        raise SourceError(
            f"{said}: no file, no checkpoint, {known}, and no DVC experiment or git revision"
        ) from error
    except (DvcException, OSError) as error:
        raise SourceError(
            f"{revision} has no {PREDICTIONS} that is to be had here ({error}): dvc pull, or "
            "dvc exp apply and dvc repro"
        ) from error
    params = parse_yaml(content(PARAMS).decode("utf-8"))
    dataset = json.loads(content(DATASET))
    return _of_table(said, table, model or params["model"]["name"], dataset["metric_set"])


def _of_table(
    said: str, table: pa.Table, model: str | None, metric_set: MetricSet | None
) -> list[Source]:
    names = _models(table)
    if model is not None and model not in names:
        raise SourceError(f"{said}: it has no model {model}, but {', '.join(names)}")
    sources = []
    for name in names if model is None else [model]:
        own = table.filter(pc.equal(table["model"].cast(pa.string()), name))
        full = said if said == name or said.endswith(f":{name}") else f"{said}:{name}"
        sources.append(Source(full, name, own, metric_set))
    return sources


def _models(table: pa.Table) -> list[str]:
    return sorted(pc.unique(table["model"].cast(pa.string())).to_pylist())


def _parted(said: str) -> tuple[str, str | None]:
    """Split `path:model`, unless the whole is the name of a file."""
    path, colon, model = said.rpartition(":")
    return (path, model) if colon and not Path(said).is_file() else (said, None)


def _metric_set_beside(path: Path) -> MetricSet | None:
    """Return that of the dataset that `dvc repro` resolved into the same folder."""
    beside = path.parent / DATASET.name
    return read_json(beside).get("metric_set") if beside.is_file() else None
