"""What extractors made of single clips, kept by what it was made from.

An entry's name is its key: the sha256 of the clip's bytes (of its words, for text) and of the
extractor's fingerprint. So a renamed clip is found again, a changed one is not, and no entry can
ever be out of date. An entry is one row of the modality's table, in Arrow's IPC format, after a
checksum.
"""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import fsspec
import pyarrow as pa
from filelock import FileLock, Timeout

from contracts.files import delete_abandoned, replacing
from extractors.errors import SetupError
from extractors.workers.entries import is_row, pack, unpack

VARIABLE = "LNLN_CACHE"

_AT_ONCE = 256  # entries fetched together: object storage answers many requests in parallel
_LOCK_S = 5.0  # longer than most clips take; afterwards both do the work
_DAY_S = 24 * 3600.0
_ENTRY = re.compile(r".*/[0-9a-f]{2}/[0-9a-f]{64}\.arrow", re.DOTALL)
_NOTE = "use.json"


class Use(NamedTuple):
    """One group of entries, made by one extractor in one version, and how it was used."""

    group: str  # kind and fingerprint
    entries: int
    size: int  # bytes
    last: float  # time of the last run that used it, s since 1970
    asked: int  # clips that runs asked for, in all
    hits: int  # clips of those that were there


def key_of(*parts: Any) -> str:
    """Name of an entry: the sha256 of what it is made from, JSON values."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def located(url: str) -> tuple[Any, str]:
    """File system of a path or URL, and the path in it.

    Raises
    ------
    SetupError
        The URL's protocol is unknown, or its package is not installed.
    """
    try:
        return fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise SetupError(
            f"{url} cannot be reached: {error} (s3:// needs: pip install 'lnln[s3]')"
        ) from error


class Cache:
    """Entries in a folder or under an fsspec URL; cheap to copy into worker processes.

    Several processes and machines may use it at once: an entry appears whole or not at all.

    Parameters
    ----------
    url : str
        Folder, or URL such as ``s3://bucket/prefix``.

    Raises
    ------
    SetupError
        The URL's protocol is unknown, or its package is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, root = located(url)
        self._root = root.rstrip("/")
        self._local = "file" in (
            (protocol,) if isinstance(protocol := self._files.protocol, str) else protocol
        )
        # Each kind of storage has errors of its own.
        self._faults: type[Exception] = OSError if self._local else Exception

    def __reduce__(self) -> tuple[type["Cache"], tuple[str]]:
        return Cache, (self.url,)

    def present(self, group: str, keys: Iterable[str]) -> set[str]:
        """Those of the keys that have an entry."""
        if self._local:
            return {key for key in keys if Path(self._entry(group, key)).exists()}
        listed = {Path(path).stem for path in self._listed(group)}
        return listed.intersection(keys)

    def read(
        self, group: str, keys: Sequence[str], schema: pa.Schema | None = None
    ) -> Iterator[pa.Table | None]:
        """Entries in the order of their keys; None for one that is gone or damaged.

        As many are in memory as are fetched at once. A damaged one is removed; so is one that is
        not a single row of `schema`, where that is given.
        """
        for first in range(0, len(keys), _AT_ONCE):
            paths = [self._entry(group, key) for key in keys[first : first + _AT_ONCE]]
            for path, content in zip(paths, self._fetched(paths), strict=True):
                table = unpack(content) if content is not None else None
                if table is not None and schema is not None and not is_row(table, schema):
                    table = None
                if table is None and content is not None:
                    with suppress(FileNotFoundError):
                        self._files.rm_file(path)
                yield table

    def _fetched(self, paths: list[str]) -> list[bytes | None]:
        if self._local:
            return [_content(Path(path)) for path in paths]
        fetched = self._files.cat(paths, on_error="return")
        contents: list[bytes | None] = []
        for path in paths:
            content = fetched.get(path, FileNotFoundError(path))
            if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                raise SetupError(f"cache entry {path} cannot be read: {content}") from content
            contents.append(None if isinstance(content, Exception) else content)
        return contents

    def write(self, group: str, key: str, table: pa.Table) -> None:
        """Keep one entry.

        Raises
        ------
        SetupError
            The place is full, read-only or out of reach: no clip can be done until that is mended.
        """
        self._put(self._entry(group, key), *pack(table))

    @contextmanager
    def writing(self, group: str, key: str) -> Iterator[bool]:
        """Hold an entry against a second writer; yields whether it has still to be made.

        Whoever waits too long does the work as well, and on object storage nothing is locked:
        two writers write the same bytes.
        """
        if not self._local:
            yield not self._files.exists(self._entry(group, key))
            return
        file = Path(self._entry(group, key))
        lock = file.with_suffix(".lock")
        held = FileLock(lock)
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            held.acquire(timeout=_LOCK_S)
        except Timeout:
            yield True
            return
        except OSError as error:
            raise self._unusable(error) from error
        try:
            yield not file.exists()
        finally:
            # Who waits for the file that is gone now wakes up holding nothing, and looks again
            # whether the entry is there: at worst a clip is done twice.
            lock.unlink(missing_ok=True)
            held.release()

    def read_note(self, group: str, name: str) -> bytes | None:
        """A file about a group, None where there is none."""
        try:
            return bytes(self._files.cat_file(f"{self._root}/{group}/{name}"))
        except FileNotFoundError:
            return None
        except self._faults as error:
            raise self._unusable(error) from error

    def write_note(self, group: str, name: str, content: bytes) -> None:
        """Keep a file about a group."""
        self._put(f"{self._root}/{group}/{name}", content)

    def count(self, group: str, asked: int, hits: int) -> None:
        """Note that a run asked for entries, and how many were there."""
        before = self._use(group)
        use = {"last": time.time(), "asked": before["asked"] + asked, "hits": before["hits"] + hits}
        self.write_note(group, _NOTE, json.dumps(use).encode())

    def _use(self, group: str) -> dict[str, Any]:
        unknown = {"last": 0.0, "asked": 0, "hits": 0}
        with suppress(
            ValueError, TypeError, KeyError
        ):  # damaged: it only tells how often a group was used
            noted = json.loads(self.read_note(group, _NOTE) or b"{}")
            return {name: type(value)(noted[name]) for name, value in unknown.items()}
        return unknown

    def uses(self) -> list[Use]:
        """All groups, sorted by name."""
        uses = []
        for group in self.groups():
            files = self._listed(group)
            # Whatever else lies in this place is not the cache's, to show or to delete.
            if files or self.read_note(group, _NOTE) is not None:
                size = sum(info["size"] for info in files.values())
                uses.append(Use(group, len(files), size, **self._use(group)))
        return uses

    def groups(self) -> list[str]:
        """Names of all groups, sorted."""
        try:
            if not self._files.exists(self._root):
                return []
            inside = self._files.ls(self._root, detail=True)
        except self._faults as error:
            raise self._unusable(error) from error
        folders = [info["name"] for info in inside if info["type"] == "directory"]
        return sorted(folder.rstrip("/").rsplit("/", 1)[-1] for folder in folders)

    def prune(self, days: float) -> list[Use]:
        """Delete the groups that no run has used for so many days, and return them."""
        old = [use for use in self.uses() if use.last <= time.time() - days * _DAY_S]
        for use in old:
            if self._local:
                shutil.rmtree(f"{self._root}/{use.group}")
            else:
                self._files.rm(f"{self._root}/{use.group}", recursive=True)
        return old

    def keys(self, group: str) -> list[str]:
        """Keys of all entries of a group, sorted."""
        return sorted(Path(path).stem for path in self._listed(group))

    def remove(self, group: str, keys: Iterable[str]) -> int:
        """Delete those of some entries that are there, and return how many there were."""
        keys = list(keys)
        if self._local:
            for key in keys:  # half an entry of a process that was killed is one, too
                delete_abandoned(Path(self._entry(group, key)))
        present = self.present(group, keys)
        for key in present:
            self._files.rm_file(self._entry(group, key))
        return len(present)

    def _entry(self, group: str, key: str) -> str:
        return f"{self._root}/{group}/{key[:2]}/{key}.arrow"

    def _listed(self, group: str) -> dict[str, Any]:
        folder = f"{self._root}/{group}"
        self._files.invalidate_cache(folder)
        try:
            files = self._files.find(folder, detail=True)
        except FileNotFoundError:
            return {}
        except self._faults as error:
            raise self._unusable(error) from error
        return {path: info for path, info in files.items() if _ENTRY.fullmatch(path)}

    def _put(self, path: str, *parts: bytes | pa.Buffer) -> None:
        try:
            if not self._local:
                self._files.pipe_file(path, b"".join(parts))  # one request: whole or not at all
                return
            with replacing(Path(path)) as temporary, temporary.open("wb") as file:
                file.writelines(parts)
        except self._faults as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> SetupError:
        return SetupError(
            f"nothing can be kept in {self.url}: {type(error).__name__}: {error}; mend that, or "
            f"choose another place by run.cache in params.yaml or ${VARIABLE}"
        )


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # never there, or just pruned
        return None
