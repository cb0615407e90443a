"""Small pickles that ask for much: refused in little time and memory, whatever they do it with."""

import pickle
import re
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.datasets.mmsa.importing import import_mmsa
from extractors.datasets.mmsa.layout import Split
from extractors.datasets.mmsa.plain_objects import UnsafePickle
from extractors.datasets.mmsa.restricted_unpickler import LONG, unpickled

SECONDS, BYTES = 5.0, 200_000_000  # far more than is needed, far less than a bomb wants


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


def put(index: int) -> bytes:
    return b"r" + struct.pack("<I", index)


def get(index: int) -> bytes:
    return b"j" + struct.pack("<I", index)


def program(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def called(name: str, *arguments: bytes) -> bytes:
    module, _, function = name.rpartition(".")
    return f"c{module}\n{function}\n".encode() + b"(" + b"".join(arguments) + b"tR"


# A list that is printed as 2 ** 40 strings.
NESTED = text("x" * 8) + b"".join(
    put(i) + b"0](" + get(i) * 2 + b"e" + put(i + 1) for i in range(40)
)
DTYPE = called("numpy.dtype", text("f4"), b"\x89", b"\x88")
BUILT_DTYPE = DTYPE + b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
EMPTY_ARRAY = called("numpy.core.multiarray._reconstruct", b"N", b"(K\x00t", b"C\x01b")
FRAME = "numpy.core.numeric._frombuffer"


def array(
    data: bytes = b"C\x04abcd", dtype: bytes = BUILT_DTYPE, shape: bytes = b"K\x01\x85"
) -> bytes:
    return EMPTY_ARRAY + b"(K\x01" + shape + dtype + b"\x89" + data + b"tb"


WITH_NESTED = {  # a place where a value could reach a message, or be compared
    "dtype": called("numpy.dtype", NESTED, b"\x89", b"\x88"),
    "shape": array(shape=NESTED + b"\x85"),
    "shape itself": array(shape=NESTED),
    "data": array(data=NESTED),
    "dtype of an array": array(dtype=NESTED),
    "data of objects": array(dtype=called("numpy.dtype", text("O8")), data=NESTED + b"\x85"),
    "objects": array(dtype=called("numpy.dtype", text("O8")), data=b"]" + NESTED + b"a"),
    "state": EMPTY_ARRAY + NESTED + b"b",
    "too many states": EMPTY_ARRAY + b"(" + NESTED * 6 + b"tb",
    "byte order": DTYPE + b"(K\x03" + NESTED + b"NNNtb",
    "fields": DTYPE + b"(K\x03" + text("<") + b"NN" + NESTED + b"tb",
    "encoding": called("_codecs.encode", text("a"), NESTED),
    "what is encoded": called("_codecs.encode", NESTED, text("latin1")),
    "module": NESTED + text("system") + b"\x93",
    "function": b"K\x01" + NESTED + b"K\x01\x86R",
    "called": NESTED + b")R",
    "arguments": b"cnumpy\ndtype\n" + NESTED + b"R",
    "order": called(FRAME, b"C\x04abcd", BUILT_DTYPE, b"K\x01\x85", NESTED),
    "axes": called(FRAME, b"C\x04abcd", BUILT_DTYPE, b"K\x01\x85", text("K"), NESTED + b"\x85"),
    "too many arguments": called(FRAME, *[NESTED] * 9),
    "scalar": called("numpy.core.multiarray.scalar", BUILT_DTYPE, NESTED),
    "bytes": called("builtins.bytes", NESTED),
    "key": b"}" + NESTED + b"K\x01s",
    "key of a tuple": b"}" + NESTED + b"\x85K\x01s",
    "target": NESTED + b"\x85K\x01K\x01s",
}
HUGE = number(2**2000)
OBJECTS = called("numpy.dtype", text("O8"))
BYTES_OF_ARRAY = b"B" + struct.pack("<I", 400_000) + b"a" * 400_000
STATE = b"(K\x01" + number(100_000) + b"\x85" + BUILT_DTYPE + b"\x89" + get(1) + b"tb"
ASKS_FOR_MUCH = {  # with what is said of it
    "shape of huge numbers": (
        array(shape=HUGE + put(0) + b"0(" + get(0) * 20_000 + b"t"),
        "an array of 20000 axes",
    ),
    "shape of one huge number": (array(shape=HUGE + b"\x85"), "an axis that is too long"),
    "shape of less than nothing": (array(shape=number(-1) + b"\x85"), "shorter than nothing"),
    "dtype of many fields": (
        called("numpy.dtype", text("f4," * 300_000 + "f4"), b"\x89", b"\x88"),
        r"an array of dtype f4,f4,[f4,]+\.\.\.",
    ),
    "dtype of many digits": (
        called("numpy.dtype", text("f" + "9" * 500_000), b"\x89", b"\x88"),
        r"an array of dtype f9+\.\.\.",
    ),
    "name that is long": (text("a" * 900_000) + text("b") + b"\x93", r"holds a{100}\.\.\.;"),
    "keys that collide": (
        b"}(" + b"".join(number(k * (2**61 - 1)) + b"N" for k in range(1, 9000)) + b"u",
        "a int in the wrong place",
    ),
    "keys without end": (
        text("a" * 500_000) + put(0) + b"0}(" + (get(0) + b"N") * 10_001 + b"u",
        "dictionaries with more than 10000 keys",
    ),
    "memo with gaps": (b"N" + b"".join(put(k << 20) for k in range(1, 400)), "a memo with gaps"),
    "memo that ends far away": (b"N" + put(2**32 - 1), "a memo with gaps"),
    "memo that is empty": (get(2**31), "a number that its memo lacks"),
    "one array, built again": (
        BYTES_OF_ARRAY + put(1) + b"0" + EMPTY_ARRAY + put(2) + STATE + (b"0" + get(2) + STATE),
        "a ndarray in the wrong place",
    ),
    "one array, built at each of its places": (
        BYTES_OF_ARRAY + put(1) + b"0" + EMPTY_ARRAY + put(2) + get(2) + STATE + b"0" + STATE,
        "an array that is built twice",
    ),
    "many arrays of the same bytes": (
        BYTES_OF_ARRAY + put(1) + b"0" + (EMPTY_ARRAY + STATE) * 200,
        "make more than 8 times its size",
    ),
    "many arrays of the same objects": (
        b"](" + b"N" * 20_000 + b"e" + put(1) + b"0" + OBJECTS + put(2) + b"0"
        + (EMPTY_ARRAY + b"(K\x01M\x20\x4e\x85" + get(2) + b"\x89" + get(1) + b"tb") * 500,
        "make more than 8 times its size",
    ),
    "empty lists without end": (b"]" * 250_000, "make more than 8 times its size"),
    "tuples without end": (b"N" + b"\x85" * 250_000, "make more than 8 times its size"),
    "order of bytes that is long": (
        DTYPE + b"(K\x03" + text("<" * 900_000) + b"NNNtb",
        "an array in no order of bytes",
    ),
}  # fmt: skip


def refused(path: Path, read: Callable[[Path], Any]) -> str:
    tracemalloc.start()
    begin = time.process_time()
    try:
        with pytest.raises(UnsafePickle) as error:
            read(path)
        spent, most = time.process_time() - begin, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert spent < SECONDS
    assert most < BYTES
    assert str(error.value).startswith(str(path))
    assert len(str(error.value)) < 1000
    return str(error.value)


@pytest.mark.parametrize("place", WITH_NESTED)
def test_list_that_doubles_itself_is_never_printed(tmp_path: Path, place: str) -> None:
    path = tmp_path / "bad.pkl"
    path.write_bytes(program(WITH_NESTED[place]))
    refused(path, unpickled)


@pytest.mark.parametrize("kind", ASKS_FOR_MUCH)
def test_little_that_asks_for_much_is_refused_at_once(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractors.datasets.mmsa.restricted_unpickler.BASE", LONG)  # quicker
    path = tmp_path / "bad.pkl"
    content, message = ASKS_FOR_MUCH[kind]
    path.write_bytes(program(content))
    assert re.search(message, refused(path, unpickled))


def test_programs_of_too_many_instructions_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractors.datasets.mmsa.restricted_unpickler.MAX_STEPS", 1000)
    path = tmp_path / "bad.pkl"
    path.write_bytes(program(b"]" * 2000))
    assert "more than 1000 instructions" in refused(path, unpickled)


@pytest.mark.parametrize("name", ["bomb_shape.pkl", "bomb_sg.pkl"])
def test_bombs_that_were_reported_are_refused(faults: Path, name: str) -> None:
    refused(faults / "hostile" / name, unpickled)


@pytest.mark.parametrize("field", ["id", "raw_text", "text_bert", "audio", "regression_labels"])
@pytest.mark.parametrize("entries", [1, 3])
def test_fields_that_double_themselves_are_never_printed(
    tmp_path: Path, mmsa: Any, field: str, entries: int
) -> None:
    content = mmsa(("good", "bad"))
    nested: list[Any] = ["x"]
    for _ in range(40):
        nested = [nested, nested]
    content["test"][field] = [nested] * entries
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps(content))
    refused(path, lambda file: import_mmsa(file, tmp_path / "toy", name="toy", language="en"))
    assert not (tmp_path / "toy").exists()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("audio", np.zeros((0, 10**9, 10**9), np.int8), "audio is 1000000000 columns wide"),
        ("vision", np.zeros((3, 1, 100_000), np.int8), "vision is 100000 columns wide"),
        ("id", np.array(["a" * 900_000] * 3), r"the id 'a{100}\.\.\.' is there 3 times"),
        ("raw_text", None, "raw_text is a NoneType"),
    ],
)
def test_fields_beyond_any_size_are_refused(
    tmp_path: Path, mmsa: Any, field: str, value: Any, message: str
) -> None:
    content = mmsa(("good", "bad"))
    if not len(value if value is not None else "-"):
        content["test"] = {name: values[:0] for name, values in content["test"].items()}
    content["test"][field] = value
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps(content))
    said = refused(
        path, lambda file: import_mmsa(file, tmp_path / "toy", name="toy", language="en")
    )
    assert re.search(message, said)


