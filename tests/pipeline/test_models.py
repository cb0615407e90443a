"""Settings of a run: params.yaml over the preset of the dataset over the model's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lnln.models.registry import find, names
from lnln.settings import SeedlessTrainSettings
from pipeline.checking import ParamsError
from pipeline.models import FLOORS, ResolvedModel, compared, load_model, resolve_model
from pipeline.params import load_datasets, load_params
from pipeline.stages import dataset

Change = Callable[..., None]
FUSION = {"mosi": 2, "mosei": 4, "sims": 4}
ADVERSARIAL = {"mosi": 0.8, "mosei": 0.8, "sims": 0.6}


def resolved(name: str = "lnln") -> ResolvedModel:
    """As the stage `dataset` settles a model with the project's files."""
    params = load_params()
    return resolve_model(name, params, load_datasets()[params.dataset])


@pytest.mark.parametrize("name", FUSION)
@pytest.mark.parametrize("variant", ["paper", "masked", "official"])
def test_preset_is_the_published_settings_whole_and_the_variant_the_user_s(
    change: Change, name: str, variant: str
) -> None:
    change("dataset", name)
    change("lnln.variant", variant)
    settled = resolved()
    assert settled.model == {
        "variant": variant,
        "width": 128,
        "tokens": 8,
        "heads": 8,
        "head_width": 64,
        "hyper_head_width": 16,
        "depth": 2,
        "hyper_depth": 3,
        "fusion_depth": FUSION[name],
        "dropout": 0,
        "loss": {
            "completeness": 0.9,
            "adversarial": ADVERSARIAL[name],
            "reconstruction": 0.1,
            "prediction": 1,
        },
        "reversal": 1,
        "ablate": [],
    }
    assert settled.train.model_dump() == {
        "epochs": 200,
        "batch_size": 64,
        "learning_rate": 1e-4,
        "language_learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "gradient_clip": 0,
        "warmup": 0.1,
        "averaging": 0,
        "finetune_language": True,
        "gradient_checkpointing": False,
        "precision": "fp32",
        "tf32": False,
        "deterministic": True,
        "accumulation": 1,
        "normalisation": "split",
        "selection": "mae",
        "patience": 0,
        "interval_level": 0.9,
    }


@pytest.mark.parametrize("name", FUSION)
def test_preset_does_not_lean_on_defaults(project: Path, name: str) -> None:
    preset = load_datasets()[name].models["lnln"]
    assert preset.model.keys() == {"fusion_depth", "dropout", "loss"}
    assert preset.model["loss"].keys() == find("lnln").settings().model_dump()["loss"].keys()
    assert preset.train.keys() == {
        *("epochs", "batch_size", "learning_rate", "language_learning_rate", "weight_decay"),
        *("warmup", "averaging", "finetune_language"),
    }


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("lnln.dropout", 0.2, ("model", "dropout")),
        ("lnln.fusion_depth", 3, ("model", "fusion_depth")),
        ("lnln.loss.adversarial", 0.5, ("model", "loss", "adversarial")),
        ("lnln.loss.completeness", 0, ("model", "loss", "completeness")),
        ("train.epochs", 1, ("train", "epochs")),
        ("train.warmup", 0, ("train", "warmup")),
        ("train.averaging", 0.9, ("train", "averaging")),
        ("train.finetune_language", False, ("train", "finetune_language")),
        ("train.normalisation", "speaker", ("train", "normalisation")),
        ("train.selection", "corr", ("train", "selection")),
    ],
)
def test_value_in_params_yaml_wins_over_the_preset_and_changes_nothing_else(
    change: Change, key: str, value: Any, where: tuple[str, ...]
) -> None:
    change("dataset", "mosi")
    expected = resolved().model_dump()
    section = expected
    for name in where[:-1]:
        section = section[name]
    assert section[where[-1]] != value
    section[where[-1]] = value
    change(key, value)
    assert resolved().model_dump() == expected


def test_null_leaves_a_value_to_the_preset_and_then_to_the_model(change: Change) -> None:
    change("mosi.models.lnln.model.width", None, file="datasets.yaml")
    change("mosi.models.lnln.train.epochs", None, file="datasets.yaml")
    change("dataset", "mosi")
    settled, own = resolved(), find("lnln").settings().model_dump()
    assert (settled.model["width"], settled.train.epochs) == (own["width"], 200)
    change("mosi.models.lnln.model.width", 64, file="datasets.yaml")
    change("mosi.models.lnln.train.epochs", 7, file="datasets.yaml")
    settled = resolved()
    assert (settled.model["width"], settled.train.epochs) == (64, 7)
    change("lnln.width", 32)
    assert resolved().model["width"] == 32


def test_model_without_a_preset_is_trained_as_it_says_itself(change: Change) -> None:
    change("dataset", "mosi")
    settled, kind = resolved("text_only"), find("text_only")
    assert settled.settings("text_only") == kind.settings()
    assert settled.train == SeedlessTrainSettings(**kind.training)
    change("train.learning_rate", 0.5)
    assert resolved("text_only").train.learning_rate == 0.5


