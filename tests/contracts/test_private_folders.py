"""A folder whose files are run as code belongs to its user alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.private_folders import private_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache and the temporary folder, both empty; the cache is returned."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path / "cache" / "lnln"


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.lstat().st_mode)


def is_temporary(folder: Path) -> bool:
    return folder.parent.name == "tmp" and folder.name.startswith("lnln-code-")


def test_folder_is_in_the_users_cache_and_closed_to_others(cache: Path) -> None:
    assert private_folder("code") == cache / "code"
    assert mode(cache / "code") == 0o700


def test_folder_that_others_could_read_or_their_group_write_is_closed(cache: Path) -> None:
    (cache / "code").mkdir(parents=True)
    cache.chmod(0o775)
    (cache / "code").chmod(0o775)
    assert private_folder("code") == cache / "code"
    assert (mode(cache), mode(cache / "code")) == (0o755, 0o700)


@pytest.mark.parametrize("upper", [False, True], ids=["leaf", "upper"])
def test_folder_that_anybody_could_write_to_is_not_used(cache: Path, upper: bool) -> None:
    (cache / "code").mkdir(parents=True)
    (cache if upper else cache / "code").chmod(0o777)
    assert private_folder("code") != cache / "code"


@pytest.mark.parametrize("upper", [False, True], ids=["leaf", "upper"])
def test_link_is_not_followed(cache: Path, tmp_path: Path, upper: bool) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "code").mkdir(parents=True)
    cache.parent.mkdir()
    if upper:
        cache.symlink_to(theirs)
    else:
        cache.mkdir()
        (cache / "code").symlink_to(theirs / "code")
    second = private_folder("code")
    assert second == tmp_path / "tmp" / f"lnln-{os.getuid()}" / "code"
    (second / "of mine").touch()
    assert not any((theirs / "code").iterdir())


@pytest.mark.parametrize("upper", [False, True], ids=["leaf", "upper"])
def test_link_in_the_temporary_folder_is_not_followed(
    cache: Path, tmp_path: Path, upper: bool
) -> None:
    cache.parent.touch()  # no folder can be made there
    own = tmp_path / "tmp" / f"lnln-{os.getuid()}"
    (tmp_path / "theirs" / "code").mkdir(parents=True)
    if upper:
        own.symlink_to(tmp_path / "theirs")
    else:
        own.mkdir()
        (own / "code").symlink_to(tmp_path / "theirs" / "code")
    assert is_temporary(private_folder("code"))


def test_folder_of_somebody_else_is_not_used(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / "code").mkdir(parents=True)
    monkeypatch.setattr("os.getuid", lambda: os.geteuid() + 1)
    (tmp_path / "tmp" / f"lnln-{os.getuid()}").mkdir()
    assert is_temporary(private_folder("code"))


def test_last_resort_is_one_folder_and_ends_with_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / f"lnln-{os.getuid()}").touch()
    ask = "from contracts.private_folders import private_folder as p; print(p('a'), p('a'))"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = done.stdout.split()
    assert first == second and Path(first).parent == tmp_path
    assert not Path(first).exists()
