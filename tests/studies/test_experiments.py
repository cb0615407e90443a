"""One model through a study: trained with every seed under one budget, asked, and told about."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
import torch
from pydantic import ValidationError

from contracts.schemas import PREDICTIONS
from lnln.evaluation.epochs import EPOCH_PREDICTIONS
from lnln.models import registry
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import LNLNSettings
from pipeline.params import load_params
from studies import vary
from studies.corpora import Corpus, describe
from studies.settings import Studies, load_studies, results_of
from studies.training import Experiment, as_it_is, resolve, run_experiment

SMALL = {"width": 16, "tokens": 2, "heads": 2, "head_width": 8, "hyper_head_width": 4}


@pytest.fixture
def studies(root: Path) -> Studies:
    content = load_studies(root / "studies" / "params.yaml").model_dump()
    budget = content["budget"] | {"epochs": 2, "batch_size": 8, "learning_rates": [1e-3, 3e-3]}
    return Studies.model_validate(
        content
        | {"seeds": [1, 2], "draws": 1, "rates": [0.0, 0.5, 1.0], "patterns": ["random"]}
        | {"budget": budget}
    )


def test_a_network_is_trained_with_every_seed_and_asked_after_every_epoch(
    corpus: Corpus, studies: Studies
) -> None:
    outcome = run_experiment(
        Experiment("lnln", "lnln", SMALL, [1e-3, 3e-3]), corpus, studies, by_epoch=True
    )
    assert outcome.predictions.schema.names == PREDICTIONS.names
    assert set(outcome.predictions["seed"].to_pylist()) == {1, 2}
    assert set(pc.unique(outcome.predictions["rate"]).to_pylist()) == {0.0, 0.5, 1.0}
    assert outcome.epochs is not None
    assert outcome.epochs.schema.names == EPOCH_PREDICTIONS.names
    assert set(pc.unique(outcome.epochs["epoch"]).to_pylist()) == {1, 2}
    assert outcome.about["learning_rate"] in (1e-3, 3e-3)
    assert outcome.about["parameters"] > 0
    assert [c.config.training["settings"]["seed"] for c in outcome.checkpoints] == [1, 2]


def test_asking_by_epoch_leaves_the_chosen_weights(corpus: Corpus, studies: Studies) -> None:
    experiment = Experiment("audio_only", "audio_only", {}, [1e-3])
    plain = run_experiment(experiment, corpus, studies)
    asked = run_experiment(experiment, corpus, studies, by_epoch=True)
    for one, other in zip(plain.checkpoints, asked.checkpoints, strict=True):
        states = one.model.state_dict(), other.model.state_dict()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert plain.predictions.equals(asked.predictions)


def test_a_model_that_is_fitted_at_once_has_no_learning_rate(
    corpus: Corpus, studies: Studies
) -> None:
    outcome = run_experiment(
        Experiment("constant", "constant", {}, [1e-3, 3e-3]), corpus, studies, by_epoch=True
    )
    assert outcome.epochs is None
    assert outcome.about["learning_rate"] is None


def test_the_reversal_of_the_published_code_is_all_that_differs(
    project: Path, studies: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_REGISTERED", {})
    params, dataset = load_params(), describe("sample")
    ours, theirs = (
        resolve(vary.experiment("adversarial", name, studies, tuned=1e-3), params, dataset)
        for name in ("s1_w08", "official_s1_w08")
    )
    assert ours == theirs
    assert ours.model["dropout"] == 0.1  # of the preset
    switches = LNLNSettings.model_validate(ours.model).switches
    official = vary.OfficialReversal.model_validate(theirs.model).switches
    assert official == switches._replace(reversal="after_generator")


def test_ablations_of_params_do_not_change_a_study(project: Path, studies: Studies) -> None:
    params, dataset = load_params(), describe("sample")
    ablated = params.model_copy(
        update={"model": params.model.model_copy(update={"ablate": ["proxy"]})}
    )
    for settings in ({}, {"ablate": ["correction"]}):
        experiment = Experiment("lnln", "lnln", settings, [1e-3])
        assert resolve(experiment, ablated, dataset) == resolve(experiment, params, dataset)


def test_proxies_are_measured_on_the_validation_split(
    corpus: Corpus, studies: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_REGISTERED", {})
    settings = SMALL | {"reversal": 5, "official_reversal": True, "learning_rate": 3e-3}
    altered = studies.model_copy(update={"adversarial": {"s5": settings}, "seeds": [1]})
    varied = vary.experiment("adversarial", "s5", altered, tuned=1e-3)
    assert (varied.model, varied.learning_rates) == ("lnln_official_reversal", [3e-3])
    outcome = run_experiment(varied, corpus, altered)
    measured = vary.proxies_of(outcome, corpus)
    model: Any = outcome.checkpoints[0].model
    assert isinstance(model, LNLN)
    assert all(len(values) == 1 and values[0] >= 0 for values in measured.values())
    assert measured.keys() == {"proxy_variance", "language_variance", "proxy_distance"}


def test_a_model_is_run_by_speaker_under_a_name_of_its_own(
    corpus: Corpus, studies: Studies
) -> None:
    speakers = {
        name: replace(clips, groups=tuple(f"p{i % 3}" for i in range(len(clips))))
        for name, clips in (("train", corpus.train), ("valid", corpus.valid), ("test", corpus.test))
    }
    one = studies.model_copy(update={"seeds": [1], "by_speaker": ["ridge"]})
    outcomes = [
        run_experiment(as_it_is("ridge", one, how), corpus._replace(**speakers), one)
        for how in ("split", "speaker")
    ]
    names = [outcome.about["model"] for outcome in outcomes]
    assert names == ["ridge", "ridge-speaker"]
    assert set(names) <= set(results_of(one))
    assert [o.checkpoints[0].by_speaker for o in outcomes] == [False, True]
    answers = [outcome.predictions["prediction"].to_pylist() for outcome in outcomes]
    assert answers[0] != answers[1]
    assert set(outcomes[1].predictions["model"].to_pylist()) == {"ridge-speaker"}


def test_another_word_than_split_or_speaker_is_refused(studies: Studies) -> None:
    with pytest.raises(ValidationError, match="'split' or 'speaker'"):
        as_it_is("ridge", studies, "speakers")
