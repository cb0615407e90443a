"""Names in Raw/ for videos that lie in any folders."""

import filecmp
import hashlib
import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from extractors.datasets.labels import composed
from extractors.datasets.searching import EXTENSIONS, is_hidden, is_video

NAME_BYTES = 200  # longest name of a folder in Raw/; file systems take 255


def raw_files(raw: Path, listed: set[str]) -> dict[str, Path]:
    """Videos in Raw/ by ``video_id/clip_id`` or ``video_id``, those in `listed` last.

    Names are as `extractors.datasets.listing` has them. Whole videos count only if label.csv lists
    segments of them. Broken links count, too: their clips are listed.
    """
    files = [f for f in (*raw.glob("*"), *raw.glob("*/*")) if is_video(f)]
    videos: dict[str, Path] = {}
    for file in sorted(files, key=lambda f: (EXTENSIONS.index(f.suffix.lower()), f)):
        if not is_hidden(file.relative_to(raw)) and (file.is_file() or file.is_symlink()):
            name = composed(file.relative_to(raw).with_suffix("").as_posix())
            if "/" in name or name in listed:
                videos.setdefault(name, file)
    return dict(sorted(videos.items(), key=lambda item: item[0] in listed))


def free_names(files: list[Path], folder: Path, present: Mapping[str, Path]) -> dict[str, Path]:
    """Files by their name in Raw/: that of a link to them, else one made of their folders."""
    taken = dict(present)
    linked = {os.path.realpath(file): name for name, file in present.items() if file.exists()}
    named: dict[str, Path] = {}
    for file in files:
        real = os.path.realpath(file)
        if real not in linked:
            linked[real] = _free_name(file, file.relative_to(folder), taken)
        taken.setdefault(linked[real], file)
        named.setdefault(linked[real], file)
    return named


def _free_name(file: Path, inside: Path, taken: Mapping[str, Path]) -> str:
    """A ``video_id/clip_id`` made of a file's folders and name that no other video has."""
    stem = plain(file.stem)
    digest = hashlib.sha256(os.fsencode(inside.as_posix())).hexdigest()[:6]
    folders = plain("__".join(inside.parts[:-1])) if len(inside.parts) > 1 else stem
    if len(os.fsencode(folders)) > NAME_BYTES:
        folders = f"{os.fsencode(folders)[:NAME_BYTES].decode('utf-8', 'ignore')}_{digest}"
    base = f"{folders}/{stem}"
    # The name can be taken: by another extension, a similar folder, or another collection.
    names = (base if not n else f"{base}_{digest}{'' if n == 1 else n}" for n in count())
    return next(n for n in names if n not in taken or _is_same(taken[n], file))


def _is_same(present: Path, file: Path) -> bool:
    """Whether a clip in Raw/ is this file; of a broken link, only the extension is compared."""
    if present.exists():
        return same_video(present, file)
    return present.suffix.lower() == file.suffix.lower()


def plain(name: str) -> str:
    """A name that label.csv can hold and that cannot lead to another folder."""
    name = composed(os.fsencode(name).decode("utf-8", "replace")).replace("\\", "_").strip()
    return "_" if name in ("", ".", "..") else name


def same_video(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, or to files of the same bytes."""
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)