@pytest.mark.parametrize("field", ["id", "raw_text"])
def test_a_text_that_is_referred_to_often_is_refused(
    tmp_path: Path, mmsa: Any, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    monkeypatch.setattr("extractors.datasets.mmsa.fields.MAX_TEXT", 1_000_000)
    content = mmsa(("good", "bad"))
    text = "\U0001f600" + "a" * 400_000  # four bytes a letter in Python's memory
    content["test"][field] = [text] * len(content["test"]["id"])
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps(content))
    said = refused(
        path, lambda file: import_mmsa(file, tmp_path / "toy", name="toy", language="en")
    )
    assert f"{field} holds more than 1000000 bytes of text" in said


def test_texts_are_kept_once_however_often_they_are_referred_to(mmsa: Any) -> None:
    content = mmsa(("good", "bad"))
    text = "a" * 1000
    content["test"]["raw_text"] = [text] * len(content["test"]["id"])
    split = Split.read(content["test"], "toy")
    assert all(each is text for each in split.raw_text)


def test_long_and_odd_names_of_fields_are_shortened(tmp_path: Path, mmsa: Any) -> None:
    content = mmsa(("good", "bad"))
    del content["train"]["raw_text"]
    content["train"] |= {f"\x1b[2J{k}" + "x" * 1000: 1 for k in range(50)}
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(UnsafePickle, match="it has no raw_text") as error:
        import_mmsa(path, tmp_path / "toy", name="toy", language="en")
    assert len(str(error.value)) < 3000
    assert "\x1b" not in str(error.value)
