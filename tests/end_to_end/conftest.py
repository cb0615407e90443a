"""One tiny project, run once from raw clips to metrics; every test of whole runs looks at it."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"

# One clip of every kind that the sample corpus has, in every split enough to go on with.
CLIPS = (
    ("joe", "001"),
    ("joe", "002"),
    ("fiona", "009"),  # no audio track
    ("karl", "009"),  # no face
    ("adam", "006"),  # silence
    ("robert", "001"),
    ("ivy", "026"),  # no transcript in label.csv
    ("milo", "001"),
    ("vera", "009"),  # the face leaves the picture
    ("vera", "011"),
    ("fiona", "empty"),
    ("karl", "renamed"),
    ("milo", "truncated"),
    ("ivy", "nothing"),
    ("../../outside", "001"),
)
SMALL = {
    "ingest": {"max_quarantined": 0.5},
    "network": {"width": 16, "tokens": 2, "heads": 2, "head_width": 8, "hyper_head_width": 4},
    "train": {"epochs": 2, "batch_size": 4},
    "evaluate": {"rates": [0.0, 0.9], "bootstrap": 20},
}

Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give all of these tests to one worker, so that the project is run once."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("tiny_project"))


def run_in(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m <command>` in a project as a user would, with its caches inside it."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(folder / ".dvc" / "tmp" / "site"),
        "DVC_GLOBAL_CONFIG_DIR": str(folder / ".dvc" / "tmp" / "global"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / ".dvc" / "tmp" / "system"),
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


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
def fresh_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git and DVC repository with the tiny corpus, nothing of it run."""
    folder = tmp_path_factory.mktemp("project")
    for package in ("extractors", "lnln", "pipeline"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pyc*"))
    for name in ("dvc.yaml", "params.yaml", "datasets.yaml", ".dvcignore", ".gitignore"):
        shutil.copyfile(ROOT / name, folder / name)
    (folder / ".dvc").mkdir()
    shutil.copyfile(ROOT / ".dvc" / "config", folder / ".dvc" / "config")
    change(folder, SMALL)
    add_clips(folder, CLIPS)
    commit(folder)
    return folder


@pytest.fixture(scope="session")
def project(fresh_project: Path, run: Run) -> Path:
    """The same after `dvc repro`."""
    done = run(fresh_project, "dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    (fresh_project / "repro.log").write_text(done.stdout + done.stderr)
    return fresh_project
