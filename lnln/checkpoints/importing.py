"""Checkpoints of the published LNLN code, made ours.

Such a file is a pickle of `epoch`, `optimizer` and `state_dict`. It is read with
`weights_only=True`, so that nothing in it can run, and has to hold exactly the weights of the
network that its published settings describe.
"""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Parameter

from contracts.features import FeatureInfo
from contracts.schemas import Modality
from lnln.checkpoints.checkpoint import Checkpoint, best_device
from lnln.checkpoints.config import CheckpointError, Config
from lnln.checkpoints.printing import Endless, check_printable
from lnln.checkpoints.weights import Weights
from lnln.data.language import LanguageEncoder
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.published_names import published_name
from lnln.models.lnln.settings import LNLNSettings, LossWeights
from lnln.settings import MetricSet, Shapes

KEYS = {"epoch", "optimizer", "state_dict"}
# In BERT's part of the published files, and without a use here: indices that are 0, 1, 2, ..., and
# the pooler, of which LNLN reads nothing.
UNUSED = {
    f"bertmodel.model.{name}"
    for name in ("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias")
}


class Published(NamedTuple):
    """What the published code knows of a corpus and does not write into its checkpoints.

    Attributes
    ----------
    corpus : str
    shapes : Shapes
        Of the unaligned features of MMSA, which the published code reads.
    fusion_depth : int
    adversarial : float
        Weight of the adversarial loss; the other weights are LNLN's defaults.
    metric_set : {"mosi", "sims"}
    label_range : tuple of float
    text_model : str
        Hugging Face id of its BERT.
    bert : dict
        What its config has besides the defaults.
    """

    corpus: str
    shapes: Shapes
    fusion_depth: int
    adversarial: float
    metric_set: MetricSet
    label_range: tuple[float, float]
    text_model: str
    bert: dict[str, Any]


def _shapes(dims: tuple[int, int, int], lengths: tuple[int, int, int]) -> Shapes:
    names = ("text", "audio", "vision")
    values = {f"{name}_dim": dim for name, dim in zip(names, dims, strict=True)}
    values |= {f"{name}_length": rows for name, rows in zip(names, lengths, strict=True)}
    return Shapes(**values)


UNK = 100  # what the published code, whatever the vocabulary, puts in a dropped token's place
ENGLISH = ("bert-base-uncased", {"vocab_size": 30522})
CHINESE = ("bert-base-chinese", {"vocab_size": 21128})
# The published settings (arXiv 2409.20012 and its code); text, audio, vision.
PUBLISHED = {
    "mosi": Published(
        "CMU-MOSI", _shapes((768, 5, 20), (50, 375, 500)), 2, 0.8, "mosi", (-3, 3), *ENGLISH
    ),
    "mosei": Published(
        "CMU-MOSEI", _shapes((768, 74, 35), (50, 500, 500)), 4, 0.8, "mosi", (-3, 3), *ENGLISH
    ),
    "sims": Published(
        "CH-SIMS", _shapes((768, 33, 709), (39, 400, 55)), 4, 0.6, "sims", (-1, 1), *CHINESE
    ),
}


def import_checkpoint(path: Path | str, dataset: str) -> Checkpoint:
    """Read a checkpoint that the published code wrote.

    Parameters
    ----------
    path : Path or str
        The `.pth` file.
    dataset : str
        Which published settings it was trained with, a key of `PUBLISHED`.

    Returns
    -------
    Checkpoint
        Of the variant `official`. It reads MMSA's features, so that `extraction` is refused.

    Raises
    ------
    OSError
        If the file cannot be read.
    CheckpointError
        If it holds anything but weights, or not exactly those of the network; it names them.
    """
    if dataset not in PUBLISHED:
        raise CheckpointError(f"{dataset!r} is none of the published {', '.join(PUBLISHED)}")
    path, published = Path(path), PUBLISHED[dataset]
    state = read_published(path)
    shapes = published.shapes
    settings = LNLNSettings(
        variant="official",
        fusion_depth=published.fusion_depth,
        loss=LossWeights(adversarial=published.adversarial),
    )
    language = LanguageEncoder.from_config({"model_type": "bert"} | published.bert)
    model = LNLN(settings, shapes, language)
    model.load_state_dict(_translated(path, state, model))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    config = Config(
        model="lnln",
        settings=settings,
        shapes=shapes,
        normalisation=None,
        features={
            "text": mmsa_features(
                dataset,
                "text",
                shapes.text_dim,
                settings={"model": published.text_model},
                unk_id=UNK,
                pad_id=0,
            ),
            "audio": mmsa_features(dataset, "audio", shapes.audio_dim),
            "vision": mmsa_features(dataset, "vision", shapes.vision_dim),
        },
        language=language.config,
        metric_set=published.metric_set,
        label_range=published.label_range,
        dataset=dataset,
        notice=f"trained by the published code on MMSA's features of {published.corpus}",
        training={"imported": {"file": path.name, "sha256": sha256}},
    )
    return Checkpoint(model.to(best_device()).eval(), config)


