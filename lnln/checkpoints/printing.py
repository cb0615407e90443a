"""Pickles that are short and ask for endless work, found before PyTorch reads them.

`torch.load` names what it refuses, and a list that holds itself twice, over and over, is as long as
2 to the power of its depth then. This reads the instructions without executing one, and measures
how long each tuple would be. What can still grow, lists and dictionaries, must not be referred to
again; PyTorch's own files never do.

Of what `torch.load` would call, only what weights need is let through: `bytearray` of a number
fills the memory. Keys are strings or short numbers: of others so many can be made equal in their
hashes that a dictionary takes hours.
"""

import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from contracts.plain_files import plain

MOST = 1 << 20  # characters of one tuple
MOST_PICKLE = 1 << 24  # bytes of the pickle in an archive; the weights lie beside it
MOST_CALLS = 1 << 15  # a tensor is a call; published files have less than two thousand
ARCHIVE = b"PK\x03\x04"
LEGACY = 5  # pickles at the beginning of a file of before PyTorch 1.6
TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "BINPERSID": 1}
GROWING = ("EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET")
MOST_SIZE = 100  # characters of a shape
DICT = "collections OrderedDict"
SIZE = "torch Size"
CALLED = frozenset(
    {
        DICT,
        "torch.nn.parameter Parameter",
        *("torch.serialization _get_layout", SIZE),  # of sparse tensors, which are refused later
        *(f"torch._utils _rebuild_{kind}" for kind in ("tensor", "tensor_v2", "tensor_v3")),
        *(f"torch._utils _rebuild_{kind}" for kind in ("parameter", "qtensor", "sparse_tensor")),
        "torch._utils _rebuild_meta_tensor_no_storage",
    }
)
TAKEN = {"APPEND": 1, "SETITEM": 2, "BUILD": 1}  # items that go into what is below them


class Endless(ValueError):
    """A pickle that must not be read."""


class _Cell(NamedTuple):
    """What is known of an object on the stack."""

    length: int
    grows: bool = False
    name: str = ""  # of a function
    is_key: bool = False  # may be one


NO_ARGUMENTS = _Cell(1)


def check_printable(path: Path) -> None:
    """Make sure that nothing in a file of PyTorch takes endless work to read, or to print.

    Pickles that are damaged, or hold what PyTorch does not read, are left to PyTorch.

    Raises
    ------
    OSError
        The file cannot be read.
    Endless
        Something is, or it is a damaged archive.
    """
    with plain(path).open("rb") as file:
        if file.read(4) != ARCHIVE:  # as PyTorch tells the two apart
            file.seek(0)
            for _ in range(LEGACY):
                if not _scanned(file):
                    return
            return
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith(".pkl"):
                    if info.file_size > MOST_PICKLE:
                        raise Endless(f"{info.file_size} bytes beside the weights")
                    with archive.open(info) as file:
                        _scanned(file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise Endless("a damaged archive") from error


def _scanned(file: IO[bytes]) -> bool:
    """Scan one pickle; whether it was read to its end."""
    stack: list[_Cell] = []
    marks: list[int] = []
    memo: dict[int, _Cell] = {}
    calls = 0
    try:
        for name, argument in _instructions(file):
            if name == "MARK":
                marks.append(len(stack))
            elif name in ("APPENDS", "SETITEMS", "TUPLE"):
                start = marks.pop()
                items = stack[start:]
                del stack[start:]
                if name == "TUPLE":
                    stack.append(_joined(items))
                elif name == "SETITEMS":
                    _check_keys(items[::2])
            elif name in TAKEN:
                if name == "SETITEM":
                    _check_keys(stack[-2:-1])
                del stack[-TAKEN[name] :]
            elif name in TUPLES:
                items = stack[len(stack) - TUPLES[name] :]
                del stack[len(stack) - TUPLES[name] :]
                stack.append(_joined(items) if items else NO_ARGUMENTS)
            elif name in ("REDUCE", "NEWOBJ"):
                function, arguments = stack[-2:]
                _check_call(function, arguments)
                calls += 1
                if calls > MOST_CALLS:
                    raise Endless(f"more than {MOST_CALLS} tensors")
                grows = not function.name.startswith("torch")
                stack[-2:] = [_Cell(_joined([function, arguments]).length, grows)]
            elif name in ("BINPUT", "LONG_BINPUT"):
                memo[int(str(argument))] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET"):
                cell = memo[int(str(argument))]
                if cell.grows:
                    raise Endless("a list or dictionary that is there more than once")
                stack.append(cell)
            elif name in GROWING:
                stack.append(_Cell(1, grows=True))
            elif name == "STOP":
                return True
            elif name == "GLOBAL":
                stack.append(_Cell(1, name=str(argument)))
            elif name != "PROTO":
                is_text = isinstance(argument, str)
                length = 1 + (len(str(argument)) if is_text else 0)
                stack.append(_Cell(length, is_key=is_text or name.startswith("BININT")))
    except Endless:
        raise
    except Exception:  # a wrong instruction can fail in any way, and PyTorch will say so
        return False
    return False


def _instructions(file: IO[bytes]) -> Iterator[tuple[str, object]]:
    """Names and arguments; the end at what PyTorch does not read."""
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in ("POP", "POP_MARK", "DUP", "LIST", "DICT", "OBJ", "INST", "ADDITEMS"):
            return
        yield opcode.name, argument


def _check_call(function: _Cell, arguments: _Cell) -> None:
    if function.name not in CALLED:
        raise Endless(f"a call of {function.name.replace(' ', '.')[:100] or 'nothing'}")
    if function.name == DICT and arguments is not NO_ARGUMENTS:  # with keys of any kind
        raise Endless("a dictionary that is made of something else")
    if function.name == SIZE and arguments.length > MOST_SIZE:
        raise Endless("a shape of very many axes")


def _check_keys(keys: list[_Cell]) -> None:
    if not all(key.is_key for key in keys):
        raise Endless("a dictionary whose keys are not all names or short numbers")


def _joined(items: list[_Cell]) -> _Cell:
    length = 1 + sum(cell.length for cell in items)
    if length > MOST:
        raise Endless(f"a tuple of more than {MOST} characters")
    return _Cell(length)
