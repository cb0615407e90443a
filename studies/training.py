"""One model trained on a corpus with every seed, and asked about its test split."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pydantic import TypeAdapter

from lnln.checkpoints.checkpoint import Checkpoint, Weights, save
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.epochs import EPOCH_PREDICTIONS
from lnln.evaluation.metrics import better
from lnln.evaluation.sweep import conditions, sweep
from lnln.evaluation.table import join
from lnln.missing import patterns as missing
from lnln.missing.dropping import SentenceCache
from lnln.missing.masks import evenly, masks_under
from lnln.missing.patterns import Condition
from lnln.models.registry import find
from lnln.settings import NormalisedBy, TrainSettings
from lnln.training.history import Row
from lnln.training.run import Trained, train
from pipeline.models import ResolvedModel, merged, resolve_model
from pipeline.params import Params, ResolvedDataset, load_params
from pipeline.stages.splits import lengths, load_language
from pipeline.stages.train import checkpoint
from studies.corpora import Corpus
from studies.settings import Studies


class Outcome(NamedTuple):
    """What became of one model.

    Attributes
    ----------
    predictions : pa.Table
        Of all seeds, as `contracts.schemas.PREDICTIONS`.
    epochs : pa.Table or None
        After every epoch, as `EPOCH_PREDICTIONS`; None of a model that is fitted at once.
    about : dict
        learning_rate, parameters, seconds_per_epoch, and the history of every seed.
    checkpoints : list of Checkpoint
        One per seed.
    """

    predictions: pa.Table
    epochs: pa.Table | None
    about: dict[str, Any]
    checkpoints: list[Checkpoint]


class Experiment(NamedTuple):
    """What a model is trained with.

    Attributes
    ----------
    name : str
        In the tables of results.
    model : str
        Folder of lnln/models, or a registered name.
    settings : dict
        Of the model, over params.yaml and the presets.
    learning_rates : sequence of float
        Those tried; with a single one nothing is.
    like : str, optional
        Model whose section of params.yaml and preset count, where `model` has none of its own.
    normalisation : {"split", "speaker"}
        Whose mean and deviation are taken out of voice and face.
    """

    name: str
    model: str
    settings: dict[str, Any]
    learning_rates: Sequence[float]
    like: str | None = None
    normalisation: NormalisedBy = "split"


def as_it_is(model: str, studies: Studies, normalisation: str = "split") -> Experiment:
    """Return the experiment of a model with its own settings.

    Parameters
    ----------
    model : str
    studies : Studies
    normalisation : str
        Of `NormalisedBy`, as the command line says it; the result is named after it.
    """
    how: NormalisedBy = TypeAdapter(NormalisedBy).validate_python(normalisation)
    name = model if how == "split" else f"{model}-{how}"
    return Experiment(name, model, {}, studies.budget.learning_rates, normalisation=how)


def run_experiment(
    experiment: Experiment, corpus: Corpus, studies: Studies, *, by_epoch: bool = False
) -> Outcome:
    """Train a model with every seed and ask it about the test split.

    The learning rate is the one of those tried with which the first seed is best on validation.
    """
    params = load_params()
    kind = find(experiment.model)
    first = studies.seeds[0]
    tried: dict[float, _Run] = {}
    rates = experiment.learning_rates if kind.learns == "by_gradient" else [1.0]
    for rate in rates:
        tried[rate] = _train(experiment, corpus, studies, params, first, rate)
    selection = params.train.selection
    rate = rates[0]
    for other in rates[1:]:
        if better(selection, tried[other].best(selection), tried[rate].best(selection)):
            rate = other
    runs = [tried[rate]]
    for seed in studies.seeds[1:]:
        runs.append(_train(experiment, corpus, studies, params, seed, rate))
    asked = conditions(studies.patterns, studies.rates, studies.draws)
    language = load_language(experiment.model, corpus.dataset, offline=params.run.offline)
    assert language is None or isinstance(language, FrozenLanguageEncoder)
    asker = Asker(corpus, params, language)
    predictions = join(asker.ask(run, asked) for run in runs)
    epochs = None
    if by_epoch and kind.learns == "by_gradient":
        once = missing.conditions(["random"], studies.rates, 1)
        epochs = pa.concat_tables([asker.ask_by_epoch(run, once) for run in runs])
    about = {
        "model": experiment.name,
        "corpus": corpus.dataset.name,
        "learning_rate": rate if kind.learns == "by_gradient" else None,
        "normalisation": experiment.normalisation,
        "parameters": _parameters(runs[0].trained),
        "seconds_per_epoch": min(r.seconds / len(r.trained.history) for r in runs),
        "seeds": {str(r.seed): _history(r.trained) for r in runs},
    }
    return Outcome(predictions, epochs, about, [r.checkpoint for r in runs])


class _Run(NamedTuple):
    name: str
    seed: int
    trained: Trained
    checkpoint: Checkpoint
    weights: list[Weights]  # after every epoch
    seconds: float

    def best(self, selection: str) -> float | None:
        value: float | None = self.trained.history[self.trained.best_epoch - 1][
            f"valid/{selection}"
        ]
        return value


def _train(
    experiment: Experiment,
    corpus: Corpus,
    studies: Studies,
    params: Params,
    seed: int,
    learning_rate: float,
) -> _Run:
    name, dataset = experiment.model, corpus.dataset
    resolved = resolve(experiment, params, dataset)
    budget = studies.budget
    training = resolved.train.model_dump() | {"normalisation": experiment.normalisation}
    if find(name).learns == "by_gradient":
        training |= {
            "epochs": budget.epochs,
            "batch_size": budget.batch_size,
            "averaging": budget.averaging,
            "learning_rate": learning_rate,
            "finetune_language": False,
        }
    valid = missing.conditions(["random"], params.masks.valid_rates, studies.draws)
    masks = masks_under(valid, corpus.valid, seed=params.masks.seed, purpose="valid")
    language = load_language(name, dataset, offline=params.run.offline)
    inputs: dict[str, Any] = {
        "name": name,
        "train_set": corpus.train,
        "valid_set": corpus.valid,
        "valid_masks": evenly(masks),
        "lengths": lengths(dataset),
        "model_settings": find(name).settings.model_validate(resolved.model),
        "settings": TrainSettings(seed=seed, **training),
        "metric_set": dataset.metric_set,
        "label_range": dataset.label_range,
        "language": language,
    }
    weights: list[Weights] = []
    began = time.perf_counter()
    trained = train(**inputs, on_weights=weights.append)
    seconds = time.perf_counter() - began
    made = checkpoint(trained, inputs, params, dataset)
    return _Run(experiment.name, seed, trained, made, weights, seconds)


def resolve(experiment: Experiment, params: Params, dataset: ResolvedDataset) -> ResolvedModel:
    """Settle a model's settings: those of the experiment over params.yaml over the preset.

    Neither `model.ablate` nor what params.yaml says of training counts: the budget does.
    """
    section = experiment.like or experiment.model
    own = merged(params.overrides.get(section, {}), experiment.settings)
    alone = params.model_copy(
        update={
            "overrides": params.overrides | {section: own},
            "model": params.model.model_copy(update={"ablate": []}),
            "train": params.train.model_copy(update={"overrides": {}}),
        }
    )
    return resolve_model(section, alone, dataset)


class Asker:
    """Asks trained models about a test split; a masked sentence is encoded once for all of them."""

    def __init__(
        self, corpus: Corpus, params: Params, language: FrozenLanguageEncoder | None
    ) -> None:
        self.corpus, self.params, self.language = corpus, params, language
        self.cache = SentenceCache()

    def ask(self, run: _Run, asked: Sequence[Condition]) -> pa.Table:
        """Ask under some conditions."""
        return sweep(
            run.checkpoint,
            self.corpus.test,
            self.corpus.manifest,
            model=run.name,
            train_seed=run.seed,
            conditions=asked,
            masks_seed=self.params.masks.seed,
            language=self.language,
            cache=self.cache,
        )

    def ask_by_epoch(self, run: _Run, asked: Sequence[Condition]) -> pa.Table:
        """Ask the network as it was after every epoch.

        It prices the habit of choosing on the test split; nothing is chosen by it.
        """
        model, tables = run.trained.model, []
        # Intervals are those of the chosen epoch, and not of the others.
        config = run.checkpoint.config.model_copy(update={"intervals": None})
        run = run._replace(checkpoint=Checkpoint(model, config))
        best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        for epoch, weights in enumerate(run.weights, start=1):
            model.load_state_dict(weights, strict=False)
            table = self.ask(run, asked)
            chosen = epoch == run.trained.best_epoch
            table = table.append_column("epoch", pa.array([epoch] * len(table), pa.int32()))
            tables.append(table.append_column("chosen", pa.array([chosen] * len(table))))
        model.load_state_dict(best)
        return pa.concat_tables(tables).cast(EPOCH_PREDICTIONS)


def _parameters(trained: Trained) -> int:
    """Count what is learnt; a frozen language model is not."""
    return sum(p.numel() for p in trained.model.parameters() if p.requires_grad)


def _history(trained: Trained) -> dict[str, Any]:
    rows: list[Row] = trained.history
    return {"best_epoch": trained.best_epoch, "history": rows}


def keep(outcome: Outcome, folder: Path) -> None:
    """Write the checkpoints of all seeds, one folder each."""
    for made in outcome.checkpoints:
        seed = made.config.training["settings"]["seed"]
        save(folder / str(seed), made)
