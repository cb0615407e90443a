"""`lnln import-sentences`: a table of texts and scores as a corpus to train with."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.paths import DATASETS
from pipeline.telling import say, tell


def import_sentences(
    file: Annotated[Path, typer.Argument(help="Table with a header: .csv, .tsv or .parquet.")],
    name: Annotated[str, typer.Option(help="What the corpus is to be called.")],
    text: Annotated[str, typer.Option(help="Column of the texts.")],
    label: Annotated[str, typer.Option(help="Column of the scores.")],
    label_range: Annotated[
        tuple[float, float], typer.Option(help="Least and greatest score there can be.")
    ],
    source: Annotated[str | None, typer.Option(help="Column of the kinds of text.")] = None,
    deviation: Annotated[
        str | None, typer.Option(help="Column of the deviations of the scores.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Column of train, valid and test; without it all is train.")
    ] = None,
    id: Annotated[str | None, typer.Option(help="Column of ids; without it rows count.")] = None,
    language: Annotated[str, typer.Option(help="ISO 639 code.")] = "en",
) -> None:
    """Make a corpus of a table of texts and scores, which a dataset can train with.

    It is written to data/sentences. What has to be added to datasets.yaml is printed: the section
    of the corpus, and how a dataset names it.

    Example: lnln import-sentences reviews.csv --name reviews --text body --label stars
    --label-range 1 5
    """
    from extractors.datasets.labels import DatasetError
    from extractors.sentences.gathering import FOLDER
    from extractors.sentences.tables import Columns
    from extractors.sentences.tables import import_sentences as read
    from pipeline.checking import ParamsError

    out = FOLDER / f"{name}.parquet"
    try:
        there = _described(name, label_range, language)
        columns = Columns(text, label, source, deviation, split, id)
        imported = read(file, out, columns, label_range)
    except (OSError, ParamsError, DatasetError) as error:
        sys.exit(f"error: {error}")
    for warning in imported.warnings:
        tell("warning", f"{file}: {warning}")
    say(f"{out}:", ", ".join(f"{count} {split}" for split, count in imported.sentences.items()))
    if len(imported.sources) > 1:
        counts = ", ".join(f"{count} {kind}" for kind, count in imported.sources.items())
        say(f"sources: {counts}")
    if not there:
        say(f"to train with it, add to {DATASETS}:\n")
        say(_section(name, label_range, language, file))
    say(f"a dataset trains with it that has in {DATASETS}, with the share per epoch you choose:")
    say(f"  sentences: {{{name}: 0.5}} # per epoch half as many as training clips")


def _described(name: str, label_range: tuple[float, float], language: str) -> bool:
    """Say whether datasets.yaml describes the corpus already; raise ParamsError if otherwise."""
    from pipeline.checking import ParamsError, parse_yaml, problems_of, refuse
    from pipeline.corpora import Corpus, load_corpora
    from pipeline.params import load_datasets

    if not re.fullmatch(r"\w[\w-]*", name) or parse_yaml(name) != name:
        raise ParamsError(
            f"--name {name!r} is no plain name: a letter, then letters, digits, _ and - make one"
        )
    if name in load_datasets():
        raise ParamsError(f"{name!r} is a section of {DATASETS} about clips: choose another --name")
    section = load_corpora().get(name)
    if section is None:
        asked = parse_yaml(_section(name, label_range, language, Path()))[name]
        refuse(problems_of(Corpus, asked), "options")
        return False
    if section.archive is not None or section.label_range != label_range:
        raise ParamsError(
            f"{DATASETS}: {name} has the label_range {list(section.label_range)} and the archive "
            f"{section.archive}: change that, or choose another --name"
        )
    return True


def _section(name: str, label_range: tuple[float, float], language: str, file: Path) -> str:
    low, high = label_range
    return f"""\
{name}: # imported from {file.name}
  kind: sentences # no clips
  label_range: [{low:g}, {high:g}] # least and greatest score
  language: {language} # ISO 639 code
  archive: null # none: data/sentences/{name}.parquet
  splits: null # as the imported table says; or the sources of train, valid and test
  source: you # from whom the sentences are to be had
"""
