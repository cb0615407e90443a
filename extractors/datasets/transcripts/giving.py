"""New videos with the words that were given for them."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from contracts.messages import message
from contracts.quarantine import Rejected
from extractors.datasets.listing import Listing
from extractors.datasets.transcripts.finding import Found, find_transcripts, fitting
from extractors.datasets.transcripts.reading import read_transcript
from extractors.errors import TranscriptError
from extractors.words import Word

STAGE = "transcribe"


class Given(NamedTuple):
    """A listing whose manifest has the words that were given.

    Attributes
    ----------
    listing : Listing
        A video whose transcript cannot be used has gone to the quarantine.
    words : dict of str to list of Word
        By clip_id, where times are known.
    """

    listing: Listing
    words: dict[str, list[Word]]


def with_transcripts(listing: Listing, where: str | Path, language: str) -> Given:
    """Give new videos the words that stand in transcripts.

    Parameters
    ----------
    listing : Listing
        Of `extractors.datasets.listing.probe_files`.
    where : str or Path
        - ``beside``: the .srt, .vtt or .txt file beside every video;
        - a folder of such files;
        - such a file, of the only video;
        - a table (.csv) with the columns `file` and `text`, or `video_id`, `clip_id` and `text`.

        A file or a line is a video's if its name is that of the video, with or without its
        extension or the language (``talk.en.vtt``), and with as many of its folders as tell it
        apart.
    language : str
        Spoken in the videos, ISO 639 code.

    Returns
    -------
    Given
        A transcript without words counts as none. Warnings name videos without one, lines of a
        table that are of no video, and words after the end of the video.

    Raises
    ------
    TranscriptError
        There is no such file or folder, it is of another kind, or the table cannot be read.
    """
    rows = listing.manifest.to_pylist()
    paths = [row["path"] for row in rows] + [row.path for row in listing.quarantine]
    transcripts = find_transcripts(where, paths)
    fits = fitting(transcripts, paths, language)
    uses = Counter(found for its in fits for found in its)
    warnings = listing.warnings + _unused(where, transcripts, uses)
    given: list[dict[str, Any]] = []
    words: dict[str, list[Word]] = {}
    rejected: list[Rejected] = []
    empty: list[str] = []
    for row, its in zip(rows, fits[: len(rows)], strict=True):
        clip_id = row["clip_id"]
        try:
            found = _only(its, uses)
            text, words[clip_id] = _words_of(found)
        except TranscriptError as error:
            rejected.append(Rejected(clip_id, row["path"], STAGE, str(error)))
            continue
        given.append(row | {"text": text})
        if found and not text:
            empty.append(found.place)
        late = words[clip_id][-1].start_s if words[clip_id] else None
        if found and late is not None and late > row["duration_s"]:
            warnings.append(
                message(
                    f"{found.place} has words at {late:.1f} s, but {clip_id} lasts "
                    f"{row['duration_s']:.1f} s: is it of another video?"
                )
            )
    if len(empty) == 1:
        warnings.append(message(f"{empty[0]} has no words: it counts as no transcript"))
    elif empty:
        warnings.append(
            message(
                f"{len(empty)} transcripts have no words and count as none, the first: {empty[0]}"
            )
        )
    without = [row["clip_id"] for row in given if not row["text"]]
    if without:
        names = ", ".join(without[:3]) + (message(", ...") if len(without) > 3 else "")
        warnings.append(
            message(f"{len(without)} of {len(rows)} videos have no transcript ({where}): {names}")
        )
    manifest = pa.Table.from_pylist(given, schema=listing.manifest.schema)
    return Given(Listing(manifest, sorted([*listing.quarantine, *rejected]), warnings), words)


def _only(its: list[Found], uses: Counter[Found]) -> Found | None:
    """The transcript of a video, if any.

    Raises
    ------
    TranscriptError
        It has several, or shares one with another video.
    """
    if len(its) > 1:
        places = " and ".join(found.place for found in its)
        raise TranscriptError(f"{len(its)} transcripts: {places}; keep one of them")
    if its and uses[its[0]] > 1:
        raise TranscriptError(
            f"{its[0].place} fits {uses[its[0]]} videos by its name: name their folders, too"
        )
    return its[0] if its else None


def _words_of(found: Found | None) -> tuple[str, list[Word]]:
    if found is None:
        return "", []
    return read_transcript(Path(found.place)) if found.text is None else (found.text, [])


def _unused(where: str | Path, transcripts: list[Found], uses: Counter[Found]) -> list[str]:
    """Tell of lines of a table that are of no video; a folder may well have files of others."""
    lines = [found for found in transcripts if found.text]
    unused = [found for found in lines if found not in uses]
    if not unused:
        return []
    return [
        message(
            f"{len(unused)} of {len(lines)} texts in {where} are of none of the videos, the first "
            f"of {unused[0].name} ({unused[0].place})"
        )
    ]
