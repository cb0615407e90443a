"""Fields of MMSA's pickles, checked: one value per clip, or an array of numbers with three axes."""

from typing import Any

import numpy as np

from extractors.datasets.mmsa.plain_objects import UnsafePickle, named

# Bytes of a field in UTF-8; one string, referred to often, could fill the memory.
MAX_TEXT = 1 << 25
MAX_WIDTH = 1 << 16  # columns of a modality; each gets a name, and the widest known have 6,373


def _field(content: dict[str, Any], name: str, where: str) -> Any:
    if name not in content:
        there = ", ".join(named(key) for key in list(content)[:20])
        raise UnsafePickle(f"{where}: it has no {name}; it has {there or 'nothing'}")
    return content[name]


def entries(value: Any) -> int | None:
    """Number of entries of a list or an array; None for anything else."""
    if isinstance(value, np.ndarray):
        return len(value) if value.ndim else None
    return len(value) if isinstance(value, list) else None


def column(content: dict[str, Any], name: str, where: str) -> Any:
    """A field with one value per clip: a list, or an array on one axis."""
    value = _field(content, name, where)
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == 1:
        value = value[:, 0]
    if isinstance(value, np.ndarray) and value.ndim != 1:
        raise UnsafePickle(f"{where}: {name} is an array {value.shape}, not one value per clip")
    if not isinstance(value, (list, np.ndarray)):
        raise UnsafePickle(f"{where}: {name} is a {type(value).__name__}, not one value per clip")
    return value


def strings(content: dict[str, Any], name: str, where: str) -> list[str]:
    """One text per clip; of ``id``, whole numbers become texts."""
    values = column(content, name, where)
    try:
        items = values.tolist() if isinstance(values, np.ndarray) else values
    except (ValueError, SystemError):  # numpy's strings can hold invalid code points
        raise UnsafePickle(f"{where}: {name} holds what is no text") from None
    texts, room = [], MAX_TEXT
    for value in items:
        text = _string(value, name, where)
        encoded = text.encode("utf-8", "replace")  # lone surrogates: Parquet cannot hold them
        room -= len(encoded)
        if room < 0:
            raise UnsafePickle(f"{where}: {name} holds more than {MAX_TEXT} bytes of text")
        decoded = encoded.decode()
        texts.append(text if text == decoded else decoded)  # no copy for every reference to it
    return texts


def _string(value: Any, name: str, where: str) -> str:
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not isinstance(value, str) and not (is_whole and name == "id"):
        raise UnsafePickle(f"{where}: {name} holds a {type(value).__name__}, not only strings")
    return str(value)


def numbers(content: dict[str, Any], name: str, where: str) -> np.ndarray:
    """One number per clip; None becomes NaN."""
    values = column(content, name, where)
    if isinstance(values, list) or values.dtype.kind == "O":
        items = [np.nan if value is None else value for value in values]
        odd = [v for v in items if not isinstance(v, (int, float, np.number, np.bool_))]
        if odd:
            raise UnsafePickle(f"{where}: {name} holds a {type(odd[0]).__name__}, not only numbers")
        try:
            values = np.array(items, np.float64)
        except OverflowError as error:
            raise UnsafePickle(f"{where}: {name} holds a number too large: {error}") from None
    if values.dtype.kind not in "biuf":
        raise UnsafePickle(f"{where}: {name} is an array of {values.dtype}, not of numbers")
    return np.asarray(values)


def grid(content: dict[str, Any], name: str, where: str) -> np.ndarray:
    """An array of numbers with three axes. Lists are refused: they could fill the memory."""
    array = _field(content, name, where)
    if not isinstance(array, np.ndarray):
        raise UnsafePickle(f"{where}: {name} is a {type(array).__name__}, not one array")
    # An array without rows has no bytes, and could claim any width.
    if array.ndim != 3 or array.dtype.kind not in "biuf" or not (array.shape[1] and array.shape[2]):
        raise UnsafePickle(
            f"{where}: {name} is an array {array.shape} of {array.dtype}, where numbers on 3 axes "
            "were expected"
        )
    if array.shape[2] > MAX_WIDTH:
        raise UnsafePickle(
            f"{where}: {name} is {array.shape[2]} columns wide; at most {MAX_WIDTH} are read"
        )
    return array


def whole(values: np.ndarray, name: str, where: str) -> np.ndarray:
    """Counts or ids, checked to be whole numbers, as int32."""
    for value in values.tolist():
        if not 0 <= value < 1 << 31 or value != int(value):
            raise UnsafePickle(f"{where}: {name} holds {value}, not only whole numbers from 0")
    return values.astype(np.int32)
