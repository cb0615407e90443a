"""What tests of several packages need: a tiny BERT, and pickles in the layout of MMSA."""

import os
import pickle
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extractors.workers.compiling import VARIABLE, machine_code

# What workers compile need not be compiled here again; and pytest's workers share the cores: more
# threads than those would wait for each other, ten times as long as they work.
os.environ[VARIABLE] = str(machine_code())
os.environ.setdefault("OMP_NUM_THREADS", "1")

FAULTS = os.environ.get("LNLN_FAULTS")  # folder of small files that broke earlier versions

MakeBert = Callable[..., Path]
MakePickle = Callable[..., dict[str, Any]]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def write_bert(folder: Path, words: Sequence[str], width: int = 8, positions: int = 64) -> Path:
    """Write a BERT with random weights and a vocabulary of its own; [UNK] is 1, not 100."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *words]) + "\n", "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(words),
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=positions,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def faults() -> Path:
    """Folder of small files that broke earlier versions, where `LNLN_FAULTS` names one."""
    if not FAULTS:
        pytest.skip("LNLN_FAULTS does not name the folder of faulty files")
    return Path(FAULTS)


@pytest.fixture(scope="session")
def full_disk() -> Callable[[], AbstractContextManager[None]]:
    """In its context a file can hold 1,000 bytes, and whoever writes more is told in an OSError."""

    @contextmanager
    def limited() -> Iterator[None]:
        least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))

    return limited


@pytest.fixture
def make_bert(tmp_path: Path) -> MakeBert:
    """`write_bert` into the test's folder."""
    return lambda words, **more: write_bert(tmp_path / "bert", words, **more)


def mmsa_split(
    name: str,
    clips: int,
    words: Sequence[str],
    *,
    text: tuple[int, int] = (10, 8),
    audio: tuple[int, int] = (12, 5),
    vision: tuple[int, int] = (9, 4),
    seed: int = 0,
) -> dict[str, Any]:
    """One split of random values; [CLS] is 2 and [SEP] is 3, and words are numbered from 5."""
    draw = np.random.default_rng([seed, clips])
    bert = np.zeros((clips, 3, text[0]), np.float32)
    raw_text = []
    for clip in range(clips):
        count = draw.integers(1, text[0] - 1) if clip else text[0] - 2
        chosen = draw.integers(len(words), size=count)
        ids = [2, *(5 + chosen), 3]
        bert[clip, 0, : len(ids)] = ids
        bert[clip, 1, : len(ids)] = 1
        raw_text.append(" ".join(words[i] for i in chosen))
    content: dict[str, Any] = {
        "raw_text": np.array(raw_text),
        "id": np.array([f"{name}{clip // 3}$_${clip}" for clip in range(clips)]),
        "text": draw.standard_normal((clips, *text), np.float32),
        "text_bert": bert,
        "regression_labels": draw.uniform(-3, 3, clips).astype(np.float32),
    }
    for modality, shape in (("audio", audio), ("vision", vision)):
        lengths = draw.integers(1, max(shape[0] // 4, 10), size=clips)
        lengths[0] = shape[0]  # as in MOSI, most clips are far shorter than the longest
        values = draw.standard_normal((clips, *shape), np.float32)
        values[np.arange(shape[0]) >= lengths[:, None]] = 0
        content |= {modality: values, f"{modality}_lengths": lengths.tolist()}
    labels = content["regression_labels"]
    content["annotations"] = np.array(["Negative", "Neutral", "Positive"])[
        np.sign(labels).astype(int) + 1
    ]
    content["classification_labels"] = np.sign(labels) + 1
    return content


@pytest.fixture(scope="session")
def mmsa() -> MakePickle:
    """Makes the content of a pickle: `mmsa(words, train=6, valid=3, test=3, **shapes)`."""

    def make(
        words: Sequence[str], train: int = 6, valid: int = 3, test: int = 3, **shapes: Any
    ) -> dict[str, Any]:
        counts = {"train": train, "valid": valid, "test": test}
        return {
            name: mmsa_split(name, count, words, seed=seed, **shapes)
            for seed, (name, count) in enumerate(counts.items())
        }

    return make


@pytest.fixture
def write_pickle(tmp_path: Path) -> Callable[..., Path]:
    def write(content: Any, name: str = "unaligned.pkl", protocol: int = 4) -> Path:
        (tmp_path / name).write_bytes(pickle.dumps(content, protocol=protocol))
        return tmp_path / name

    return write
