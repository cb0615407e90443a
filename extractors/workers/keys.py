"""Names of a clip's entries in the cache, by what they were made from."""

from collections.abc import Sequence
from typing import Any

from extractors.words import Word
from extractors.workers.cache import key_of
from extractors.workers.work import clip_of


def clip_key(row: dict[str, Any]) -> str:
    """Key of what was measured in sound or picture of the clip in a row of the manifest."""
    clip = clip_of(row)
    return key_of(row["sha256"], clip.start_s, clip.duration_s)


def speech_key(row: dict[str, Any]) -> str:
    """Key of what was recognised in the clip in a row of the manifest."""
    clip = clip_of(row)
    return key_of(row["sha256"], clip.start_s, clip.duration_s, row["language"])


def text_key(text: str, words: Sequence[Word], tokens: Sequence[int] | None = None) -> str:
    """Key of a sentence's features; `tokens` are word pieces that came with it."""
    return key_of(text, list(words), *([list(tokens)] if tokens else []))
