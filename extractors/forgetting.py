"""Delete what the cache keeps of some clips.

An entry's name is a hash of what it was made from, and says nothing of the clip. So the names are
computed again: from the rows of manifests and transcripts, from the files themselves, and from the
words that were recognised in them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from extractors.listening import parts_of_row
from extractors.speech.believing import probable
from extractors.words import Word
from extractors.workers.cache import Cache
from extractors.workers.keys import clip_key, speech_key, text_key

Said = tuple[str, Sequence[Word], Sequence[int] | None]  # text, words, word pieces that came along


def forget_entries(cache: Cache, rows: Sequence[dict[str, Any]], said: Iterable[Said]) -> int:
    """Delete all entries of some clips, of every extractor in every version.

    Parameters
    ----------
    cache : Cache
    rows : sequence of dict
        What is known of the clips, as rows of the manifest: sha256, path, start_s, duration_s,
        language. A clip whose file has changed has a row for each version that is known.
    said : iterable of (str, sequence of Word, sequence of int or None)
        What was said in them, as far as that is known.

    Returns
    -------
    int
        Number of entries.
    """
    hashes = {row["sha256"] for row in rows}
    groups = cache.groups()
    # Read before they are deleted: they name the entries of the parts that long recordings are
    # recognised in, and these the entries of the words.
    parts = [p for g in groups if g.startswith("voice-") for p in _parts(cache, g, rows)]
    spoken_in = [speech_key(row) for row in (*rows, *parts)]
    heard = [
        transcript
        for group in groups
        if group.startswith("speech-")
        for transcript in _transcripts(cache, group, spoken_in)
    ]
    keys = {text_key(*spoken) for spoken in (*said, *heard) if spoken[0] or spoken[2]}
    deleted = sum(cache.remove(group, keys) for group in groups if group.startswith("text-"))
    keys = {clip_key(row) for row in rows} | {*spoken_in}
    for group in groups:
        if group.startswith("files-"):
            deleted += cache.remove(group, _of_files(cache, group, hashes))
        elif not group.startswith("text-"):
            deleted += cache.remove(group, keys)
    return deleted


def _parts(cache: Cache, group: str, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows for the parts that long clips were recognised in."""
    for row, table in zip(rows, cache.read(group, [clip_key(row) for row in rows]), strict=True):
        if table is not None:
            probabilities = table["probabilities"].combine_chunks().flatten().to_numpy()
            yield from parts_of_row(row, probabilities)


def _transcripts(cache: Cache, group: str, keys: Sequence[str]) -> Iterator[Said]:
    for table in cache.read(group, keys):
        for row in table.to_pylist() if table is not None else ():
            words = [Word(**word) for word in row["words"]]
            yield row["text"], words, None
            believed = probable(row["text"], words)  # of new videos that is what is read
            yield believed.text, believed.words, None


def _of_files(cache: Cache, group: str, hashes: set[str]) -> list[str]:
    """Keys of what is known of files with these hashes, by whatever paths."""
    keys = cache.keys(group)
    return [
        key
        for key, table in zip(keys, cache.read(group, keys), strict=True)
        if table is not None and hashes.intersection(table["sha256"].to_pylist())
    ]
