"""Sections of `datasets.yaml` of kind `sentences`: corpora that datasets of clips train with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from extractors.settings import SentenceSettings
from pipeline.checking import problems_of, read_yaml, refuse
from pipeline.paths import DATASETS

KIND = "sentences"


class Corpus(SentenceSettings):
    """One such section."""

    kind: Literal["sentences"]
    source: str = Field(min_length=1, description="from whom the sentences are to be had")

    def reading(self) -> SentenceSettings:
        """Return what `extractors.sentences` needs to read it."""
        return SentenceSettings(**self.model_dump(exclude={"kind", "source"}))


def clip_sections(path: Path = DATASETS) -> dict[str, Any]:
    """Read the sections of `datasets.yaml` that are no corpora of sentences, unchecked.

    Raises
    ------
    ParamsError
        The file is missing or no YAML mapping, or a section is of a kind that there is not.
    """
    sections = read_yaml(path)
    refuse(
        (
            f"{name}.kind: {section['kind']!r} is not allowed: {KIND}, or no such key for clips"
            for name, section in sections.items()
            if isinstance(section, dict) and section.get("kind", KIND) != KIND
        ),
        str(path),
    )
    return {name: section for name, section in sections.items() if not _is_corpus(section)}


def load_corpora(path: Path = DATASETS) -> dict[str, Corpus]:
    """Read every section of kind `sentences`.

    Raises
    ------
    ParamsError
        The file is missing or no YAML mapping, or a key or value is not allowed.
    """
    corpora = {}
    for name, section in read_yaml(path).items():
        if _is_corpus(section):
            refuse(problems_of(Corpus, section), f"{path}: {name}")
            corpora[name] = Corpus.model_validate(section)
    return corpora


def unknown_corpora(shares: Mapping[str, float], corpora: Mapping[str, Corpus]) -> list[str]:
    """Say which corpora a dataset names that there are not."""
    known = ", ".join(corpora) or "none"
    return [
        f"sentences.{name}: no section of kind {KIND}; known: {known}"
        for name in shares
        if name not in corpora
    ]


def no_dataset(name: str, path: Path = DATASETS) -> str:
    """Say what a name is that is no section about clips."""
    if name in load_corpora(path):
        return "a corpus of sentences, which a dataset of clips names under `sentences`"
    return f"no section of {path}"


def _is_corpus(section: Any) -> bool:
    return isinstance(section, dict) and section.get("kind") == KIND
