"""Damage a clip, a folder of clips, or a dataset: `degrade`."""

import json
import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from contracts.files import replacing
from contracts.quarantine import Rejected, write_quarantine
from extractors.assets.libraries import require_libraries
from extractors.assets.resolving import resolve
from extractors.damage.one_file import Damager, File, Realised
from extractors.damage.registry import DAMAGES
from extractors.damage.sources import Source, damaged_labels, read_source
from extractors.errors import SetupError
from extractors.fingerprint import code_hash
from extractors.settings import VisionSettings
from extractors.workers.serving import Task
from extractors.workers.session import Session
from extractors.workers.work import absolute

RECORD = "damage.json"
STAGE = "degrade"
_JOURNAL = "journal.jsonl"  # what is done already, in a folder that is not finished
_PACKAGES = ("av", "mediapipe", "numpy", "opencv-python", "scipy")


class Degraded(NamedTuple):
    """What `degrade` did.

    Attributes
    ----------
    clips : dict
        What was realised, by clip and damage; None where there was nothing to damage.
    unchanged : int
        Files that are links to the source, because of their split or because there was nothing
        to damage in them.
    quarantine : list of Rejected
    warnings : list of str
    """

    clips: dict[str, Realised]
    unchanged: int
    quarantine: list[Rejected]
    warnings: list[str]


def degrade(
    source: str | Path,
    out: str | Path,
    damages: Mapping[str, float],
    session: Session,
    *,
    seed: int = 0,
    split: str | None = None,
    replace: bool = False,
) -> Degraded:
    """Write damaged copies of clips into a new folder.

    What is drawn depends on the seed, the damage and the clip only. A dataset becomes a dataset:
    its ``label.csv`` is copied, with errors in the texts where those are asked for. Files in which
    nothing is damaged are links to the source. ``damage.json`` says what was done, and
    ``quarantine.csv`` what could not be read, which is left out.

    The folder appears when all is done. Until then, and after an interruption, it lies beside its
    place as ``<out>.partial``; the same call goes on from there.

    Parameters
    ----------
    source : path
        A clip, a folder of clips, or a dataset.
    out : path
        Folder to write. It must not exist, or be empty.
    damages : mapping of name to severity
        See `extractors.damage.registry`. They are applied in this order.
    session : Session
    seed : int
    split : {"train", "valid", "test"}, optional
        Of a dataset, the split to damage; the others stay as they are.
    replace : bool
        Replace a folder that an earlier call wrote, but no other.

    Returns
    -------
    Degraded

    Raises
    ------
    SetupError
        The source has no clips, the folder is in the way of something, there are no words to
        damage, a severity is out of its range, or the face model is missing.
    DatasetError
        ``label.csv`` cannot be read.
    """
    source, out = Path(source), Path(out)
    _refuse_target(source, out, replace)
    for name, severity in damages.items():
        if not DAMAGES[name].least <= severity <= DAMAGES[name].most:
            raise SetupError(f"{name}={severity:g} is out of its range")
    if "covered_face" in damages:
        require_libraries()
        resolve(VisionSettings().model, offline=session.run.offline)
    listed = read_source(source, split, session)
    words = damages.get("word_errors")
    if words is not None and listed.labels is None:
        raise SetupError(f"{source} has no label.csv: there are no words for word_errors to damage")
    request = {
        "source": source.as_posix(),
        "damages": dict(damages),
        "seed": seed,
        "split": split,
        "code": code_hash(_PACKAGES, ["extractors/damage"]),
    }
    partial_out = out.with_name(f"{out.name}.partial")
    done = _begun(partial_out, request)
    realised, failed = _damage_files(listed, partial_out, done, damages, seed, session)
    unchanged = _link_others(listed, partial_out, failed)
    clips: dict[str, Realised] = {
        stretch.clip_id: dict(realised[inside])
        for inside in realised
        for stretch in listed.files[inside].stretches
    }
    if listed.labels is not None:
        content = listed.labels.read_bytes()
        if words is not None:
            content, by_clip = damaged_labels(listed.labels, words, seed, split)
            for clip_id in clips.keys() & by_clip.keys():
                clips[clip_id]["word_errors"] = by_clip[clip_id]
        with replacing(partial_out / "label.csv") as temporary:
            temporary.write_bytes(content)
    quarantine = sorted(listed.quarantine + failed)
    write_quarantine(quarantine, partial_out / "quarantine.csv")
    record = _rounded(request | {"clips": {name: clips[name] for name in sorted(clips)}})
    with replacing(partial_out / RECORD) as temporary:
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", "utf-8")
    _publish(partial_out, out)
    return Degraded(record["clips"], unchanged, quarantine, listed.warnings)


