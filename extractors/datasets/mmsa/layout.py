"""The layout of MMSA's pickles: per split, one array per modality, padded to one length.

Nothing about a file is taken for granted: what does not fit is refused with the field's name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contracts.schemas import SPLITS, Modality
from extractors.datasets.csv_table import PLACEHOLDERS
from extractors.datasets.mmsa import fields
from extractors.datasets.mmsa.plain_objects import UnsafePickle, named
from extractors.datasets.mmsa.rows import (
    Note,
    Placed,
    counted,
    measured_lengths,
    place,
    place_by_tokens,
)

LABELS = {  # column of the manifest -> field of the pickle
    "label": "regression_labels",
    "label_t": "regression_labels_T",
    "label_a": "regression_labels_A",
    "label_v": "regression_labels_V",
}
GRIDS: tuple[Modality, ...] = ("audio", "vision")
FIELDS = (  # with one entry per clip
    *("raw_text", "text", "text_bert", *GRIDS, *(f"{modality}_lengths" for modality in GRIDS)),
    *("annotations", "classification_labels", *LABELS.values()),
)


@dataclass(frozen=True)
class Split:
    """One split of a pickle.

    Attributes
    ----------
    ids : list of str
        ``video$_$clip``, [clips].
    raw_text : list of str
        Empty where there is no transcript.
    tokens : list of ndarray, or None
        The ids of each clip's word pieces, [CLS] and [SEP] included, without padding; none of a
        clip whose transcript is missing (not merely empty), as they were made of its name for
        nothing, such as "nan".
    grids : dict of str to ndarray
        "audio" and "vision", [clips, rows, features], as they are in the file.
    starts : dict of str to ndarray
        First row of each clip, [clips]: not 0 where the padding is in front.
    lengths : dict of str to ndarray
        Rows of each clip without the padding, [clips].
    labels : dict of str to ndarray
        By column of the manifest, float32 [clips]; only those that the file has.
    notes : list of Note
        What was odd, and how it was read.
    """

    ids: list[str]
    raw_text: list[str]
    tokens: list[np.ndarray] | None
    grids: dict[str, np.ndarray]
    starts: dict[str, np.ndarray]
    lengths: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    notes: list[Note]

    @classmethod
    def read(cls, content: dict[str, Any], where: str) -> "Split":
        """Check and read the dictionary of one split.

        Parameters
        ----------
        content : dict
        where : str
            File and split, for messages.

        Raises
        ------
        UnsafePickle
            A field is missing, has another type, or does not have one entry per clip.
        """
        ids = fields.strings(content, "id", where)
        content = _without_empty_labels(content)
        for name in FIELDS:
            entries = fields.entries(content.get(name))
            if entries not in (None, len(ids)):
                raise UnsafePickle(f"{where}: {name} has {entries} entries, id has {len(ids)}")
        texts, untold = _transcripts(content, where)
        grids: dict[str, np.ndarray] = {m: fields.grid(content, m, where) for m in GRIDS}
        tokens = _tokens(content, where) if "text_bert" in content else None
        placed = _placed(content, grids, tokens, ids, where)
        notes = [
            Note(what, f"{name} of {clips}")
            for name, of_one in placed.items()
            for what, clips in of_one.notes
        ]
        if untold:
            some = f"{counted(len(untold))}, such as {named(ids[untold[0]])}"
            notes.append(Note("no transcript (raw_text), so that words count as missing", some))
            if tokens is not None and len(untold) < len(ids):  # else the words are kept as ids only
                for i in untold:
                    tokens[i] = tokens[i][:0]
        with np.errstate(over="ignore"):  # an infinite label is dropped later
            labels = {
                column: fields.numbers(content, field, where).astype(np.float32)
                for column, field in LABELS.items()
                if field in content or column == "label"
            }
        return cls(
            ids,
            texts,
            tokens,
            grids,
            {name: of_one.starts for name, of_one in placed.items()},
            {name: of_one.lengths for name, of_one in placed.items()},
            labels,
            notes,
        )

    def clip_ids(self) -> list[str]:
        """Names of the clips in our form, ``video/clip``."""
        return [name.replace("$_$", "/") for name in self.ids]


def read_splits(content: Any, path: Path) -> Iterator[tuple[str, Split]]:
    """The splits in a pickle's content, by name.

    Raises
    ------
    UnsafePickle
        There are no splits, or one of them does not fit; see `Split.read`.
    """
    if not isinstance(content, dict) or not all(
        isinstance(content.get(name), dict) for name in SPLITS
    ):
        raise UnsafePickle(
            f"{path} is no file of MMSA: expected were dictionaries {', '.join(SPLITS)}"
        )
    for name in SPLITS:
        yield name, Split.read(content[name], f"{path}: {name}")


def _tokens(content: dict[str, Any], where: str) -> list[np.ndarray]:
    """The token ids of each clip, from MMSA's ``text_bert`` [clips, 3, tokens]."""
    bert = fields.grid(content, "text_bert", where)  # ids, mask, segments
    if bert.shape[1] != 3:
        raise UnsafePickle(f"{where}: text_bert is {bert.shape}, not [clips, 3, tokens]")
    counts = (bert[:, 1] > 0).sum(axis=1)
    return [fields.whole(bert[i, 0, :n], "text_bert", where) for i, n in enumerate(counts)]


def _without_empty_labels(content: dict[str, Any]) -> dict[str, Any]:
    """A split without labels of single modalities that have no entry: MMSA-FET writes ``[]``."""
    empty = {field for column, field in LABELS.items() if column != "label"}
    return {
        name: value
        for name, value in content.items()
        if not (name in empty and fields.entries(value) == 0)
    }


def _transcripts(content: dict[str, Any], where: str) -> tuple[list[str], list[int]]:
    """The transcripts, and the indices of the clips that have none: None, NaN or its name."""
    column = fields.column(content, "raw_text", where)
    if isinstance(column, list) or column.dtype.kind in "Of":
        column = ["nan" if _is_missing(text) else text for text in column]
    texts = fields.strings(content | {"raw_text": column}, "raw_text", where)
    missing = [i for i, text in enumerate(texts) if text.strip() in PLACEHOLDERS]
    for i in missing:
        texts[i] = ""
    return texts, missing


def _is_missing(text: Any) -> bool:
    return text is None or (isinstance(text, (float, np.floating)) and bool(np.isnan(text)))


def _placed(
    content: dict[str, Any],
    grids: dict[str, np.ndarray],
    tokens: list[np.ndarray] | None,
    ids: list[str],
    where: str,
) -> dict[str, Placed]:
    """Where each clip's rows lie in each array."""
    lengths = {
        name: fields.whole(
            fields.numbers(content, f"{name}_lengths", where), f"{name}_lengths", where
        )
        for name in grids
        if f"{name}_lengths" in content
    }
    told = set(lengths)
    if len(lengths) < len(grids):  # an aligned file: one row per token in every modality
        if tokens is not None:
            shared = np.array([len(ids) for ids in tokens], np.int64)
        else:
            text = [fields.grid(content, "text", where)] if "text" in content else []
            shared = measured_lengths([*grids.values(), *text])
        lengths = dict.fromkeys(grids, shared) | lengths
    return {
        name: (place if name in told else place_by_tokens)(
            grid, np.minimum(lengths[name], grid.shape[1]), ids, f"{where}: {name}"
        )
        for name, grid in grids.items()
    }
