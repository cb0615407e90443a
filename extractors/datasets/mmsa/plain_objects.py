"""The objects that a pickle may name: numpy's arrays, dtypes and scalars, and bytes.

`constructor` finds what stands in for a name. Nothing is imported by that name: each stand-in is a
function of this module that checks its arguments.

Messages name types, and values only where these are short strings or sizes that were checked: a
few bytes can describe a list that is as large as 2 to the power of its depth once it is printed.
"""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

DTYPE_KINDS = "biufUSO"  # booleans, numbers, strings, and objects that are one of these
DTYPE = re.compile(rf"[{DTYPE_KINDS}]\d{{0,9}}", re.ASCII)
MAX_AXES = 32  # of an array, as in numpy 1
MAX_SIZE = 1 << 48  # of an axis
MAX_NAME = 100  # characters of a name in a message


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
        self.is_built = False

    def built(self, state: Any) -> np.ndarray | np.dtype:
        """The array or dtype, from the state that numpy pickled."""
        if self.is_built:  # each time would be another array
            raise UnsafePickle("an array that is built twice")
        self.is_built = True
        if self.dtype is not None:
            _, order, subarray, names, fields, *_ = state
            if subarray is not None or names is not None or fields is not None:
                raise UnsafePickle("an array of structures")
            if checked(str, order) not in ("|", "<", ">", "="):
                raise UnsafePickle("an array in no order of bytes")
            return self.dtype if order == "|" else self.dtype.newbyteorder(order)
        _, shape, dtype, fortran, data = state
        return _array(data, dtype, shape, "F" if fortran else "C")


class LongString(NamedTuple):
    """A long string that is not decoded yet.

    Protocol 2 has the bytes of an array as such a string, which is encoded at once.
    """

    data: memoryview

    def encode(self, _: str) -> bytes:
        """Return what Python 2 had as bytes."""
        return str(self.data, "utf-8", "surrogatepass").encode("latin1")


def _array(
    data: Any, dtype: Any, shape: Any, order: str = "C", axis_order: Any = None
) -> np.ndarray:
    shape = _sizes(shape)
    if order == "K":  # numpy's arrays with permuted axes
        return _array(data, dtype, shape).transpose(_sizes(axis_order))
    if isinstance(dtype, Unbuilt):  # dtypes of one byte have no state
        dtype = dtype.dtype
    if checked(np.dtype, dtype).kind not in DTYPE_KINDS or checked(str, order) not in ("C", "F"):
        raise UnsafePickle("an array of what is no number or string")
    count = math.prod(shape)
    if dtype.kind == "O":
        plain = (str, int, float, type(None), np.generic)
        odd = [item for item in checked(list, data) if not isinstance(item, plain)]
        if odd:
            raise UnsafePickle(f"an array of objects that are {type(odd[0]).__name__}")
        if len(data) != count:
            raise UnsafePickle(f"an array {shape} of {len(data)} objects")
        objects = np.empty(count, object)
        objects[:] = data
        return objects.reshape(shape, order=order)  # type: ignore[call-overload]
    if isinstance(data, str):  # Python 2
        data = data.encode("latin1")
    size = memoryview(checked((bytes, memoryview), data)).nbytes
    if size != count * dtype.itemsize:
        raise UnsafePickle(f"an array {shape} of {dtype} in {size} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order=order)  # type: ignore[call-overload]


def _sizes(shape: Any) -> tuple[int, ...]:
    """A shape, or numbers of axes. Long ones of great numbers take their time to multiply."""
    if len(checked(tuple, shape)) > MAX_AXES:
        raise UnsafePickle(f"an array of {len(shape)} axes")
    if not all(0 <= checked(int, size) < MAX_SIZE for size in shape):
        raise UnsafePickle("an array with an axis that is too long, or shorter than nothing")
    return tuple(shape)


def _dtype(name: Any, *_: Any) -> Unbuilt:
    if not DTYPE.fullmatch(checked(str, name)):
        raise UnsafePickle(f"an array of dtype {named(name)}")
    return Unbuilt(np.dtype(str(name)))


def _encode(text: Any, encoding: Any) -> bytes:
    if checked(str, encoding) != "latin1":
        raise UnsafePickle(f"_codecs.encode of {named(encoding)}")
    encoded: bytes = checked((str, LongString), text).encode(encoding)
    return encoded


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
        raise UnsafePickle(named(name))
    return ALLOWED[name]


def checked(kind: Any, value: Any) -> Any:
    """`value`, if it is of a type; else UnsafePickle is raised."""
    if not isinstance(value, kind):
        raise UnsafePickle(f"a {type(value).__name__} in the wrong place")
    return value


def named(name: str) -> str:
    """A name for a message, in printable letters and not too long."""
    shown = name[:MAX_NAME].encode("unicode_escape").decode("ascii")
    return shown if len(name) <= MAX_NAME else f"{shown}..."
