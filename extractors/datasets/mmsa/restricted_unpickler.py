"""Read pickles of plain data without running code in them.

A pickle is a program for a small stack machine, and can name any function to call. This machine
only makes dictionaries, lists, tuples, strings, numbers and what `plain_objects` allows, which is
numpy's arrays. A program that names anything else is refused before that is imported. The file is
memory-mapped, and arrays are views of it.

A short program can also ask for much work or memory. What it makes, how many instructions it has,
its memo and its dictionaries are bounded; real files of MMSA stay far below.
"""

import mmap
import pickletools
import struct
import sys
from pathlib import Path
from typing import Any, cast

from contracts.plain_files import plain
from extractors.datasets.mmsa.plain_objects import (
    Constructor,
    LongString,
    Unbuilt,
    UnsafePickle,
    checked,
    constructor,
)

OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
# Opcodes that are followed by bytes, and the `struct` format of the length of these.
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
LONG = 1 << 20  # bytes; longer strings are decoded only when they are used
MAX_GROWTH = 8  # limit of what a file can make, in multiples of its size
BASE = 8 * LONG  # bytes that are added to that size
MAX_STEPS = 4_000_000  # instructions; those of MOSEI, with 23,000 clips, have less than a million
# Keys in all dictionaries together. Those of MMSA are about 50; keys can be chosen so that each is
# compared with all before it.
MAX_KEYS = 10_000
NOTHING = object()  # where the memo has no entry


class _Tape:
    """The bytes of a pickle, as the file that `pickletools` reads arguments from."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> memoryview:
        left = len(self.data) - self.position
        if not 0 <= count <= left:
            raise UnsafePickle(f"{count} bytes announced where {left} are left: it is cut off")
        self.position += count
        return self.data[self.position - count : self.position]

    def read(self, count: int) -> bytes:
        return bytes(self.take(count))

    def readline(self) -> bytes:
        end = self.data[self.position : self.position + 256].tobytes().find(b"\n")
        if end < 0:
            raise UnsafePickle("a name without an end")
        return self.read(end + 1)


class _Machine:
    """The stack machine; `run` returns the object that the pickle describes."""

    def __init__(self, data: memoryview) -> None:
        self.tape = _Tape(data)
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: list[Any] = []
        self.steps = 0
        self.keys = 0
        self.room = MAX_GROWTH * (len(data) + BASE)  # bytes that may still be made

    def run(self) -> Any:
        """Execute the program up to its end."""
        while True:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise UnsafePickle(f"more than {MAX_STEPS} instructions")
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
        """The bytes or string after an opcode in `BULK`."""
        form = BULK[name]
        (count,) = struct.unpack(form, self.tape.read(struct.calcsize(form)))
        data = self.tape.take(count)
        if name == "SHORT_BINSTRING":  # Python 2
            return str(data, "latin1")
        if "UNICODE" not in name:
            return data
        return LongString(data) if count >= LONG else str(data, "utf-8", "surrogatepass")

    def step(self, name: str, argument: Any) -> None:
        """Execute one instruction."""
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
                stack.append(self.counted(EMPTY[name]()))
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT":
                stack.append(argument)
            case "TUPLE":
                self.stack = self.marks.pop()
                self.stack.append(self.counted(tuple(stack)))
            case _ if name in TUPLES:
                stack[-TUPLES[name] :] = [self.counted(tuple(stack[-TUPLES[name] :]))]
            case "APPEND" | "APPENDS":
                items = self.items(1) if name == "APPEND" else self.marked()
                checked(list, self.stack[-1]).extend(items)
            case "SETITEM" | "SETITEMS":
                items = self.items(2) if name == "SETITEM" else self.marked()
                self.set_items(checked(dict, self.stack[-1]), items)
            case "BINPUT" | "LONG_BINPUT":
                self.memoize(argument)
            case "MEMOIZE":
                self.memoize(len(self.memo))
            case "BINGET" | "LONG_BINGET":
                stack.append(self.remembered(argument))
            case "GLOBAL":
                stack.append(constructor(argument.replace(" ", ".", 1)))
            case "STACK_GLOBAL":
                module, attribute = self.items(2)
                stack.append(constructor(f"{checked(str, module)}.{checked(str, attribute)}"))
            case "REDUCE":
                function, arguments = self.items(2)
                value = checked(Constructor, function).make(*checked(tuple, arguments))
                stack.append(self.counted(value))
            case "BUILD":
                (state,) = self.items(1)
                self.build(checked(tuple, state))
            case _:
                raise UnsafePickle(f"the instruction {name}")

    def items(self, count: int) -> list[Any]:
        """Pop so many items."""
        items = self.stack[-count:]
        if len(items) < count:
            raise UnsafePickle("an instruction without what it works on")
        del self.stack[-count:]
        return items

    def marked(self) -> list[Any]:
        """Pop the items above the last mark."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def set_items(self, target: dict[str, Any], items: list[Any]) -> None:
        """Set keys, which are strings: numbers can be chosen so that they all collide."""
        self.keys += len(items) // 2
        if self.keys > MAX_KEYS:
            raise UnsafePickle(f"dictionaries with more than {MAX_KEYS} keys")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[checked(str, key)] = value

    def counted(self, value: Any) -> Any:
        """Count the bytes of a new object: a short program could copy one without end."""
        self.room -= max(getattr(value, "nbytes", 0), sys.getsizeof(value))
        if self.room < 0:
            raise UnsafePickle(f"instructions that make more than {MAX_GROWTH} times its size")
        return value

    def memoize(self, number: int) -> None:
        """Keep the top of the stack in the memo, whose numbers go up one by one."""
        if number > self.steps:
            raise UnsafePickle("a memo with gaps")
        self.memo += [NOTHING] * (number + 1 - len(self.memo))
        value = self.memo[number] = self.stack[-1]
        if isinstance(value, Unbuilt):
            value.memo_keys.append(number)

    def remembered(self, number: int) -> Any:
        """What the memo holds under a number."""
        value = self.memo[number] if number < len(self.memo) else NOTHING
        if value is NOTHING:
            raise UnsafePickle("a number that its memo lacks")
        return value

    def build(self, state: tuple[Any, ...]) -> None:
        """Replace an unbuilt array or dtype, on the stack and in the memo, by what it is."""
        unbuilt = checked(Unbuilt, self.stack[-1])
        built = self.stack[-1] = self.counted(unbuilt.built(state))
        for number in unbuilt.memo_keys:
            if self.memo[number] is unbuilt:
                self.memo[number] = built


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
        It is not a pickle, it is cut off, or it holds anything but dictionaries, lists, tuples,
        strings, numbers and numpy arrays of them. Nothing in it was run.
    """
    with plain(path).open("rb") as file:
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
    except MemoryError:
        raise UnsafePickle(f"{path} is refused: it does not fit into the memory") from None
    except Exception as error:  # a wrong instruction can fail in any way
        # The error's text can be as long as what it is about.
        raise UnsafePickle(f"{path} is refused: it is damaged ({type(error).__name__})") from None
