"""Pieces of a text put together as their languages are written."""

import re
from collections.abc import Iterable

# Chinese, and Japanese with it, is written without spaces; these are its characters.
CHINESE = "\u3400-\u9fff\uf900-\ufaff"
_SPACELESS = re.compile(rf"[{CHINESE}\u3000-\u30ff\uff00-\uff9f]")  # with kana and punctuation


def joined(texts: Iterable[str]) -> str:
    """Join texts by spaces, but between two characters that are written without.

    Examples
    --------
    >>> joined(["我很", "好。", "ok", "bye"])
    '我很好。 ok bye'
    """
    parts: list[str] = []
    for text in filter(None, texts):
        if parts and not (_SPACELESS.match(parts[-1][-1]) and _SPACELESS.match(text[0])):
            parts.append(" ")
        parts.append(text)
    return "".join(parts)
