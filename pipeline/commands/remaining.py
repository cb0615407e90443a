"""Where traces of a person may remain that `lnln forget` does not delete, and what deletes them."""

import configparser
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.paths import METRICS, OUTPUTS, PLOTS, REPORT, TRAINED

_CACHE = Path(".dvc/cache")


class Remains(NamedTuple):
    """A place, what it holds, and the command that deletes it."""

    what: str
    command: str


def remaining(root: Path, originals: list[Path], shared: list[Path]) -> Iterator[Remains]:
    """List what is there, in the order in which it should be deleted.

    Parameters
    ----------
    root : Path
        Folder of the dataset.
    originals : list of Path
        Videos to which links led.
    shared : list of Path
        Whole videos that show other clips as well.
    """
    if originals:
        yield Remains("the videos themselves, to which links led", _rm("rm --", originals))
    if shared:
        yield Remains(
            "whole videos of which other clips are segments: cut the person out of them",
            f"ls -l {_quoted(shared)}",
        )
    models = [path for path in (TRAINED, *sorted(Path("models").glob("*"))) if path.is_dir()]
    states = [path for path in (_states(),) if path.is_dir()]
    if models or states:
        yield Remains(
            "trained models, which may remember what they were trained on, and what they "
            "predicted; and states of interrupted trainings",
            _rm("rm -r --", [*dict.fromkeys(models), *states, OUTPUTS / "predictions"]),
        )
    pages = [path for path in (REPORT, Path("dvc_plots")) if path.exists()]
    if pages:
        yield Remains("reports, with frames of clips", _rm("rm -r --", pages))
    yield Remains(
        f"scores and curves in {METRICS} and {PLOTS} (with labels and predictions of the test "
        "split, without names): everything is made anew without the clips",
        "dvc repro",
    )
    for path in sorted(root.parent.glob(f"{root.name}.dvc")) + sorted(root.glob("*.dvc")):
        yield Remains(
            "what DVC was told of the dataset", f"dvc add {_quoted([path.with_suffix('')])}"
        )
    yield from _dvc()
    yield from _git(root)
    yield Remains(
        "copies made by lnln predict --out, extract, degrade or export-mmsa, pickles that were "
        "imported, and whatever was sent to others: nobody but you knows where",
        f"grep -rlaF NAME {_quoted([Path()])}",
    )


def _states() -> Path:
    """Folder of the states of interrupted trainings."""
    from pipeline.checking import ParamsError
    from pipeline.params import load_params

    try:
        return Path(load_params().run.resume)
    except (OSError, ParamsError):  # no project, or one that is being mended
        return Path(".cache/training")


def _dvc() -> Iterator[Remains]:
    """Experiments, old outputs, and those in remotes."""
    if _answer("git", "for-each-ref", "refs/exps"):
        yield Remains("experiments", "dvc exp remove --all-commits && dvc queue remove --all")
    if Path(".dvc/tmp/exps").is_dir():
        yield Remains("checkouts of experiments", "rm -r .dvc/tmp/exps")
    if _CACHE.is_dir():
        yield Remains(
            "old outputs in DVC's cache (after dvc repro: before it they are still in use)",
            "dvc gc --workspace --force",
        )
    for name in _remotes():
        yield Remains(
            f"old outputs in the remote {name} (after dvc repro)",
            f"dvc gc --workspace --force --cloud --remote {shlex.quote(name)} && "
            f"dvc push --remote {shlex.quote(name)}",
        )


def _remotes() -> list[str]:
    config = configparser.ConfigParser(interpolation=None)
    config.read([".dvc/config", ".dvc/config.local"], "utf-8")
    quoted = [name.strip("'") for name in config.sections()]
    return [name.split('"')[1] for name in quoted if name.startswith('remote "')]


def _git(root: Path) -> Iterator[Remains]:
    """Old versions of files in git's history."""
    known = [
        path
        for path in (root, PLOTS / "predictions.csv")
        if _answer("git", "log", "-1", "--format=%h", "--all", "--", path.as_posix())
    ]
    if known:
        paths = " ".join(f"--path {_quoted([path])}" for path in known)
        yield Remains(
            "git's history, and every clone of it (git filter-repo: pip install git-filter-repo)",
            f"git log --oneline --all -- {_quoted(known)}; git filter-repo --invert-paths {paths}",
        )


def _answer(*command: str) -> str:
    """What a command prints; nothing where it cannot run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _rm(command: str, paths: list[Path]) -> str:
    return f"{command} {_quoted(paths)}"


def _quoted(paths: list[Path]) -> str:
    return shlex.join(path.as_posix() for path in paths)
