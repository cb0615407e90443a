"""The sentences of Hutto and Gilbert (ICWSM 2014), in the source archive of vaderSentiment.

C. J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text", ICWSM 2014: 23,703 tweets and sentences of film reviews, product reviews and
editorials. Each is rated by about 20 people from -4 (extremely negative) to 4 (extremely positive).
The package's licence is MIT.
"""

import gzip
import html
import io
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from contracts.messages import message
from contracts.schemas import SENTENCES
from extractors.errors import SetupError

INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
LARGEST = 64 * 2**20  # bytes of any member, unpacked; all of them together have 7 million
# The kinds of sentences, and how the names of their two files begin.
SOURCES = {
    "tweets": "tweets",
    "film_reviews": "movieReviewSnippets",
    "product_reviews": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
}
SAME_MEAN = 0.01  # two files that round a mean differ by less


class Read(NamedTuple):
    """Table as `contracts.schemas.SENTENCES`, and what else to know."""

    table: pa.Table
    warnings: list[str]


def read_hutto(path: str | Path) -> Read:
    """Read the sentences from the archive, in memory: nothing is unpacked to disk.

    Parameters
    ----------
    path : path
        Of vaderSentiment-0.5.zip.

    Returns
    -------
    Read
        In the order of the files. Every sentence is of the split ``train``: the files have none.
        HTML entities in the texts are the characters they stand for. The deviation is null where
        the file of deviations has another mean than that of the sentences: it is of another one.

    Raises
    ------
    SetupError
        The file is no such archive; the message says where it differs.
    """
    path = Path(path)
    files = _files(path)
    rows, unknown = [], 0
    for source, name in SOURCES.items():
        rated = _lines(files, f"{name}_GroundTruth.txt", ("id", "mean rating", "text"), path)
        spread = _lines(
            files, f"{name}_anonDataRatings.txt", ("id", "mean", "deviation", "ratings"), path
        )
        deviations = {number: (_float(m), _float(d)) for number, m, d, _ in spread}
        for number, rating, text in rated:
            label, (mean, deviation) = _float(rating), deviations.get(number, (None, None))
            words = " ".join(html.unescape(text).split())
            if label is None or not words:
                raise SetupError(
                    f"{path}: sentence {number} of {name}_GroundTruth.txt has the rating "
                    f"{rating!r} and the text {text!r}; give the archive of vaderSentiment 0.5"
                )
            if mean is None or abs(mean - label) > SAME_MEAN:
                deviation = None
            unknown += deviation is None
            rows.append(
                {
                    "sentence_id": f"{source}/{number}",
                    "source": source,
                    "text": words,
                    "label": label,
                    "deviation": deviation,
                    "split": "train",
                }
            )
    warnings = []
    if unknown:
        warnings.append(
            message(
                f"{unknown} of {len(rows)} sentences have no deviation: that in the archive is of "
                "another mean rating"
            )
        )
    return Read(pa.Table.from_pylist(rows, schema=SENTENCES), warnings)


def _files(path: Path) -> dict[str, bytes]:
    """Text files of the archive inside the archive, by name; no folder counts."""
    try:
        with zipfile.ZipFile(path) as outer:
            inner = [info for info in outer.infolist() if info.filename.endswith(f"/{INNER}")]
            if len(inner) != 1:
                raise SetupError(f"{path} holds no {INNER}: give the archive of vaderSentiment 0.5")
            _refuse_larger(inner[0].file_size, path)
            packed = outer.read(inner[0])
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacking:
            content = unpacking.read(LARGEST + 1)
        _refuse_larger(len(content), path)
        files = {}
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tape:
            for member in tape:
                if member.isfile() and member.name.endswith(".txt"):
                    file = tape.extractfile(member)
                    assert file is not None
                    files[member.name.rpartition("/")[2]] = file.read()
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise SetupError(
            f"{path} is damaged, or no such archive ({error}): give that of vaderSentiment 0.5"
        ) from error
    return files


def _refuse_larger(size: int, path: Path) -> None:
    if size > LARGEST:
        raise SetupError(
            f"{path} unpacks to more than {LARGEST} bytes: it is not the archive of "
            "vaderSentiment 0.5"
        )


def _lines(
    files: dict[str, bytes], name: str, columns: tuple[str, ...], path: Path
) -> list[tuple[str, ...]]:
    """Fields of a file that are separated by tabs, line by line; ids that are there once."""
    if name not in files:
        raise SetupError(f"{path} holds no {name}: give the archive of vaderSentiment 0.5")
    try:
        text = files[name].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SetupError(f"{path}: {name} is not UTF-8 ({error.reason})") from error
    lines: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.split("\n"), start=1):  # texts may have other line ends
        if not line.strip():
            continue
        fields = tuple(line.rstrip("\r").split("\t"))
        if len(fields) != len(columns) or fields[0] in lines:
            wrong = f"the id {fields[0]!r} again" if fields[0] in lines else f"{len(fields)} fields"
            raise SetupError(
                f"{path}: line {number} of {name} has {wrong}; a line has {', '.join(columns)}, "
                "with tabs between them"
            )
        lines[fields[0]] = fields
    return list(lines.values())


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) <= 4 else None  # the scale of the ratings; NaN is not on it
