import json
from pathlib import Path

import pytest

from extractors.assets.resolving import resolve
from extractors.errors import UnsupportedLanguage
from extractors.speech.languages import known_languages, require_language


def test_bundled_model_knows_english() -> None:
    assert known_languages(resolve("whisper-tiny.en", offline=True)) == ["en"]


@pytest.mark.parametrize("name", ["vocabulary.json", "vocabulary.txt"])
def test_multilingual_model_knows_the_languages_of_its_vocabulary(
    tmp_path: Path, name: str
) -> None:
    tokens = [f"t\x85{number}" for number in range(51_862)] + ["<|en|>", "<|de|>", "<|yue|>"]
    text = json.dumps(tokens) if name.endswith("json") else "\n".join(tokens) + "\n"
    (tmp_path / name).write_text(text, "utf-8")
    assert known_languages(tmp_path) == ["en", "de", "yue"]


@pytest.mark.parametrize("content", [None, "{", "[1]", '["a", "b"]'])
def test_vocabulary_that_tells_nothing_leaves_it_to_loading(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "vocabulary.json").write_text(content)
    assert known_languages(tmp_path) is None


def test_language_that_is_not_known_is_refused_with_those_that_are() -> None:
    require_language("de", ["en", "de"], "m")
    with pytest.raises(UnsupportedLanguage, match=r"m does not know the language 'jv' .*de, en"):
        require_language("jv", ["en", "de"], "m")
