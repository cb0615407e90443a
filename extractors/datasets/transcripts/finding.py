"""Which transcript is of which video, by their names."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from extractors.datasets.labels import composed
from extractors.datasets.searching import is_hidden
from extractors.datasets.transcripts.reading import EXTENSIONS, read_table
from extractors.errors import TranscriptError
from extractors.media.clip import is_url

BESIDE = "beside"


class Found(NamedTuple):
    """A transcript: whose it is, by name, and where it stands, as people are told.

    `text` is that of a line of a table; None: it is in the file that `place` names.
    """

    name: PurePosixPath
    place: str
    text: str | None = None


def find_transcripts(where: str | Path, videos: Sequence[str]) -> list[Found]:
    """List the transcripts that there are, of whichever video.

    Parameters
    ----------
    where : str or Path
        See `extractors.datasets.transcripts.giving.with_transcripts`.
    videos : sequence of str
        Paths or URLs.

    Raises
    ------
    TranscriptError
        There is no such file or folder, it is of another kind, or the table cannot be read.
    """
    path = Path(where)
    if where == BESIDE:
        return list(_beside(videos))
    if path.is_dir():
        shown = [file for file in path.rglob("*") if not is_hidden(file.relative_to(path))]
        return list(_files(sorted(shown), path))
    if not path.exists():
        raise TranscriptError(
            f"{path}: no such file or folder; transcripts are a table (.csv), a folder, a file "
            f"({', '.join(EXTENSIONS)}), or {BESIDE!r}: beside the videos"
        )
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return [Found(PurePosixPath(name), place, text) for name, text, place in read_table(path)]
    if suffix not in EXTENSIONS:
        raise TranscriptError(
            f"{path} is no transcript that can be read: it is neither a table (.csv) nor a file "
            f"of {', '.join(EXTENSIONS)}"
        )
    if len(videos) != 1:
        raise TranscriptError(
            f"{path} is the transcript of one video, and there are {len(videos)}: give a table "
            f"(.csv), a folder, or {BESIDE!r}"
        )
    return [Found(_absolute(videos[0]), str(path))]


def fitting(
    transcripts: Iterable[Found], videos: Sequence[str], language: str
) -> list[list[Found]]:
    """Find the transcripts that have the name of each video; there should be one at most.

    Parameters
    ----------
    transcripts : iterable of Found
    videos : sequence of str
        Paths or URLs.
    language : str
        ISO 639 code; the name of a transcript may end in it (``talk.en.vtt``).
    """
    by_name: dict[str, list[tuple[tuple[str, ...], Found]]] = defaultdict(list)
    for transcript in transcripts:
        *folders, last = PurePosixPath(composed(str(transcript.name))).parts or ("",)
        for name in {last, last.removesuffix(f".{language}")}:
            by_name[name].append((tuple(folders), transcript))
    fits: list[list[Found]] = []
    for video in videos:
        whole = _absolute(video)
        parents = whole.parts[:-1]
        named = [pair for name in {whole.name, whole.stem} for pair in by_name.get(name, ())]
        its = {t for folders, t in named if parents[len(parents) - len(folders) :] == folders}
        fits.append(sorted(its, key=lambda found: found.place))
    return fits


def _absolute(video: str) -> PurePosixPath:
    """The path of a video, of a URL what follows its protocol."""
    if is_url(video):
        return PurePosixPath(composed(video.partition("://")[2]))
    return PurePosixPath(composed(Path(os.path.abspath(video)).as_posix()))  # noqa: PTH100


def _beside(videos: Sequence[str]) -> Iterator[Found]:
    for video in filter(is_url, videos):
        raise TranscriptError(
            f"{video}: {BESIDE!r} is for videos on this machine; give a folder or a table"
        )
    for folder in sorted({Path(video).parent for video in videos}):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        shown = [file for file in files if not is_hidden(PurePosixPath(file.name))]
        for found in _files(shown, folder):
            yield found._replace(name=_absolute(str(folder)) / found.name)


def _files(paths: Iterable[Path], folder: Path) -> Iterator[Found]:
    for path in paths:
        if path.suffix.lower() in EXTENSIONS and path.is_file():
            name = path.relative_to(folder).with_suffix("").as_posix()
            yield Found(PurePosixPath(name), str(path))
