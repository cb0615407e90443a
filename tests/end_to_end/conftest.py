"""One tiny project, run once from raw clips to metrics; every test of whole runs looks at it."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from contracts.code import PACKAGES
from contracts.environment import NO_TELEMETRY

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
WATCHED = Path(__file__).with_name("watched.py")

# One clip of every kind that the sample corpus has, in every split enough to go on with.
CLIPS = (
    ("joe", "001"),
    ("joe", "002"),  # no transcript in label.csv
    ("milo", "002"),  # no audio track
    ("nell", "003"),  # no face
    ("karl", "013"),  # silence
    ("robert", "001"),
    ("fiona", "001"),
    ("adam", "004"),
    ("steph", "009"),  # the face leaves the picture
    ("steph", "011"),
    ("fiona", "empty"),
    ("karl", "renamed"),
    ("milo", "truncated"),
    ("ivy", "nothing"),
    ("../../outside", "001"),
)
SMALL = {
    "ingest": {"max_quarantined": 0.5},
    "model": {"name": "lnln"},
    "lnln": {"width": 16, "tokens": 2, "heads": 2, "head_width": 8, "hyper_head_width": 4},
    "train": {"epochs": 2, "batch_size": 4},
    "masks": {"draws": 2, "valid_rates": [0.0, 0.5]},
    "evaluate": {"rates": [0.0, 0.9], "bootstrap": 20},
}

# Of the floors, whose stages are alike, the tiny project has one that reads text and one that does
# not: each more is two stages in every run. `make repro` has all of them.
FLOORS = ("ridge", "constant")

# For `lnln predict`, which sees neither label.csv nor the sentences in it.
KINDS = {
    "complete": "adam/004",
    "no audio track": "milo/002",
    "no face": "nell/003",
    "no words": "karl/013",  # silence
    "nothing": "ivy/nothing",  # no picture, and silence
    "garbage": "karl/renamed",
}

Answers = subprocess.CompletedProcess[str]
Run = Callable[..., Answers]


# Where these are set, libraries send nothing of their own accord.
AUTOMATED = {"CI", "CIRCLECI", "GITHUB_ACTIONS", "GITLAB_CI", "PYTEST_CURRENT_TEST", "TF_BUILD"}


@cache
def own_network() -> tuple[str, ...]:
    """The command that runs another in a network of its own; empty where that is not allowed."""
    command = ("unshare", "--map-root-user", "--net")
    try:
        allowed = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    return command if allowed else ()


def run_in(folder: Path, *command: str) -> Answers:
    """Run `python -m <command>` in a project as a user would, with its caches inside it.

    It fails if the command tries to reach anybody, or leaves something in the temporary folder.
    """
    with tempfile.TemporaryDirectory(prefix="run") as place:
        report, temporary = Path(place) / "reached.json", Path(place) / "tmp"
        temporary.mkdir()
        watching = (*own_network(), sys.executable, str(WATCHED), str(report))
        before = watching if own_network() else ()
        done = _run_in(folder, [*before, sys.executable, "-m", *command], temporary)
        reached = json.loads(report.read_text("utf-8")) if report.exists() else []
        assert reached == [], f"{command} tried to reach {reached}"
        left = sorted(path.name for path in temporary.iterdir())
        assert left == [], f"{command} left {left} in the temporary folder"
    return done


def _run_in(folder: Path, command: list[str], temporary: Path) -> Answers:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in AUTOMATED},
        "TMPDIR": str(temporary),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(folder / ".dvc" / "tmp" / "site"),
        "DVC_GLOBAL_CONFIG_DIR": str(folder / ".dvc" / "tmp" / "global"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / ".dvc" / "tmp" / "system"),
        "COLUMNS": "200",
    }
    for name in (*NO_TELEMETRY, "TORCHINDUCTOR_CACHE_DIR"):  # the tests themselves import us
        environment.pop(name, None)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def change(folder: Path, changes: dict[str, Any]) -> None:
    """Change values in a project's params.yaml; a mapping changes the keys it names."""
    params = yaml.safe_load((folder / "params.yaml").read_text("utf-8"))
    for key, value in changes.items():
        params[key] = params[key] | value if isinstance(value, dict) else value
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")


def add_clips(folder: Path, clips: tuple[tuple[str, str], ...]) -> None:
    """Copy clips of the sample corpus, and their lines of label.csv, into a project."""
    with (SAMPLE / "label.csv").open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    labels = folder / "data" / "sample" / "label.csv"
    labels.parent.mkdir(parents=True, exist_ok=True)
    new = not labels.exists()
    with labels.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [header] * new + [line for line in lines if (line[0], line[1]) in clips]
        )
    for video, clip in clips:
        source = SAMPLE / "Raw" / video / f"{clip}.mp4"
        if source.is_file():
            target = folder / "data" / "sample" / "Raw" / video / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def commit(folder: Path) -> None:
    """Make a git repository of a folder; DVCLive and experiments need a first commit."""
    author = ("-c", "user.name=Tester", "-c", "user.email=tester@localhost")
    for command in (("init", "--quiet"), ("add", "."), (*author, "commit", "--quiet", "-m", "new")):
        subprocess.run(["git", *command], cwd=folder, check=True)


