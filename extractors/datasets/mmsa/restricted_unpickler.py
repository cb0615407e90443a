"""Pickles of plain data, read without running anything in them.

A pickle is a program for a small stack machine. This one knows dictionaries, lists, tuples,
strings, numbers, and numpy's arrays, dtypes and scalars; where a program names anything else it
is refused, before that is even looked for. The file is mapped, and arrays are views of it.
"""

import mmap
import pickletools
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

KINDS = "biufUSO"  # of dtypes: booleans, numbers, strings, and objects, which hold one of these


class UnsafePickle(ValueError):
    """A file that is no pickle of plain data; the message says what was found in it."""


class _Known(NamedTuple):
    """What stands in for something that a pickle may name."""

    name: str
    make: Callable[..., Any]


class _Unbuilt:
    """An array or dtype whose state follows."""

    def __init__(self, dtype: np.dtype | None = None) -> None:
        self.dtype = dtype
        self.places: list[int] = []  # in the memo

    def built(self, state: Any) -> np.ndarray | np.dtype:
        if self.dtype is not None:
            _, order, subarray, names, fields, *_ = state
            if subarray is not None or names is not None or fields is not None:
                raise UnsafePickle("an array of structures")
            return self.dtype if order == "|" else self.dtype.newbyteorder(order)
        _, shape, dtype, fortran, data = state
        return _array(data, dtype, shape, "F" if fortran else "C")


class _Long(NamedTuple):
    """A long string, not decoded yet: in protocol 2 the bytes of an array are one."""

    data: memoryview

    def encode(self, _: str) -> bytes:
        return str(self.data, "utf-8", "surrogatepass").encode("latin1")


