"""What each stage depends on: its own code, and all of it, but no prose."""

import json
import shutil
from pathlib import Path

import pytest

from contracts import code
from contracts.code import PACKAGES, closure, files_of
from lnln.models.registry import names
from pipeline.stages.code import WITHOUT, WITHOUT_FOR, hashes, left_out, main, sources

# Modules that import others by a name made at run time, which nothing can follow.
FOUND_AT_RUN_TIME = {
    "extractors/__init__.py": "what the package offers, which stages import from where it is",
    "extractors/workers/session.py": "libraries that a worker imports early",
    "extractors/fingerprint.py": "the package of an extractor, for what it says of its libraries",
    "lnln/__init__.py": "what the package offers, on demand",
    "lnln/models/registry.py": "the folder of a model, which `train` and `sweep` begin with",
}
MODELS = ("plain", "better", "other")
SWEEPS = {f"sweep-{model}" for model in names()}


def write(root: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")


def differing(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of the packages."""
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(code.ROOT / name, tmp_path / name, ignore=ignored)
    return tmp_path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A repository of two models, of which one builds on the other, and a third."""
    stage = "from lnln.models import registry\ndef main():\n    registry.build()\n"
    model = "from lnln.models.interface import Model\n"
    write(
        tmp_path,
        {
            "lnln/models/__init__.py": "",
            "lnln/models/interface.py": "class Model: ...\n",
            "lnln/models/registry.py": "import importlib\ndef build(): ...\n",
            "lnln/models/plain/__init__.py": "",
            "lnln/models/plain/model.py": model,
            "lnln/models/better/__init__.py": "",
            "lnln/models/better/model.py": model + "from lnln.models.plain.model import Model\n",
            "lnln/models/other/__init__.py": "",
            "lnln/models/other/model.py": model,
            "pipeline/stages/__init__.py": "",
            "pipeline/stages/code.py": "def main(): ...\n",
            "pipeline/stages/splits.py": "def read(): ...\n",
            "pipeline/stages/train.py": stage,
            "pipeline/stages/sweep.py": stage,
            "pipeline/stages/evaluate.py": "def main(): ...\n",
        },
    )
    return tmp_path


def test_other_words_change_no_stage(repository: Path) -> None:
    before = hashes(repository)
    for file in repository.rglob("*.py"):
        text = file.read_text("utf-8")
        file.write_text(f'"""Other words."""\n{text}\n# a comment\n', "utf-8")
    assert differing(before, hashes(repository)) == set()


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("extractors/audio/extractor.py", {"extract-audio"}),
        (
            "extractors/media/sound.py",
            {"transcribe", "segment", "extract-audio", "extract-vision", "report"},
        ),
        ("extractors/recordings/cutting.py", {"segment"}),
        ("extractors/sentences/leakage.py", {"sentences"}),
        ("extractors/sentences/tables.py", set()),
        ("extractors/text/extractor.py", {"extract-text", "sentences"}),
        ("extractors/vision/faces.py", {"extract-vision", "report"}),
        ("extractors/vision/frames.py", {"extract-vision", "report"}),
        ("extractors/workers/pool.py", set()),
        ("pipeline/stages/ingest.py", {"ingest"}),
        ("lnln/checkpoints/card.py", {"card"}),
        ("lnln/checkpoints/card_template.md", {"card"}),
        ("lnln/models/lnln/losses.py", {"train-lnln", "sweep-lnln"}),
        ("lnln/models/lnln/published_names.py", set()),
        ("lnln/models/lnln/settings.py", {"dataset", "train-lnln", "sweep-lnln"}),
        ("lnln/missing/patterns.py", {"incomplete", "evaluate", "report", *SWEEPS}),
        ("lnln/missing/rules.py", {"incomplete", "evaluate", "report", *SWEEPS}),
        ("lnln/settings.py", {"dataset"}),
        ("lnln/evaluation/summary.py", {"evaluate", "report"}),
        ("pipeline/models.py", {"dataset", "evaluate", "report"}),
        ("pipeline/report/page/drawing.py", {"report"}),
        ("pipeline/report/page/templates/style.css", {"report"}),
    ],
)
def test_a_change_of_code_changes_the_stages_that_run_it(
    repository: Path, file: str, stages: set[str]
) -> None:
    before = hashes(repository)
    with (repository / file).open("a", encoding="utf-8") as end:
        end.write("\nANOTHER = 'way'\n")
    changed = differing(before, hashes(repository))
    assert {name for name in changed if not name.startswith("studies-")} == stages


