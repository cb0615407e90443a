"""The sentences a dataset trains with: of all corpora it names, on its scale, as word pieces."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.features import feature_schema, ragged
from contracts.messages import message
from contracts.parquet import read_table
from contracts.schemas import SENTENCES, TRAINING_SENTENCES
from extractors.assets.archives import resolve_archive
from extractors.errors import SetupError
from extractors.sentences.hutto import Read, read_hutto
from extractors.sentences.leakage import without_leaks
from extractors.settings import SentenceSettings, Split, TextSettings
from extractors.text.extractor import TextExtractor

FOLDER = Path("data/sentences")  # of the tables that `lnln import-sentences` writes
READERS = {"hutto-icwsm-2014": read_hutto}  # by the name of the archive


class Gathered(NamedTuple):
    """What a dataset trains with.

    Attributes
    ----------
    table : pa.Table
        As `contracts.schemas.TRAINING_SENTENCES`, with the text features' `FeatureInfo` in its
        metadata, whose fingerprint says whose word pieces these are.
    warnings : list of str
        Leakage among them.
    leaked : int
        Sentences that are left out of the training split because of it.
    """

    table: pa.Table
    warnings: list[str]
    leaked: int


def read_corpus(
    name: str, settings: SentenceSettings, *, folder: Path = FOLDER, offline: bool = False
) -> Read:
    """Read a corpus of rated sentences.

    Parameters
    ----------
    name : str
        Its section of datasets.yaml.
    settings : SentenceSettings
    folder : Path
        Of the tables that were imported, ``<name>.parquet``.
    offline : bool
        Never download an archive.

    Returns
    -------
    Read
        Labels are on the corpus' own scale; splits are those of the settings. What is of a source
        that no split names is left out, with a warning.

    Raises
    ------
    SetupError
        The corpus is not there or damaged, a rating is not within its range, or a source is none.
    """
    if settings.archive is not None:
        archive = resolve_archive(settings.archive, offline=offline)
        read = READERS[settings.archive](archive)
    else:
        read = Read(_imported(name, folder / f"{name}.parquet"), [])
    labels = read.table["label"].to_numpy()
    low, high = np.array(settings.label_range, labels.dtype)
    odd = np.flatnonzero(~((low <= labels) & (labels <= high)))
    if len(odd):
        raise SetupError(
            f"{name}: {len(odd)} ratings are not within {low:g} to {high:g}, its label_range; "
            f"{read.table['sentence_id'][int(odd[0])]} has {labels[odd[0]]:g}"
        )
    if settings.splits is None:
        return read
    table, warnings = _divided(name, read.table, settings.splits)
    return Read(table, [*read.warnings, *warnings])


def gather(
    corpora: Mapping[str, SentenceSettings],
    text: TextSettings,
    *,
    label_range: tuple[float, float],
    language: str,
    said: Mapping[str, Iterable[str]],
    folder: Path = FOLDER,
    offline: bool = False,
) -> Gathered:
    """Put the corpora together that a dataset trains with.

    Without any, nothing is loaded, and the table is empty.

    Parameters
    ----------
    corpora : mapping
        Of names to settings.
    text : TextSettings
        Whose word pieces the sentences are cut into; what is longer than its `max_tokens` is cut,
        with a warning.
    label_range : (float, float)
        Of the dataset: the ends of a corpus' range become these, and what lies between is scaled
        linearly.
    language : str
        Of the dataset; a corpus of another one is told.
    said : mapping
        Of valid and test to what is said in the dataset's clips, see `leakage.without_leaks`.
    folder, offline
        As `read_corpus` takes them.

    Raises
    ------
    SetupError
        As `read_corpus`; or the text model is not to be had.
    """
    if not corpora:
        return Gathered(TRAINING_SENTENCES.empty_table(), [], 0)
    tables, warnings = [], []
    for name, settings in corpora.items():
        read = read_corpus(name, settings, folder=folder, offline=offline)
        warnings += [f"{name}: {told}" for told in read.warnings]
        if settings.language != language:
            warnings.append(
                message(f"{name} is in {settings.language!r}, the dataset in {language!r}")
            )
        tables.append(_scaled(name, read.table, settings.label_range, label_range))
    checked = without_leaks(pa.concat_tables(tables), said)
    encoder = TextExtractor(text, offline=offline)
    pieces = encoder.word_pieces(checked.table["text"].to_pylist())
    table = checked.table
    for field, lists in (("token_ids", pieces.ids), ("special", pieces.special)):
        column = TRAINING_SENTENCES.field(field)
        table = table.append_column(column, ragged(lists, column.type))
    if pieces.cut:
        warnings.append(message(f"{pieces.cut} sentences were cut after {text.max_tokens} tokens"))
    metadata = feature_schema(encoder.info()).metadata
    return Gathered(
        table.combine_chunks().replace_schema_metadata(metadata),
        [*warnings, *checked.messages],
        checked.left_out,
    )


def _imported(name: str, path: Path) -> pa.Table:
    if not path.is_file():
        raise SetupError(f"{path} is not there: lnln import-sentences FILE --name {name} writes it")
    try:
        table = read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise SetupError(f"{path} is no table of sentences: {error}") from error
    if not table.schema.equals(SENTENCES):
        raise SetupError(
            f"{path} has other columns than a table of sentences: import them again, with "
            f"lnln import-sentences FILE --name {name}"
        )
    return table


def _divided(
    name: str, table: pa.Table, splits: Mapping[Split, list[str]]
) -> tuple[pa.Table, list[str]]:
    """Give every sentence the split of its source, and leave out what has none."""
    split_of = {source: split for split, sources in splits.items() for source in sources}
    there = Counter(table["source"].to_pylist())
    unknown = sorted(split_of.keys() - there)
    if unknown:
        raise SetupError(
            f"{name}: splits: {unknown[0]!r} is no source of it; there are {', '.join(there)}"
        )
    warnings = [
        message(f"{there[source]} sentences of {source} are in no split and left out")
        for source in there
        if source not in split_of
    ]
    table = table.filter(pc.is_in(table["source"], pa.array(list(split_of), pa.string())))
    new = [split_of[source] for source in table["source"].to_pylist()]
    column = table.schema.get_field_index("split")
    return table.set_column(column, SENTENCES.field("split"), pa.array(new, pa.string())), warnings


def _scaled(
    name: str, table: pa.Table, of: tuple[float, float], to: tuple[float, float]
) -> pa.Table:
    """Name the corpus, and bring its labels to another scale."""
    labels = table["label"].to_numpy().astype("float64")
    factor = (to[1] - to[0]) / (of[1] - of[0])
    column = table.schema.get_field_index("label")
    scaled = pa.array(to[0] + factor * (labels - of[0]), pa.float32())
    table = table.set_column(column, SENTENCES.field("label"), scaled)
    if table["deviation"].null_count < len(table):
        spread = pc.multiply(table["deviation"].cast(pa.float64()), factor).cast(pa.float32())
        column = table.schema.get_field_index("deviation")
        table = table.set_column(column, SENTENCES.field("deviation"), spread)
    names = pa.array([name] * len(table), pa.string())
    return table.add_column(0, TRAINING_SENTENCES.field("corpus"), names)
