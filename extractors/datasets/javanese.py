"""Make a raw dataset of the Javanese emotion videos, whose file names say all that is known.

Ten actors say four sentences in six emotions. The names of the files are
``<actor>-<sentence>-<emotion>_<repetition>.mp4``, as the dataset's README describes them.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from contracts.files import replacing
from extractors.datasets.csv_table import as_csv
from extractors.datasets.folder_names import same_video
from extractors.datasets.from_folder import refuse_features
from extractors.datasets.labels import COLUMNS, refuse_other
from extractors.datasets.new_lines import split_by_group
from extractors.datasets.searching import search
from extractors.errors import SetupError

EMOTIONS = {  # by their number in the names of files
    "01": "neutral",
    "02": "sad",
    "03": "happy",
    "04": "surprised",
    "05": "fearful",
    "06": "angry",
}
VALENCES = {"neutral": 0, "sad": -2, "happy": 2, "surprised": 2, "fearful": -2, "angry": -2}
_NAME = re.compile(r"(?P<speaker>\d\d)-(?P<sentence>\d\d)-(?P<emotion>0[1-6])[_-]\d\d", re.ASCII)


class Prepared(NamedTuple):
    """What `prepare` wrote.

    Attributes
    ----------
    clips : int
    speakers : int
    others : list of Path
        Videos that are named otherwise and were left out.
    unnamed : list of str
        Speakers that the splits asked for do not name.
    """

    clips: int
    speakers: int
    others: list[Path]
    unnamed: list[str]


def prepare(source: Path, root: Path, *, splits: Mapping[str, str]) -> Prepared:
    """Write ``label.csv`` and links to the clips.

    The label is the valence of the emotion that was acted: 2 for happy and surprised, 0 for
    neutral, -2 for sad, fearful and angry. Nobody rated the clips. The words are not published,
    and the same in every emotion: the text only says which sentence it is.

    Parameters
    ----------
    source : Path
        Searched with its subfolders for videos.
    root : Path
        Of the dataset.
    splits : mapping of speaker to train, valid or test
        A speaker who is not among them gets a split by the name.

    Returns
    -------
    Prepared

    Raises
    ------
    SetupError
        No video is named as the published ones are, two have the same name, or `root` already holds
        features, or another video or ``label.csv`` than would be written.
    """
    refuse_features(root)
    clips, others = _clips(source)
    groups = Counter(stem[:2] for stem in clips)
    split_of = split_by_group(groups, {s: splits[s] for s in groups if s in splits})
    content = as_csv([(*COLUMNS, "speaker", "emotion"), *_rows(clips, split_of)])
    refuse_other(root / "label.csv", content)
    links = {root / "Raw" / stem[:2] / file.name: file for stem, file in clips.items()}
    for link, file in links.items():
        if link.exists() and not same_video(link, file):
            raise SetupError(
                f"{link} is another video than {file}: move away the one that is not wanted"
            )
    for link, file in links.items():
        if not link.exists():
            link.unlink(missing_ok=True)  # a broken one
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.abspath(file))  # noqa: PTH100 - links stay
    with replacing(root / "label.csv") as temporary:
        temporary.write_bytes(content)
    return Prepared(len(clips), len(groups), others, sorted(groups.keys() - splits.keys()))


def _clips(source: Path) -> tuple[dict[str, Path], list[Path]]:
    """Videos by the names that were published, in their order, and those of other names."""
    clips: dict[str, Path] = {}
    others = []
    files = filter(Path.is_file, search(source).videos)  # no broken links
    for file in sorted(files, key=lambda f: (f.stem, f)):
        if not _NAME.fullmatch(file.stem):
            others.append(file)
        elif not same_video(clips.setdefault(file.stem, file), file):
            raise SetupError(
                f"{clips[file.stem]} and {file} have one name and are not the same video: name the "
                "folder of one of them"
            )
    if not clips:
        raise SetupError(
            f"{source}: of {len(others)} videos none is named <actor>-<sentence>-<emotion>_"
            "<repetition>, such as 01-01-03_01.mp4; is it the folder that was published?"
        )
    return clips, others


def _rows(clips: Iterable[str], split_of: Mapping[str, str]) -> Iterable[tuple[object, ...]]:
    for stem in clips:
        match = _NAME.fullmatch(stem)
        assert match
        speaker, emotion = match["speaker"], EMOTIONS[match["emotion"]]
        text = f"sentence {int(match['sentence'])}"
        yield speaker, stem, text, VALENCES[emotion], split_of[speaker], speaker, emotion
