"""The languages that a speech model knows, read from its vocabulary: nothing is loaded."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from extractors.errors import UnsupportedLanguage

# Whisper's English-only models have a vocabulary of 51,864 tokens. It has the other languages'
# tokens as well; the multilingual models' is larger.
_MULTILINGUAL = 51_865
_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")


def known_languages(model: Path) -> list[str] | None:
    """Languages of a model in CTranslate2's format, ISO 639 codes.

    Returns
    -------
    list of str, or None
        None where its vocabulary cannot be read, or is of another kind of model: only loading it
        will tell.
    """
    try:
        if (model / "vocabulary.json").is_file():
            tokens = json.loads((model / "vocabulary.json").read_bytes())
        else:
            tokens = (model / "vocabulary.txt").read_bytes().decode("utf-8", "replace").split("\n")
    except (OSError, ValueError):
        return None
    tokens = [token for token in tokens if isinstance(token, str) and token]
    codes = [match[1] for token in tokens if (match := _LANGUAGE.fullmatch(token))]
    if not codes:
        return None
    return codes if len(tokens) >= _MULTILINGUAL else ["en"]


def require_language(language: str, known: Iterable[str], model: str) -> None:
    """Raise UnsupportedLanguage if a speech model does not know a language."""
    known = sorted(known)
    if language not in known:
        names = ", ".join(known) if len(known) < 10 else f"{len(known)} others"
        raise UnsupportedLanguage(
            f"{model} does not know the language {language!r} (it knows {names}); choose a "
            "multilingual speech model, or give the text (in label.csv, of new videos with "
            "--transcripts)"
        )