@pytest.fixture(scope="session")
def run() -> Run:
    return run_in


@pytest.fixture(scope="session")
def change_params() -> Callable[[Path, dict[str, Any]], None]:
    return change


@pytest.fixture(scope="session")
def add_to_sample() -> Callable[[Path, tuple[tuple[str, str], ...]], None]:
    return add_clips


@pytest.fixture(scope="session")
def give_text_model() -> Callable[[Path, str, Path], None]:
    """Gives a dataset of a project a text model that is here."""

    def give(project: Path, name: str, model: Path) -> None:
        path = project / "datasets.yaml"
        sections = yaml.safe_load(path.read_text("utf-8"))
        sections[name]["text"]["model"] = str(model)
        path.write_text(yaml.safe_dump(sections, sort_keys=False), "utf-8")

    return give


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of pytest-xdist have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "end_to_end"
    folder.mkdir(exist_ok=True)
    return folder


def write_empty_project(folder: Path) -> Path:
    """Write a project with small params and no clips."""
    for package in (*PACKAGES, "language_adapters"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pyc*"))
    names = ("dvc.yaml", "params.yaml", "datasets.yaml", ".dvcignore", ".gitignore", ".dvc/config")
    names += ("data/sentences/README.md",)  # a folder that a stage depends on
    ignored = (file for top in ("models", "outputs") for file in (ROOT / top).rglob(".gitignore"))
    for file in (*(ROOT / name for name in names), *ignored):
        target = folder / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    change(folder, SMALL)
    datasets = folder / "datasets.yaml"
    text = datasets.read_text("utf-8")
    assert "sentences: {rated_sentences: 0.5}" in text
    # Every run would cut 23,703 sentences into word pieces.
    text = text.replace("sentences: {rated_sentences: 0.5}", "sentences: {}")
    datasets.write_text(text, "utf-8")
    fewer(
        folder / "pipeline" / "models.py", 'FLOORS = ("text_only", "ridge", "majority", "constant")'
    )
    fewer(folder / "dvc.yaml", '["${model.name}", text_only, ridge, majority, constant]')
    fewer(folder / "dvc.yaml", '["${model.name}", text_only, ridge, constant]')
    fewer(folder / "dvc.yaml", '["${model.name}", text_only, ridge]')
    return folder


def fewer(file: Path, listed: str) -> None:
    """Leave of the floors that a file lists those of the tiny project."""
    text = file.read_text("utf-8")
    assert listed in text, file
    left = re.sub(r'"?(text_only|majority)"?, ', "", listed)
    file.write_text(text.replace(listed, left), "utf-8")


def write_project(folder: Path) -> None:
    """Write a git and DVC repository with the tiny corpus, nothing of it run."""
    write_empty_project(folder)
    add_clips(folder, CLIPS)
    commit(folder)


@pytest.fixture
def empty_project(tmp_path: Path) -> Path:
    """A git and DVC repository with small params and no clips."""
    folder = write_empty_project(tmp_path / "project")
    commit(folder)
    return folder


@pytest.fixture(scope="session")
def project(shared: Path) -> Path:
    """The tiny project after `dvc repro`, made by the worker that comes first; read only."""
    folder, done = shared / "project", shared / "repro.done"
    with FileLock(shared / "project.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            write_project(folder)
            outcome = run_in(folder, "dvc", "repro")
            assert outcome.returncode == 0, outcome.stdout + outcome.stderr
            commit(folder)
            done.touch()
    return folder


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """A copy of the project as it is after `dvc repro`, to do anything with."""
    passing = shutil.ignore_patterns("__pycache__", "tmp")
    return shutil.copytree(project, tmp_path / "project", ignore=passing)


@pytest.fixture(scope="session")
def answers(project: Path, shared: Path) -> Answers:
    """`lnln predict --json` for a clip of every kind; one worker asks, all have the answer."""
    file = shared / "answers.json"
    with FileLock(shared / "answers.lock"):
        if not file.exists():
            clips = [f"data/sample/Raw/{clip}.mp4" for clip in KINDS.values()]
            done = run_in(project, "pipeline", "predict", "--json", *clips)
            file.write_text(json.dumps([done.returncode, done.stdout, done.stderr]), "utf-8")
    return subprocess.CompletedProcess([], *json.loads(file.read_text("utf-8")))
