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
    path, content = tmp_path / "best.pth", b"\x80\x02" + ENDLESS[kind] + end
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", content)
            archive.writestr("archive/version", "3\n")
            archive.writestr("archive/byteorder", "little")
    else:
        path.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + content)
    begin = time.process_time()
    with pytest.raises(CheckpointError, match=r"best\.pth is refused: it holds a (list|tuple)"):
        read_published(path)
    assert time.process_time() - begin < 2


def test_pickle_that_is_packed_too_well_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "best.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + b"N" * (1 << 26) + b".")
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
