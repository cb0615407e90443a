"""Files of PyTorch that are no plain weights, or short and endless: refused by name."""

import pickle
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lnln.checkpoints.config import CheckpointError
from lnln.checkpoints.importing import read_published

STATE = {"h": torch.ones(3, 4)}


def saved(path: Path, state: dict[str, Any], **options: Any) -> Path:
    torch.save({"epoch": 1, "optimizer": {"state": {}}, "state_dict": state}, path, **options)
    return path


@pytest.mark.parametrize("zipped", [True, False])
def test_plain_weights_are_read(tmp_path: Path, zipped: bool) -> None:
    shared = torch.arange(6.0)  # one storage, seen twice
    state = STATE | {"a": shared, "b": shared, "c": torch.nn.Parameter(torch.ones(2))}
    path = saved(tmp_path / "best.pth", state, _use_new_zipfile_serialization=zipped)
    read = read_published(path)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], state[name]) for name in state)


def test_state_of_an_optimiser_and_of_modules_is_let_through(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimiser = torch.optim.AdamW(
        [{"params": model[0].parameters()}, {"params": model[1].parameters(), "lr": 1.0}]
    )
    model(torch.ones(4, 3)).sum().backward()
    optimiser.step()
    content = {
        "epoch": 3,
        "optimizer": optimiser.state_dict(),
        "state_dict": model.state_dict(),
    }
    torch.save(content, tmp_path / "best.pth")
    assert read_published(tmp_path / "best.pth").keys() == model.state_dict().keys()


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (lambda: torch.eye(3).to_sparse(), "h is sparse"),
        (lambda: torch.eye(3).to_sparse_csr(), "h is sparse"),
        (lambda: torch.empty(10**9, 10**6, device="meta"), r"h is without values"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "h is quantised"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_tensor_that_is_not_plain_is_named(
    tmp_path: Path, tensor: Callable[[], torch.Tensor], message: str
) -> None:
    path = saved(tmp_path / "best.pth", {"h": tensor()})
    with pytest.raises(CheckpointError, match=rf"best\.pth is refused: ({message}|torch cannot)"):
        read_published(path)


def put(index: int) -> bytes:
    return b"r" + struct.pack("<I", index)


def get(index: int) -> bytes:
    return b"j" + struct.pack("<I", index)


def doubled(first: bytes, once: Callable[[bytes], bytes]) -> bytes:
    return first + b"".join(put(i) + once(get(i)) for i in range(40)) + put(40)


WORD = b"X\x08\x00\x00\x00xxxxxxxx"
ENDLESS = {
    "lists": doubled(WORD, lambda item: b"](" + item * 2 + b"e"),
    "dictionaries": doubled(WORD, lambda item: b"}(K\x01" + item + b"K\x02" + item + b"u"),
    "tuples": doubled(WORD, lambda item: item + item + b"\x86"),
    "long tuples": doubled(WORD, lambda item: b"(" + item * 9 + b"t"),
    "ordered dictionaries": doubled(
        WORD,
        lambda item: b"ccollections\nOrderedDict\n)R(K\x01" + item + b"K\x02" + item + b"u",
    ),
    "lists that are filled from the outside": b"".join(b"]" + put(i) for i in range(40))
    + b"".join(get(i) + b"(" + get(i + 1) * 2 + b"e" for i in range(39)),
    "tuples of lists": doubled(b"]", lambda item: item + item + b"\x86"),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("end", [b")R.", b"."])
@pytest.mark.parametrize("zipped", [True, False])
def test_little_that_is_endless_when_printed_is_refused_at_once(
    tmp_path: Path, kind: str, end: bytes, zipped: bool
) -> None:
    path, content = tmp_path / "best.pth", ENDLESS[kind] + end
    (archived if zipped else legacy)(path, content)
    begin = time.process_time()
    with pytest.raises(CheckpointError, match=r"best\.pth is refused: it holds a (list|tuple)"):
        read_published(path)
    assert time.process_time() - begin < 2


def archived(path: Path, content: bytes) -> Path:
    """Write a pickle as PyTorch's archives have it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + content)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return path


def legacy(path: Path, content: bytes) -> Path:
    """Write a pickle as files of before PyTorch 1.6 have it."""
    path.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + b"\x80\x02" + content)
    return path


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


EQUAL_HASHES = b"".join(number(k * (2**61 - 1)) + b"N" for k in range(1, 20_000))
KEY = b"X\x01\x00\x00\x00a" + b"".join(put(i) + get(i) + b"\x86" for i in range(17)) + put(17)
WORK = {  # with what is said of it
    "bytes of a number": (b"cbuiltins\nbytearray\n" + number(10**13) + b"\x85R", "builtins.byte"),
    "set": (b"cbuiltins\nset\n](" + EQUAL_HASHES + b"e\x85R", "a call of builtins.set"),
    "counter": (b"ccollections\nCounter\n](" + EQUAL_HASHES + b"e\x85R", "a call of collections"),
    "tensor of a number": (b"ctorch\nFloatTensor\n" + number(10**13) + b"\x85R", "FloatTensor"),
    "nested tensor": (b"ctorch._utils\n_rebuild_nested_tensor\n(NNNNtR", "_rebuild_nested_tensor"),
    "new object": (b"ctorch\nFloatTensor\n" + number(10**13) + b"\x85\x81", "torch.FloatTensor"),
    "keys of one hash": (b"}(" + EQUAL_HASHES + b"u", "names or short numbers"),
    "key by key": (b"}" + EQUAL_HASHES.replace(b"N", b"Ns"), "names or short numbers"),
    "long keys": (KEY + b"}" + (get(17) + b"Ns") * 1000, "names or short numbers"),
    "pairs": (
        b"ccollections\nOrderedDict\n](" + number(5) + b"N\x86e\x85R",
        "made of something else",
    ),
    "calls": (b"ccollections\nOrderedDict\n)R" * 40_000, "more than 32768 tensors"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WORK)
@pytest.mark.parametrize("zipped", [True, False])
def test_little_that_asks_for_much_work_is_refused_at_once(
    tmp_path: Path, kind: str, zipped: bool
) -> None:
    path, (content, message) = tmp_path / "best.pth", WORK[kind]
    (archived if zipped else legacy)(path, content + b".")
    begin = time.process_time()
    with pytest.raises(CheckpointError, match=rf"best\.pth is refused: it holds .*{message}"):
        read_published(path)
    assert time.process_time() - begin < 2


def test_items_of_a_state_that_hides_them_are_checked(tmp_path: Path) -> None:
    made = b"ccollections\nOrderedDict\n"
    state = (
        made + b")R" + text("h") + b"K\x05s}" + text("items") + made + b"sb"
    )  # items() finds none
    content = b"}(" + text("epoch") + b"K\x01" + text("state_dict") + state + b"u."
    with pytest.raises(CheckpointError, match="it also holds h"):
        read_published(archived(tmp_path / "best.pth", content))


def test_pickle_that_is_packed_too_well_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "best.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"N" * (1 << 24) + b".")
        archive.writestr("archive/version", "3\n")
    with pytest.raises(CheckpointError, match="bytes beside the weights"):
        read_published(path)


def test_archive_behind_a_pickle_does_not_hide_it(tmp_path: Path) -> None:
    saved(tmp_path / "good.pth", STATE)
    path = tmp_path / "best.pth"
    path.write_bytes(
        pickle.dumps(0x1950A86A20F9469CFC6C, 2)
        + (b"\x80\x02" + ENDLESS["lists"] + b")R.")
        + (tmp_path / "good.pth").read_bytes()
    )
    with pytest.raises(CheckpointError, match=r"best\.pth is refused: it holds a list"):
        read_published(path)
