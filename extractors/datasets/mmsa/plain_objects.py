"""The objects that a pickle may name: numpy's arrays, dtypes and scalars, and bytes.

`constructor` finds what stands in for a name. Nothing is imported by that name: each stand-in is a
function of this module that checks its arguments.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

DTYPE_KINDS = "biufUSO"  # booleans, numbers, strings, and objects that are one of these


class UnsafePickle(ValueError):
    """A file is not a pickle of plain data; the message says what it holds instead."""


class Constructor(NamedTuple):
    """Stands in for a function that a pickle may name."""

    name: str
    make: Callable[..., Any]


class Unbuilt:
    """An array or dtype whose content comes with a later instruction, `BUILD`."""

    def __init__(self, dtype: np.dtype | None = None) -> None:
        self.dtype = dtype
        self.memo_keys: list[int] = []  # where the memo refers to it

    def built(self, state: Any) -> np.ndarray | np.dtype:
        """The array or dtype, from the state that numpy pickled."""
        if self.dtype is not None:
            _, order, subarray, names, fields, *_ = state
            if subarray is not None or names is not None or fields is not None:
                raise UnsafePickle("an array of structures")
            return self.dtype if order == "|" else self.dtype.newbyteorder(order)
        _, shape, dtype, fortran, data = state
        return _array(data, dtype, shape, "F" if fortran else "C")


class LongString(NamedTuple):
    """A long string that is not decoded yet.

    Protocol 2 has the bytes of an array as such a string, which is encoded at once.
    """

    data: memoryview

    def encode(self, _: str) -> bytes:
        return str(self.data, "utf-8", "surrogatepass").encode("latin1")


def _array(
    data: Any, dtype: Any, shape: Any, order: str = "C", axis_order: Any = None
) -> np.ndarray:
    if order == "K":  # numpy's arrays with permuted axes
        return _array(data, dtype, shape).transpose(axis_order)
    if isinstance(dtype, Unbuilt):  # dtypes of one byte have no state
        dtype = dtype.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in DTYPE_KINDS:
        raise UnsafePickle(f"an array of {dtype}")
    count = int(np.prod([int(n) for n in shape], dtype=object))
    if dtype.kind == "O":
        plain = (str, int, float, type(None), np.generic)
        odd = [item for item in data if not isinstance(item, plain)]
        if not isinstance(data, list) or len(data) != count or odd:
            raise UnsafePickle(f"an array of objects that are {type((odd or [data])[0]).__name__}")
        objects = np.empty(count, object)
        objects[:] = data
        return objects.reshape(shape, order=order)  # type: ignore[call-overload]
    if isinstance(data, str):  # Python 2
        data = data.encode("latin1")
    if memoryview(data).nbytes != count * dtype.itemsize:
        raise UnsafePickle(f"an array {tuple(shape)} of {dtype} in {memoryview(data).nbytes} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order=order)  # type: ignore[call-overload]


def _dtype(name: str, *_: Any) -> Unbuilt:
    if str(name)[:1] not in DTYPE_KINDS:
        raise UnsafePickle(f"an array of dtype {name}")
    return Unbuilt(np.dtype(str(name)))


def _encode(text: Any, encoding: str) -> bytes:
    if encoding != "latin1":
        raise UnsafePickle(f"_codecs.encode of {encoding}")
    return text.encode(encoding)


def _bytes(*arguments: Any) -> Any:
    """bytes() and bytes(bytes) only: bytes(n) would allocate n of them."""
    if len(arguments) > 1 or not all(isinstance(data, (bytes, memoryview)) for data in arguments):
        raise UnsafePickle(f"bytes() of a {type(arguments[0]).__name__}")
    return arguments[0] if arguments else b""


def _allowed() -> dict[str, Constructor]:
    functions: dict[str, Callable[..., Any]] = {
        "numpy.dtype": _dtype,
        "numpy.ndarray": lambda: None,
        "_codecs.encode": _encode,
        "builtins.bytes": _bytes,
        "__builtin__.bytes": _bytes,
    }
    for core in ("numpy.core", "numpy._core"):  # numpy 1 and 2
        functions |= {
            f"{core}.multiarray._reconstruct": lambda *_: Unbuilt(),
            f"{core}.multiarray.scalar": lambda dtype, data: _array(data, dtype, ())[()],
            f"{core}.numeric._frombuffer": _array,
        }
    return {name: Constructor(name, make) for name, make in functions.items()}


ALLOWED = _allowed()


def constructor(name: str) -> Constructor:
    """The stand-in for a function that a pickle names, such as ``numpy.dtype``.

    Raises
    ------
    UnsafePickle
        Objects of that name are not allowed.
    """
    if name not in ALLOWED:
        raise UnsafePickle(name)
    return ALLOWED[name]


def checked(kind: Any, value: Any) -> Any:
    """`value`, if it is of a type; else UnsafePickle is raised."""
    if not isinstance(value, kind):
        raise UnsafePickle(f"a {type(value).__name__} in the wrong place")
    return value
