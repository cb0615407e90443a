"""What lies in MMSA's pickles: per split, one array per modality, padded to one length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from extractors.mmsa.unpickling import UnsafePickle
from extractors.tables import SPLITS, Modality

LABELS = {  # columns of the manifest
    "label": "regression_labels",
    "label_t": "regression_labels_T",
    "label_a": "regression_labels_A",
    "label_v": "regression_labels_V",
}
GRIDS: tuple[Modality, ...] = ("audio", "vision")


@dataclass(frozen=True)
class Split:
    """One split of a pickle.

    Attributes
    ----------
    ids : list of str
        ``video$_$clip``, [clips].
    raw_text : list of str
    tokens : list of ndarray, or None
        The ids of each clip's word pieces, [CLS] and [SEP] included, without padding.
    grids : dict of str to ndarray
        "audio" and "vision", [clips, rows, features], as they are in the file.
    lengths : dict of str to ndarray
        Rows of each that are no padding, [clips].
    labels : dict of str to ndarray
        By column of the manifest, [clips]; those that the file has.
    """

    ids: list[str]
    raw_text: list[str]
    tokens: list[np.ndarray] | None
    grids: dict[str, np.ndarray]
    lengths: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]

    @classmethod
    def read(cls, content: dict[str, Any], where: str) -> "Split":
        """Check one split's dictionary; `where` begins the messages.

        Raises
        ------
        UnsafePickle
            A field is missing, or has not one entry per clip.
        """
        ids = _strings(content, "id", where)
        count = len(ids)
        texts = _strings(content, "raw_text", where)
        grids: dict[str, np.ndarray] = {m: _array(content, m, 3, where) for m in GRIDS}
        labels = {
            column: np.asarray(_array(content, field, 1, where), np.float32)
            for column, field in LABELS.items()
            if field in content or column == "label"
        }
        tokens, text_rows = None, None
        if "text_bert" in content:
            bert = _array(content, "text_bert", 3, where)
            if bert.shape[1] != 3:
                raise UnsafePickle(f"{where}: text_bert is {bert.shape}, not [clips, 3, tokens]")
            text_rows = np.asarray(bert[:, 1] > 0).sum(axis=1)
            tokens = [bert[i, 0, :n].astype(np.int32) for i, n in enumerate(text_rows)]
        lengths = {}
        for name, grid in grids.items():
            if f"{name}_lengths" in content:
                told = np.asarray(_array(content, f"{name}_lengths", 1, where), np.int64)
            elif text_rows is not None:  # aligned: a row per token
                told = text_rows
            else:
                told = np.full(count, grid.shape[1])
            lengths[name] = np.clip(told, 0, grid.shape[1])
        columns = {"raw_text": texts, **grids, **lengths, **labels, "text_bert": tokens or ids}
        for name, column in columns.items():
            if len(column) != count:
                raise UnsafePickle(f"{where}: {name} has {len(column)} entries, id has {count}")
        return cls(ids, texts, tokens, grids, lengths, labels)

    def clip_ids(self) -> list[str]:
        """Our names of the clips, ``video/clip``."""
        return [name.replace("$_$", "/") for name in self.ids]


def splits(content: Any, path: Path) -> Iterator[tuple[str, Split]]:
    """The splits of a pickle's content; raises as `Split.read` does."""
    if not isinstance(content, dict) or not all(
        isinstance(content.get(name), dict) for name in SPLITS
    ):
        raise UnsafePickle(
            f"{path} is no file of MMSA: expected were dictionaries {', '.join(SPLITS)}"
        )
    for name in SPLITS:
        yield name, Split.read(content[name], f"{path}: {name}")


def observed(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Mend a clip's rows, and say which of them were measured.

    Parameters
    ----------
    rows : ndarray, [rows, features]
        Without padding.

    Returns
    -------
    values : ndarray, float32
        Infinities and NaN are 0.
    observed : ndarray, bool [rows]
        False where every column is 0, infinite or NaN.
    bad : int
        How many were infinite or NaN.
    """
    values = np.array(rows, np.float32)
    bad = ~np.isfinite(values)
    values[bad] = 0
    return values, (values != 0).any(axis=1), int(bad.sum())


def _field(content: dict[str, Any], name: str, where: str) -> Any:
    if name not in content:
        raise UnsafePickle(f"{where}: it has no {name}; it has {', '.join(map(str, content))}")
    return content[name]


def _strings(content: dict[str, Any], name: str, where: str) -> list[str]:
    values: Sequence[Any] = _field(content, name, where)
    if isinstance(values, np.ndarray):
        values = values.reshape(-1).tolist() if values.ndim <= 2 else []
    if not isinstance(values, list):
        raise UnsafePickle(f"{where}: {name} is a {type(values).__name__}, not a list of strings")
    return [_string(value, name, where) for value in values]


def _string(value: Any, name: str, where: str) -> str:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    if not isinstance(value, str):
        raise UnsafePickle(f"{where}: {name} holds a {type(value).__name__}, not only strings")
    return str(value)


def _array(content: dict[str, Any], name: str, axes: int, where: str) -> np.ndarray:
    found = np.asarray(_field(content, name, where))
    if found.ndim == 2 and axes == 1 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != axes or found.dtype.kind not in "biuf":
        raise UnsafePickle(
            f"{where}: {name} is an array {found.shape} of {found.dtype}, where numbers on "
            f"{axes} axes were expected"
        )
    return found