def _array(
    data: Any, dtype: Any, shape: Any, order: str = "C", axis_order: Any = None
) -> np.ndarray:
    if order == "K":  # as numpy writes arrays with swapped axes
        return _array(data, dtype, shape).transpose(axis_order)
    if isinstance(dtype, _Unbuilt):  # of one byte: it has no state
        dtype = dtype.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in KINDS:
        raise UnsafePickle(f"an array of {dtype}")
    count = int(np.prod([int(n) for n in shape], dtype=object))
    if dtype.kind == "O":
        plain = (str, int, float, type(None), np.generic)
        odd = [item for item in data if not isinstance(item, plain)]
        if not isinstance(data, list) or len(data) != count or odd:
            raise UnsafePickle(f"an array of objects that are {type((odd or [data])[0]).__name__}")
        found = np.empty(count, object)
        found[:] = data
        return found.reshape(shape, order=order)  # type: ignore[call-overload]
    if isinstance(data, str):  # Python 2
        data = data.encode("latin1")
    if memoryview(data).nbytes != count * dtype.itemsize:
        raise UnsafePickle(f"an array {tuple(shape)} of {dtype} in {memoryview(data).nbytes} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order=order)  # type: ignore[call-overload]


def _dtype(name: str, *_: Any) -> _Unbuilt:
    if str(name)[:1] not in KINDS:
        raise UnsafePickle(f"an array of dtype {name}")
    return _Unbuilt(np.dtype(str(name)))


def _encode(text: Any, encoding: str) -> bytes:
    if encoding != "latin1":
        raise UnsafePickle(f"_codecs.encode of {encoding}")
    return text.encode(encoding)


def _bytes(*given: Any) -> Any:
    """Of nothing, or of bytes; of a number they would be as many as it says."""
    if len(given) > 1 or not all(isinstance(data, (bytes, memoryview)) for data in given):
        raise UnsafePickle(f"bytes() of a {type(given[0]).__name__}")
    return given[0] if given else b""


def _known() -> dict[str, _Known]:
    found: dict[str, Callable[..., Any]] = {
        "numpy.dtype": _dtype,
        "numpy.ndarray": lambda: None,
        "_codecs.encode": _encode,
        "builtins.bytes": _bytes,
        "__builtin__.bytes": _bytes,
    }
    for core in ("numpy.core", "numpy._core"):  # numpy 1 and 2
        found |= {
            f"{core}.multiarray._reconstruct": lambda *_: _Unbuilt(),
            f"{core}.multiarray.scalar": lambda dtype, data: _array(data, dtype, ())[()],
            f"{core}.numeric._frombuffer": _array,
        }
    return {name: _Known(name, make) for name, make in found.items()}


KNOWN = _known()
OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
# Names of opcodes that are followed by bytes, and the format of their length.
BULK = {
    "SHORT_BINBYTES": "<B",
    "BINBYTES": "<I",
    "BINBYTES8": "<Q",
    "BYTEARRAY8": "<Q",
    "SHORT_BINSTRING": "<B",
    "BINSTRING": "<i",
    "SHORT_BINUNICODE": "<B",
    "BINUNICODE": "<I",
    "BINUNICODE8": "<Q",
}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
LONG = 1 << 20  # bytes of a string from which on it is not decoded at once
FOLD = 64  # so many times the file's size may be made of it


class _Tape:
    """A pickle's bytes, read from the start."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.place = 0

    def take(self, count: int) -> memoryview:
        left = len(self.data) - self.place
        if not 0 <= count <= left:
            raise UnsafePickle(f"{count} bytes announced where {left} are left: it is cut off")
        self.place += count
        return self.data[self.place - count : self.place]

    def read(self, count: int) -> bytes:
        return bytes(self.take(count))

    def readline(self) -> bytes:
        end = self.data[self.place : self.place + 256].tobytes().find(b"\n")
        if end < 0:
            raise UnsafePickle("a name without an end")
        return self.read(end + 1)


class _Machine:
    """The stack machine; `run` returns what the program makes."""

    def __init__(self, data: memoryview) -> None:
        self.tape = _Tape(data)
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.room = FOLD * (len(data) + LONG)

    def run(self) -> Any:
        while True:
            code = self.tape.read(1).decode("latin1")
            opcode = OPCODES.get(code)
            if opcode is None:
                raise UnsafePickle(f"the byte {code!r}, which is no instruction")
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name in BULK:
                self.stack.append(self.bulk(opcode.name))
            else:
                argument = None if opcode.arg is None else opcode.arg.reader(cast(Any, self.tape))
                self.step(opcode.name, argument)

    def bulk(self, name: str) -> Any:
        form = BULK[name]
        (count,) = struct.unpack(form, self.tape.read(struct.calcsize(form)))
        data = self.tape.take(count)
        if name == "SHORT_BINSTRING":  # Python 2
            return str(data, "latin1")
        if "UNICODE" not in name:
            return data
        return _Long(data) if count >= LONG else str(data, "utf-8", "surrogatepass")

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        match name:
            case "PROTO" | "FRAME" | "READONLY_BUFFER":
                pass
            case "MARK":
                self.marks.append(stack)
                self.stack = []
            case "POP":
                stack.pop()
            case _ if name in CONSTANTS:
                stack.append(CONSTANTS[name])
            case _ if name in EMPTY:
                stack.append(EMPTY[name]())
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT":
                stack.append(argument)
            case "TUPLE":
                self.stack = self.marks.pop()
                self.stack.append(tuple(stack))
            case _ if name in TUPLES:
                stack[-TUPLES[name] :] = [tuple(stack[-TUPLES[name] :])]
            case "APPEND" | "APPENDS":
                items = self.items(1) if name == "APPEND" else self.marked()
                _of(list, self.stack[-1]).extend(items)
            case "SETITEM" | "SETITEMS":
                items = self.items(2) if name == "SETITEM" else self.marked()
                target = _of(dict, self.stack[-1])
                for key, value in zip(items[::2], items[1::2], strict=True):
                    target[_of((str, int), key)] = value
            case "BINPUT" | "LONG_BINPUT":
                self.keep(argument)
            case "MEMOIZE":
                self.keep(len(self.memo))
            case "BINGET" | "LONG_BINGET":
                stack.append(self.memo[argument])
            case "GLOBAL":
                stack.append(_named(argument.replace(" ", ".", 1)))
            case "STACK_GLOBAL":
                module, attribute = self.items(2)
                stack.append(_named(f"{module}.{attribute}"))
            case "REDUCE":
                what, arguments = self.items(2)
                stack.append(self.made(_of(_Known, what).make(*_of(tuple, arguments))))
            case "BUILD":
                (state,) = self.items(1)
                self.build(_of(tuple, state))
            case _:
                raise UnsafePickle(f"the instruction {name}")

    def items(self, count: int) -> list[Any]:
        found = self.stack[-count:]
        if len(found) < count:
            raise UnsafePickle("an instruction without what it works on")
        del self.stack[-count:]
        return found

    def marked(self) -> list[Any]:
        found, self.stack = self.stack, self.marks.pop()
        return found

    def made(self, what: Any) -> Any:
        """Count what may be a copy: a short program could make the same one without end."""
        self.room -= max(getattr(what, "nbytes", 0), sys.getsizeof(what))
        if self.room < 0:
            raise UnsafePickle(f"instructions that make more than {FOLD} times its size")
        return what

    def keep(self, number: int) -> None:
        value = self.memo[number] = self.stack[-1]
        if isinstance(value, _Unbuilt):
            value.places.append(number)

    def build(self, state: tuple[Any, ...]) -> None:
        unbuilt = _of(_Unbuilt, self.stack[-1])
        built = self.stack[-1] = self.made(unbuilt.built(state))
        for number in unbuilt.places:
            if self.memo[number] is unbuilt:
                self.memo[number] = built


def _named(name: str) -> _Known:
    if name not in KNOWN:
        raise UnsafePickle(name)
    return KNOWN[name]


def _of(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise UnsafePickle(f"a {type(value).__name__} in the wrong place")
    return value


def unpickled(path: Path) -> Any:
    """Read a pickle of plain data, protocols 2 to 5; its arrays are views of the mapped file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        The file cannot be read.
    UnsafePickle
        It holds anything but dictionaries, lists, tuples, strings, numbers and numpy arrays of
        them, it is cut off, or it is no pickle. Nothing in it was run.
    """
    with path.open("rb") as file:
        head = file.read(2)
        if len(head) < 2 or head[0] != 0x80 or not 2 <= head[1] <= 5:
            raise UnsafePickle(f"{path} is refused: it is no pickle of protocol 2 to 5")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return _Machine(memoryview(mapped)).run()
    except UnsafePickle as error:
        raise UnsafePickle(
            f"{path} is refused: it holds {error}; only dictionaries, lists, strings, numbers and "
            "numpy arrays of them are read, and nothing was run"
        ) from None
    except Exception as error:  # an instruction out of place can fail in any way
        reason = f"{type(error).__name__}: {error}"
        raise UnsafePickle(f"{path} is refused: it is damaged ({reason})") from error