def _refuse_target(source: Path, out: Path, replace: bool) -> None:
    """Check that nothing of value is in the place of the folder to write."""
    here, there = source.resolve(), out.resolve()
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise SetupError(f"{out} and {source} lie one in the other: name another folder")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / RECORD).is_file():
        raise SetupError(
            f"{out} is there already, not empty, and not the work of an earlier call (it has no "
            f"{RECORD}): name another folder"
        )
    if not replace:
        raise SetupError(f"{out} is there already: --force replaces it")


def _begun(folder: Path, request: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What an interrupted call left that asked for the same; anything else of it is deleted."""
    journal = folder / _JOURNAL
    if folder.exists() and not journal.is_file():
        raise SetupError(f"{folder} is in the way: delete it")
    entries = []
    if journal.is_file():
        for line in journal.read_text("utf-8").splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:  # cut off when the call was interrupted
                break
    if entries and entries[0] == request:
        return {entry["file"]: entry for entry in entries[1:]}
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    journal.write_text(json.dumps(request) + "\n", "utf-8")
    return {}


def _damage_files(
    listed: Source,
    folder: Path,
    done: Mapping[str, Mapping[str, Any]],
    damages: Mapping[str, float],
    seed: int,
    session: Session,
) -> tuple[dict[str, Realised], list[Rejected]]:
    """What was realised by file, and those that failed; files of an earlier call are not redone."""
    on_media = {name: s for name, s in damages.items() if DAMAGES[name].stream != "words"}
    names = sorted(listed.damaged)
    if not on_media:
        return {name: {} for name in names}, []
    realised = {
        name: done[name]["realised"]
        for name in names
        if name in done and done[name]["sha256"] == listed.sha256[name]
    }
    todo = [name for name in names if name not in realised]
    tasks = [_task(listed.files[name], folder) for name in todo]
    run = session.place(len(tasks), 0).start(partial(Damager, on_media, seed), tasks)
    failed = []
    with (folder / _JOURNAL).open("a", encoding="utf-8") as journal:
        for name, outcome in zip(todo, run.outcomes("damaging"), strict=True):
            file = listed.files[name]
            if outcome.reason is None:
                realised[name] = outcome.value
                entry = {"file": name, "sha256": listed.sha256[name], "realised": outcome.value}
                journal.write(json.dumps(entry) + "\n")
                journal.flush()
            else:
                failed += [
                    Rejected(stretch.clip_id, file.path, STAGE, outcome.reason)
                    for stretch in file.stretches
                ]
    return realised, failed


def _task(file: File, folder: Path) -> Task:
    target = str((folder / file.target).absolute())
    duration_s = max(stretch.end_s for stretch in file.stretches)
    return Task((file._replace(path=absolute(file.path), target=target),), duration_s)


def _link_others(listed: Source, folder: Path, failed: list[Rejected]) -> int:
    """Link the files that nothing was written for to the source; how many there are."""
    lost = {rejected.path for rejected in failed}
    count = 0
    for inside, file in listed.files.items():
        if file.path in lost or (folder / file.target).is_file():
            count += (folder / file.target).is_symlink()
            continue
        link = folder / f"{inside}{Path(file.path).suffix}"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(absolute(file.path))
        count += 1
    return count


def _publish(folder: Path, out: Path) -> None:
    """Put a finished folder into its place, and delete what was there."""
    (folder / _JOURNAL).unlink()
    before = None
    if out.exists():
        before = out.with_name(f"{out.name}.replaced-{os.getpid()}")
        out.rename(before)
    folder.rename(out)
    if before is not None:
        shutil.rmtree(before)


def _rounded(value: Any) -> Any:
    """Numbers with as many digits as mean anything."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
