import os
import pickle
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.datasets.mmsa.plain_objects import UnsafePickle
from extractors.datasets.mmsa.restricted_unpickler import unpickled


class Hostile:
    """Runs a command when it is unpickled the usual way."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def write(path: Path, content: Any, protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


PLAIN = {
    "text": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "fortran, three axes": np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    "transposed": np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2),
    "turned": np.arange(24, dtype=np.int16).reshape(2, 3, 4).transpose(2, 0, 1),
    "steps": np.arange(24.0).reshape(4, 6)[::2, ::3],
    "big": np.arange(3, dtype=">i4"),
    "words": np.array(["ja", "nein, 不"]),
    "objects": np.array(["ja", None, 3.5], dtype=object),
    "empty": np.empty((0, 3)),
    "flags": np.array([True, False]),
    "scalar": np.float64(0.25),
    "list": [1, -2, 3.5, "x", b"y", b"", True, None, (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), 2**40],
    "same": [[]],
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data_of_every_protocol_is_read_as_pickle_would(
    tmp_path: Path, protocol: int
) -> None:
    content = unpickled(write(tmp_path / "a.pkl", PLAIN, protocol))
    for name, value in PLAIN.items():
        if isinstance(value, np.ndarray):
            assert content[name].dtype == value.dtype
            np.testing.assert_array_equal(content[name], value)
        else:
            assert content[name] == value, name


@pytest.mark.parametrize("protocol", [2, 4])
def test_pickles_of_the_other_numpy_are_read(tmp_path: Path, protocol: int) -> None:
    """numpy 1 has its core elsewhere than numpy 2."""
    data = pickle.dumps({"a": np.arange(3.0)}, protocol=protocol)
    assert b"numpy._core.multiarray" in data
    old = data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    if protocol == 4:
        old = old.replace(b"\x8c\x16numpy.core", b"\x8c\x15numpy.core")
        frame = struct.pack("<Q", len(old) - 11)
        old = old[:3] + frame + old[11:]
    (tmp_path / "a.pkl").write_bytes(old)
    np.testing.assert_array_equal(unpickled(tmp_path / "a.pkl")["a"], np.arange(3.0))


def hostile(kind: str, marker: Path) -> bytes:
    evil = Hostile(marker)
    array = np.empty(2, object)
    array[:] = ["fine", evil]
    long = b"\x80\x04\x8e" + struct.pack("<Q", 10 << 30) + b"only this"
    again = b"c_codecs\nencode\nq\x00X" + struct.pack("<I", 1 << 19) + b"a" * (1 << 19)
    again += b"q\x01X\x06\x00\x00\x00latin1q\x02" + b"h\x00h\x01h\x02\x86R" * 100_000
    return {
        "bytes again and again": b"\x80\x02" + again + b".",
        "reduce": pickle.dumps({"train": evil}),
        "reduce, protocol 2": pickle.dumps(evil, protocol=2),
        "array of objects": pickle.dumps({"train": {"raw_text": array}}),
        "cut off": pickle.dumps(PLAIN)[:-40],
        "length of 10 GB": long,
        "array length of 10 GB": long.replace(b"\x8e", b"\x96"),
        "frame of 10 GB": b"\x80\x04\x95" + struct.pack("<Q", 10 << 30) + b"N",
        "string": b"\x80\x04\x8d" + struct.pack("<Q", 10 << 30) + b"N",
        "bytes of a number": b"\x80\x02cbuiltins\nbytes\nJ\x00\x00\x00\x7f\x85R.",
        "bytes of a number, Python 2": b"\x80\x02c__builtin__\nbytes\nJ\x00\x00\x00\x7f\x85R.",
        "bytes of a list": b"\x80\x02c__builtin__\nbytes\n](K\x01e\x85R.",
        "bytes of a string": b"\x80\x02cbuiltins\nbytes\n\x8c\x01a\x8c\x05ascii\x86R.",
        "persistent id": b"\x80\x04\x8c\x01aQ.",
        "instance": b"\x80\x02(cos\nsystem\n\x8c\x01ao.",
        "text": b"import os",
        "nothing": b"",
    }[kind]


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("reduce", "posix.system"),
        ("reduce, protocol 2", "posix.system"),
        ("array of objects", "posix.system"),
        ("cut off", "cut off"),
        ("length of 10 GB", "10737418240 bytes announced where 9 are left"),
        ("array length of 10 GB", "10737418240 bytes announced"),
        ("frame of 10 GB", "cut off|damaged"),
        ("string", "10737418240 bytes announced"),
        ("bytes again and again", "make more than 8 times its size"),
        ("bytes of a number", r"bytes\(\) of a int"),
        ("bytes of a number, Python 2", r"bytes\(\) of a int"),
        ("bytes of a list", r"bytes\(\) of a list"),
        ("bytes of a string", r"bytes\(\) of a str"),
        ("persistent id", "the instruction BINPERSID"),
        ("instance", "os.system"),
        ("text", "no pickle"),
        ("nothing", "no pickle"),
    ],
)
def test_hostile_file_is_refused_at_once_with_what_it_holds(
    tmp_path: Path, kind: str, named: str
) -> None:
    marker, path = tmp_path / "marker", tmp_path / "bad.pkl"
    path.write_bytes(hostile(kind, marker))
    begin = time.process_time()
    with pytest.raises(UnsafePickle, match=rf"bad\.pkl is refused: .*({named})"):
        unpickled(path)
    assert time.process_time() - begin < 1
    assert not marker.exists()


@pytest.mark.parametrize(
    "content", [np.zeros(2, "f4,i4"), {1, 2}, slice(1), np.array([[1, 2], "a"], dtype=object)]
)
def test_data_that_is_not_plain_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(UnsafePickle, match="refused"):
        unpickled(write(tmp_path / "a.pkl", content))


def test_array_that_is_not_as_large_as_it_says_is_refused(tmp_path: Path) -> None:
    data = pickle.dumps(np.zeros(200, np.uint8), protocol=4).replace(b"K\xc8\x85", b"K\xc9\x85")
    (tmp_path / "a.pkl").write_bytes(data)
    with pytest.raises(UnsafePickle, match="array"):
        unpickled(tmp_path / "a.pkl")
