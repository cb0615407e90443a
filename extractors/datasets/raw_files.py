"""The files of a dataset's clips, in its folder Raw/."""

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from contracts.messages import message
from extractors.datasets.csv_records import visible
from extractors.datasets.labels import composed
from extractors.datasets.searching import (
    EXTENSIONS,
    count_others,
    is_hidden,
    is_video,
    skipped,
)


class RawFiles(NamedTuple):
    """What is in Raw/.

    Attributes
    ----------
    clips : dict of str to Path
        Files of clips by ``video_id/clip_id``, and of whole videos by ``video_id``. Where files
        differ only in their extension, it is the first in `EXTENSIONS`.
    duplicates : list of Path
        Those that are not.
    similar : dict of str to list of Path
        Files of all kinds, by what their names have in common with similar ones.
    warnings : list of str
        What was skipped.
    """

    clips: dict[str, Path]
    duplicates: list[Path]
    similar: dict[str, list[Path]]
    warnings: list[str]

    def why_missing(self, name: str) -> str:
        """Say that a clip has no file, and which one may be meant."""
        reasons = [_difference(name, path) for path in self.similar.get(_similar(name), ())]
        if reasons:
            return "; ".join([message("no video of this name"), *reasons])
        return message(f"no video of this name ({', '.join(EXTENSIONS)})")


def read_raw(raw: Path) -> RawFiles:
    """List the files in Raw/."""
    present = [path for pattern in ("*", "*/*") for path in sorted(raw.glob(pattern))]
    hidden = [path for path in present if is_hidden(path.relative_to(raw))]
    files = [path for path in present if not is_hidden(path.relative_to(raw))]
    clips: dict[str, Path] = {}
    duplicates = []
    videos = [path for path in files if is_video(path) and path.is_file()]
    for path in sorted(videos, key=lambda p: (EXTENSIONS.index(p.suffix.lower()), p)):
        if clips.setdefault(_name(path, raw), path) is not path:
            duplicates.append(path)
    similar = defaultdict(list)
    for path in files:
        if not path.is_dir():
            similar[_similar(_name(path, raw))].append(path)
    others = count_others(path for path in files if path.is_file())
    concealed = [
        path
        for path in hidden
        if path.is_dir() or (is_video(path) and not is_hidden(path.relative_to(raw).parent))
    ]
    return RawFiles(clips, duplicates, similar, skipped(raw.as_posix(), concealed, others))


def _name(path: Path, raw: Path) -> str:
    return composed(path.relative_to(raw).with_suffix("").as_posix())


def _similar(name: str) -> str:
    """A name without what is easily mistaken: case, leading zeros, the extension, spaces."""
    name = composed(name).casefold()
    if name.endswith(EXTENSIONS):
        name = name.rpartition(".")[0]
    parts = [
        re.sub("[0-9]+", lambda m: m[0].lstrip("0") or "0", visible(p)) for p in name.split("/")
    ]
    return "/".join(parts)


def _difference(name: str, path: Path) -> str:
    """Say how a file that may be meant differs from what label.csv asks for."""
    place = path.as_posix()
    if not path.exists():
        return message(f"{place} is a link that leads nowhere ({path.readlink()})")
    if not is_video(path):
        return message(f"{place} does not have the extension of a video")
    video, clip = composed(path.parent.name), composed(path.stem)
    if "/" not in name:
        wanted = message(f"video_id is {clip}")
    elif name.partition("/")[0] == video:
        wanted = message(f"clip_id is {clip}")
    else:
        wanted = message(f"video_id is {video}, and its clip_id {clip}")
    return message(f"there is {place}: its {wanted}")
