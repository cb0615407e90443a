"""Names and texts from outside, made fit for a terminal: nothing that is not printable gets there.

A file, a pickle or a model can be called anything. As they are, control characters would move the
cursor, rename the window or clear the screen, and marks of direction would show `gpj.exe` as
`exe.jpg`.
"""

import json
import unicodedata
from collections.abc import Callable
from typing import Any

# Controls, formats (marks of direction among them), surrogates, separators of lines and paragraphs.
_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_WRITTEN = (
    "\u200c\u200d"  # formats that scripts and emoji are written with: they join letters or not
)


def printable(text: object, keep: str = "") -> str:
    r"""Return a text with escapes, as `\x1b`, in place of what cannot be printed.

    Parameters
    ----------
    text : object
        Converted by `str`.
    keep : str
        Characters that stay: a line break, where a text of several lines is told.
    """
    return _escaped(str(text), keep, lambda sign: ascii(sign)[1:-1])


def printable_json(content: Any) -> str:
    r"""Return JSON, in letters of any script, with escapes in place of what cannot be printed.

    Whoever reads it gets what was written: to JSON, `\u202e` is the character itself.

    Raises
    ------
    ValueError
        A number in it is infinite or NaN, which is not JSON.
    """
    written = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    return _escaped(written, "\n", lambda sign: json.dumps(sign)[1:-1])


def _escaped(text: str, keep: str, escape: Callable[[str], str]) -> str:
    kept = keep + _WRITTEN
    return "".join(
        escape(sign) if unicodedata.category(sign) in _ESCAPED and sign not in kept else sign
        for sign in text
    )