TELLING = {"studies-tell", "studies-tell_fair", "studies-tell_folds"}


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("studies/told.py", TELLING),
        ("studies/folds.py", {"studies-folds", "studies-tell_folds"}),
        ("lnln/evaluation/comparison.py", TELLING),
        ("lnln/models/mult/model.py", set()),  # of which the stages have train-mult.json
    ],
)
def test_studies_have_hashes_of_their_own(repository: Path, file: str, changed: set[str]) -> None:
    before = hashes(repository)
    with (repository / file).open("a", encoding="utf-8") as end:
        end.write("\nANOTHER = 'way'\n")
    found = differing(before, hashes(repository))
    assert {name for name in found if name.startswith("studies-")} == changed


def test_every_model_has_hashes_of_its_own(models: Path) -> None:
    assert sources(models).keys() == {
        "evaluate",
        *(f"{stage}-{name}" for stage in ("train", "sweep") for name in MODELS),
    }


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("other/model.py", {"other"}),
        ("better/model.py", {"better"}),
        ("plain/model.py", {"plain", "better"}),
        ("interface.py", {"plain", "better", "other"}),
        ("registry.py", {"plain", "better", "other"}),
    ],
)
def test_a_model_s_folder_changes_that_model_and_those_built_on_it(
    models: Path, file: str, changed: set[str]
) -> None:
    before = hashes(models)
    with (models / "lnln" / "models" / file).open("a", encoding="utf-8") as end:
        end.write("\nANOTHER = 'way'\n")
    expected = {f"{stage}-{name}" for stage in ("train", "sweep") for name in changed}
    assert differing(before, hashes(models)) == expected


@pytest.mark.parametrize("stage", ["train", "sweep"])
def test_training_imports_no_model_by_name(stage: str) -> None:
    found = closure([f"pipeline/stages/{stage}.py"], without=WITHOUT)
    assert not {file for file in found if file.startswith("lnln/models/") and file.count("/") > 2}


def needed(name: str) -> set[str]:
    """What would count for a stage, or one of its modalities or models, were it not left out."""
    files, without = sources()[name], left_out(name).keys()
    counted = closure(files, without=without)
    return {
        entry
        for entry in without
        if files_of(entry) and closure(files, without=without - {entry}) != counted
    }


@pytest.mark.parametrize("stage", WITHOUT_FOR)
def test_what_is_left_out_of_a_stage_is_there_and_imported_by_it(stage: str) -> None:
    names = [name for name in sources() if name == stage or name.startswith(f"{stage}-")]
    assert names
    for name in names:
        assert WITHOUT_FOR[stage].keys() <= needed(name), name


def test_what_is_left_out_of_all_stages_is_there_and_imported_by_one() -> None:
    assert WITHOUT.keys() <= set().union(*(needed(name) for name in sources()))


def test_everything_else_is_imported_where_it_can_be_followed() -> None:
    found = {
        file
        for package in PACKAGES
        for file in files_of(package)
        if "import_module" in (source := (code.ROOT / file).read_text("utf-8"))
        or "__import__" in source
    }
    assert found <= FOUND_AT_RUN_TIME.keys()


def test_every_file_that_is_not_python_counts_for_a_stage() -> None:
    found = {
        path.relative_to(code.ROOT).as_posix()
        for package in PACKAGES
        for path in (code.ROOT / package).rglob("*.*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".typed", ".yaml", ".lock")
    }
    commands = ("pipeline/serve/", "pipeline/picture/")  # no stage runs them
    of_commands = {file for file in found if file.startswith(commands)}
    assert of_commands
    assert found - of_commands <= set().union(*hashes().values())


def test_stage_writes_a_file_per_stage_and_removes_what_is_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"outputs/code/gone.json": "{}"})
    main()
    files = {path.stem: path for path in (tmp_path / "outputs" / "code").iterdir()}
    assert files.keys() == sources().keys()
    assert json.loads(files["ingest"].read_text("utf-8")) == hashes()["ingest"]


def test_results_are_told_without_a_network() -> None:
    followed = {file for file in hashes()["evaluate"] if file.startswith(("lnln/data", "lnln/mod"))}
    assert followed == {"lnln/models/__init__.py", "lnln/models/registry.py"}
