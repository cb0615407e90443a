import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from lnln.evaluation.metrics import metric_names
from lnln.missing.patterns import PATTERNS
from lnln.models.registry import find, names
from lnln.settings import Metric, SeedlessTrainSettings
from pipeline.checking import ParamsError
from pipeline.corpora import Corpus
from pipeline.params import Dataset, Params, load_datasets, load_params

Change = Callable[..., None]


def fields(
    model: type[BaseModel], content: dict[str, Any] | None = None, prefix: str = ""
) -> Iterator[str]:
    """Every knob of a settings model, as a dotted key; a section that may be null can be so."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if content and content.get(name) is None:
            pass  # a leaf
        elif isinstance(kind, UnionType):
            kind = get_args(kind)[0]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from fields(kind, (content or {}).get(name), f"{prefix}{name}.")
        else:
            yield prefix + name


def keys(content: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_there_is_no_knob_that_params_yaml_does_not_show(root: Path) -> None:
    shown = yaml.safe_load((root / "params.yaml").read_text("utf-8"))
    of_models = {
        key
        for name in names()
        for key in fields(find(name).settings, prefix=f"{name}.")
        if not key.endswith(".ablate")  # model.ablate
    }
    of_training = set(fields(SeedlessTrainSettings, prefix="train."))
    others = {key for key in fields(Params) if not key.endswith("overrides")}
    assert sorted(keys(shown)) == sorted(others | of_models | of_training)
    assert set(names()) <= shown.keys()


def test_every_dataset_shows_every_knob(root: Path) -> None:
    free = {"models", "sentences", "splits"}  # which name what they like
    for name, section in yaml.safe_load((root / "datasets.yaml").read_text("utf-8")).items():
        kind = Corpus if section.get("kind") == "sentences" else Dataset
        shown = [key for key in keys(section) if key.split(".")[0] not in free]
        assert sorted([*shown, *free & section.keys()]) == sorted(fields(kind, section)), name


@pytest.mark.parametrize("file", ["params.yaml", "datasets.yaml"])
def test_every_knob_has_a_comment(root: Path, file: str) -> None:
    lines = (root / file).read_text("utf-8").splitlines()
    bare = [
        line
        for above, line in zip(["", *lines], lines, strict=False)
        if re.match(r"\s*\w+: [^#]", line) and "#" not in line and not above.strip().startswith("#")
    ]
    assert not bare


def test_the_repository_s_own_files_are_valid(project: Path) -> None:
    assert load_params().dataset in load_datasets()


@pytest.mark.parametrize(
    ("key", "sibling"),
    [
        ("mising_rate", "missing_rate"),
        ("lnlm", "text_only"),
        ("overrides", "lnln"),
        ("lnln.widht", "width"),
        ("lnln.loss.sentiment", "prediction"),
        ("text_only.height", "width"),
        ("train.seed", "seeds"),
        ("train.epoch", "epochs"),
        ("train.overrides", "selection"),
        ("run.worker", "workers"),
    ],
)
def test_unknown_key_is_refused_and_the_allowed_ones_named(
    change: Change, key: str, sibling: str
) -> None:
    change(key, 1)
    match = rf"params\.yaml:\n  {key}: unknown key; allowed here: .*\b{sibling}\b"
    with pytest.raises(ParamsError, match=match) as error:
        load_params()
    assert "overrides" not in str(error.value).partition("allowed here")[2]


@pytest.mark.parametrize(
    ("key", "sibling"),
    [
        ("sample.text.tokens", "max_tokens"),
        ("sample.models.lnln.network", "model"),
        ("sample.models.lnln.model.widht", "width"),
        ("sample.models.lnln.train.epoch", "epochs"),
        ("mosi.clips.dev", "valid"),
    ],
)
def test_unknown_key_of_a_dataset_is_refused(change: Change, key: str, sibling: str) -> None:
    change(key, 3, file="datasets.yaml")
    section, _, key = key.partition(".")
    match = rf"datasets\.yaml: {section}:\n  {key}: unknown key; allowed here: .*\b{sibling}\b"
    with pytest.raises(ParamsError, match=match):
        load_datasets()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("models.lnln.model.width", "wide", "'wide' is not allowed: Input should be a valid int"),
        ("models.lnln.model.loss.adversarial", -1, "-1 is not allowed: Input should be greater"),
        ("models.lnln.train.epochs", 0, "0 is not allowed: Input should be greater than or equal"),
        ("models.lnln.train.selection", "corr", "is no part of a preset, see params.yaml"),
        ("models.lnlm", {"model": {}}, "no model; known: almt, audio_only"),
    ],
)
def test_bad_value_of_a_preset_is_refused_with_its_key(
    change: Change, key: str, value: object, told: str
) -> None:
    change(f"sample.{key}", value, file="datasets.yaml")
    with pytest.raises(ParamsError, match=rf"datasets\.yaml: sample:\n  {key}: {told}"):
        load_datasets()


def test_section_of_a_model_may_be_empty_or_absent(change: Change, project: Path) -> None:
    for empty in ({}, None, {"width": None}, {"loss": {"adversarial": None}}):
        change("lnln", empty)
        assert load_params().overrides["lnln"] == {}
    content = yaml.safe_load((project / "params.yaml").read_text("utf-8"))
    del content["text_only"]
    (project / "params.yaml").write_text(yaml.safe_dump(content))
    assert "text_only" not in load_params().overrides
    change("text_only", {"width": 32})
    assert load_params().overrides["text_only"] == {"width": 32}


def test_false_and_zero_are_values_and_null_is_none(change: Change) -> None:
    for key, value in (
        ("lnln.dropout", 0),
        ("lnln.loss.adversarial", 0.0),
        ("train.finetune_language", False),
        ("train.averaging", 0),
        ("train.epochs", None),
    ):
        change(key, value)
    params = load_params()
    assert params.overrides["lnln"] == {
        "variant": "masked",
        "dropout": 0,
        "loss": {"adversarial": 0},
    }
    assert params.train.overrides == {"finetune_language": False, "averaging": 0}


def test_unknown_model_is_refused_and_the_known_ones_named(change: Change) -> None:
    change("model.name", "lnlm")
    match = (
        r"params\.yaml:\n  model\.name: 'lnlm' is not allowed: no model; known: almt, audio_only,"
    )
    with pytest.raises(ParamsError, match=match):
        load_params()


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("missing_rate", 1.5, "less than or equal to 1"),
        ("missing_rate", "much", "valid number"),
        ("lnln", 3, "valid dictionary"),
        ("lnln.width", 0, "greater than or equal to 2"),
        ("lnln.width", "wide", "valid integer"),
        ("lnln.variant", "oficial", "'paper', 'masked' or 'official'"),
        ("lnln.loss.prediction", "much", "valid number"),
        ("text_only.dropout", 1, "less than 1"),
        ("ridge.alphas", [], "at least 1 item"),
        ("masks.patterns", "random", "valid list"),
        ("masks.patterns", [], "at least 1 item"),
        ("masks.patterns", ["block", "block"], "a value stands there twice"),
        ("masks.valid_rates", [0.5, 0.5], "a value stands there twice"),
        ("model.name", 3, "valid string"),
        ("train", 3, "valid dictionary"),
        ("train.selection", "mea", "'mae', 'corr'"),
        ("train.seeds", [1111, 1112, 1111], "a seed stands there twice"),
        ("train.epochs", 2.5, "valid integer"),
        ("run.workers", -1, "greater than or equal to 0"),
        ("run.offline", "perhaps", "valid boolean"),
    ],
)
def test_bad_value_is_refused_with_key_value_and_what_is_allowed(
    change: Change, key: str, value: object, allowed: str
) -> None:
    change(key, value)
    with pytest.raises(ParamsError) as error:
        load_params()
    assert f"{key}: {value!r} is not allowed" in str(error.value)
    assert allowed in str(error.value)


def test_bad_item_of_a_list_is_named(change: Change) -> None:
    change("evaluate.rates", [0.0, 2.0])
    with pytest.raises(ParamsError, match=r"evaluate\.rates\.1: 2\.0 is not allowed"):
        load_params()


def test_unknown_pattern_is_refused_and_all_patterns_named(change: Change) -> None:
    change("masks.patterns", ["random", "stripes"])
    with pytest.raises(ParamsError, match=r"masks\.patterns\.1: 'stripes' is not allowed") as error:
        load_params()
    assert all(f"'{pattern}'" in str(error.value) for pattern in PATTERNS)


def test_patterns_are_listed_where_they_are_set(root: Path) -> None:
    text = (root / "params.yaml").read_text("utf-8")
    _, _, comment = text.partition("  valid_rates:")[2].partition("\n")
    listed = comment.partition("  patterns:")[0].replace("#", "")
    assert [name.strip() for name in listed.split(",")] == list(PATTERNS)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("audio.pitch_min_hz", 700, "audio: pitch_min_hz=700 is not below pitch_max_hz=500"),
    ],
)
def test_values_that_do_not_go_together_are_refused(
    change: Change, key: str, value: object, why: str
) -> None:
    change(key, value)
    with pytest.raises(ParamsError, match=why):
        load_params()


def test_several_mistakes_are_told_at_once(change: Change) -> None:
    change("missing_rate", 2)
    change("lnln.loss.prediction", -1)
    change("train.epochs", -1)
    told = r"(?s)missing_rate: 2.*lnln\.loss\.prediction: -1.*train\.epochs: -1"
    with pytest.raises(ParamsError, match=told):
        load_params()


def test_absent_file_says_where_to_run(project: Path) -> None:
    (project / "params.yaml").unlink()
    with pytest.raises(ParamsError, match=r"params\.yaml is not here; run from the project"):
        load_params()


@pytest.mark.parametrize(("content", "why"), [("a: [", "not valid YAML"), ("- a", "not list")])
def test_file_that_is_no_mapping_is_refused(project: Path, content: str, why: str) -> None:
    (project / "params.yaml").write_text(content)
    with pytest.raises(ParamsError, match=why):
        load_params()


def test_every_metric_can_choose_the_epoch() -> None:
    assert set(get_args(Metric)) == {*metric_names("mosi"), *metric_names("sims")}


def test_what_is_kept_between_runs_is_shared_by_experiments_in_folders_of_their_own(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home = load_params().run
    elsewhere = project / ".dvc" / "tmp" / "exps" / "temp1"
    elsewhere.mkdir(parents=True)
    (elsewhere / "params.yaml").write_bytes((project / "params.yaml").read_bytes())
    monkeypatch.chdir(elsewhere)
    assert load_params().run == at_home
    assert at_home.resume == str(project / ".cache" / "training")