def mmsa_features(dataset: str, modality: Modality, width: int, **more: Any) -> FeatureInfo:
    """Describe MMSA's unaligned features as `lnln import-mmsa` does: columns are numbered."""
    return FeatureInfo(
        modality=modality,
        names=tuple(f"{modality}_{column}" for column in range(width)),
        source=f"MMSA's unaligned features of {dataset}",
        **more,
    )


def read_published(path: Path) -> dict[str, Tensor]:
    """Read the weights of a file of the published code; nothing in it can run.

    Raises
    ------
    OSError
        If the file cannot be read.
    CheckpointError
        If it holds anything but `epoch`, `optimizer` and a `state_dict` of tensors.
    """
    try:
        check_printable(path)
    except Endless as error:
        raise CheckpointError(f"{path} is refused: it holds {error}") from error
    try:
        with warnings.catch_warnings(action="ignore"):  # of old or odd pickles
            # Mapped where the format allows, the optimiser's two thirds of the file stay unread.
            content = torch.load(
                path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
            )
    except OSError:
        raise
    except Exception as error:  # torch.load names no set of errors for what is no checkpoint
        raise CheckpointError(f"{path} is refused: {_reason(error)}") from error
    content, state = _plain(content), _plain(_plain(content).get("state_dict"))
    if not state:
        raise CheckpointError(
            f"{path} is refused: it has no state_dict, so the code of LNLN did not write it"
        )
    others = [key for key in content if key not in KEYS]
    others += [key for key, value in state.items() if not isinstance(value, Tensor)]
    if others:
        raise CheckpointError(
            f"{path} is refused: it also holds {_some(others)}, where epoch, optimizer and a "
            "state_dict of tensors were expected"
        )
    for key, value in state.items():
        odd = "sparse" if value.layout is not torch.strided else None
        odd = "quantised" if value.is_quantized else odd
        odd = "without values (on the meta device)" if value.is_meta else odd
        if odd is not None or type(value) not in (Tensor, Parameter):
            raise CheckpointError(
                f"{path} is refused: {_some([key])} is {odd or 'no plain tensor'}; save it as a "
                "dense tensor on the CPU"
            )
    return state


def _plain(content: Any) -> dict[Any, Any]:
    """Items of a dictionary; a file can give one methods of its own, which are not asked."""
    return dict(dict.items(content)) if isinstance(content, dict) else {}


def _reason(error: Exception) -> str:
    """The line of a torch.load error that says what is wrong; the others say how to trust it."""
    lines = str(error).splitlines()
    return next(
        (line for line in lines if line.startswith(("Trying to load", "Unsupported"))),
        "torch cannot read it, it is damaged or no checkpoint",
    )


def _translated(path: Path, state: dict[str, Tensor], model: LNLN) -> Weights:
    """Return the weights under our names, of the shapes that the network has."""
    names = {name: published_name(name) for name in model.state_dict()}
    unknown = [name for name in state if name not in {*names.values(), *UNUSED}]
    missing = [name for name in names.values() if name not in state]
    hint = f"was it trained with the settings of another of {', '.join(PUBLISHED)}?"
    for what, wrong in (("is unknown", unknown), ("is missing", missing)):
        if wrong:
            raise CheckpointError(f"{path} is refused: {_some(wrong)} {what}; {hint}")
    for name, tensor in model.state_dict().items():
        stored = state[names[name]]
        if stored.shape != tensor.shape:
            raise CheckpointError(
                f"{path} is refused: {names[name]} has the shape {list(stored.shape)}, the network "
                f"of these settings {list(tensor.shape)}; {hint}"
            )
        if not stored.is_floating_point():
            raise CheckpointError(
                f"{path} is refused: {names[name]} is of {stored.dtype}, not of real numbers"
            )
        if not stored.isfinite().all():
            raise CheckpointError(f"{path} is refused: {names[name]} is not finite")
    return {name: state[names[name]] for name in names}


def _some(names: Iterable[Any]) -> str:
    first, *others = sorted(map(str, names))
    return f"{first} (and {len(others)} more)" if others else first