@pytest.mark.parametrize("name", ["ridge", "majority", "constant"])
def test_model_fitted_at_once_takes_nothing_of_train_but_the_selection(
    change: Change, name: str
) -> None:
    before = resolved(name)
    change("train.epochs", 3)
    change("train.finetune_language", True)
    assert resolved(name) == before
    change("train.selection", "corr")
    expected = before.train.model_copy(update={"selection": "corr"})
    assert resolved(name).train == expected


def test_other_values_of_one_model_leave_the_others_as_they_are(change: Change) -> None:
    before = {name: resolved(name) for name in names()}
    change("text_only", {"width": 32})
    after = {name: resolved(name) for name in names()}
    assert {name for name in names() if after[name] != before[name]} == {"text_only"}
    assert after["text_only"].model == before["text_only"].model | {"width": 32}


def test_values_are_judged_together_when_all_are_known(change: Change) -> None:
    change("lnln.hyper_depth", 9)
    with pytest.raises(ParamsError, match="lnln: hyper_depth=9 needs as many dominant features"):
        resolved()
    change("sample.models.lnln.model.depth", 8, file="datasets.yaml")
    assert resolved().model["depth"] == 8


def test_model_of_the_run_without_a_section_is_told_what_to_write(
    change: Change, project: Path
) -> None:
    content = yaml.safe_load((project / "params.yaml").read_text("utf-8"))
    del content["ridge"]
    (project / "params.yaml").write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(ParamsError, match=r"params\.yaml: ridge: missing; .*`ridge: \{\}`"):
        resolved("ridge")


def test_floors_are_trained_beside_every_model_and_once(change: Change) -> None:
    assert compared(load_params()) == ["lnln", *FLOORS]
    change("model.name", "ridge")
    assert sorted(compared(load_params())) == sorted(FLOORS)


def test_settings_of_a_run_hold_all_that_is_used(
    project: Path, change: Change, write_dataset: Callable[..., None]
) -> None:
    write_dataset([], {})
    change("lnln.dropout", 0.3)
    change("train.epochs", 1)
    dataset.main()
    written = json.loads((project / "outputs" / "settings.json").read_text("utf-8"))
    assert list(written) == ["lnln", *FLOORS]
    for name, settings in written.items():
        expected = resolved(name)
        assert load_model(name) == expected
        assert settings == expected.model_dump(mode="json")
        assert settings["model"].keys() == find(name).settings.model_fields.keys()
        assert settings["train"].keys() == SeedlessTrainSettings.model_fields.keys()
    assert (written["lnln"]["model"]["dropout"], written["lnln"]["train"]["epochs"]) == (0.3, 1)
    assert load_model("lnln").training(7).seed == 7


def test_settings_are_printed_whole(
    change: Change, write_dataset: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    write_dataset([], {})
    dataset.main()
    printed = capsys.readouterr().out
    assert "settings of lnln on sample: variant masked, " in printed
    for told in ("loss.adversarial 0.1, ", "train.epochs 10, ", "train.selection mae, "):
        assert told in printed


def test_ablations_of_params_reach_the_model_that_has_such_parts(change: Change) -> None:
    change("model.ablate", ["proxy"])
    assert resolved().model["ablate"] == ["proxy"]
    assert "ablate" not in resolved("text_only").model
    change("model.ablate", ["memory"])
    with pytest.raises(ParamsError, match=r"lnln\.ablate\.0: .memory. is not allowed"):
        resolved()
    change("model", {"name": "ridge", "ablate": ["proxy"]})
    with pytest.raises(ParamsError, match="ridge has no parts that can be left out"):
        resolved("ridge")


@pytest.mark.parametrize("name", ["lnln", *FLOORS])
def test_normalisation_is_that_of_the_whole_run_floors_included(change: Change, name: str) -> None:
    assert resolved(name).train.normalisation == "split"
    change("train.normalisation", "speaker")
    assert resolved(name).train.normalisation == "speaker"


def test_preset_of_a_dataset_may_choose_the_normalisation(change: Change) -> None:
    preset = {"ridge": {"train": {"normalisation": "speaker"}}}
    change("sample.models", preset, file="datasets.yaml")
    assert resolved("ridge").train.normalisation == "speaker"
    assert resolved("lnln").train.normalisation == "split"
    change("train.normalisation", "split")
    assert resolved("ridge").train.normalisation == "split"


def test_model_that_reads_features_as_they_come_has_no_normalisation_by_speaker(
    change: Change,
) -> None:
    change("lnln.variant", "official")
    assert resolved().train.normalisation == "split"
    change("train.normalisation", "speaker")
    with pytest.raises(ParamsError, match=r"train.normalisation: speaker: .* lnln reads features"):
        resolved()
