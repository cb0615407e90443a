"""Text models that a user chose: compared with their own config before anybody reads from them.

Transformers fills what a file lacks with numbers drawn by chance, and its config can describe a
model of any size. Models that are known by name have a sha256 instead.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from extractors.errors import MissingAsset

KINDS = ("bert", "mpnet")  # that the text extractor reads
MAX_SIZE = 1 << 20  # of any number in a config
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def check_text_model(folder: Path) -> None:
    """Make sure that the weights in a folder are those of its config; once in a process.

    A folder without ``model.safetensors`` is of another kind of model, and not looked at.

    Raises
    ------
    MissingAsset
        They are not, or are damaged; the message says how.
    """
    if (folder / WEIGHTS).is_file() and (folder / CONFIG).is_file():
        stats = [(folder / name).stat() for name in (CONFIG, WEIGHTS)]
        problem = _problem(folder, *((stat.st_mtime_ns, stat.st_size) for stat in stats))
        if problem is not None:
            raise MissingAsset(f"{folder} is not a usable text model: {problem}")


@cache
def _problem(folder: Path, config: tuple[int, int], weights: tuple[int, int]) -> str | None:
    try:
        described = json.loads((folder / CONFIG).read_bytes())
        if not isinstance(described, dict):
            return f"{CONFIG} is no object"
        if described.get("model_type") not in KINDS:
            kind = str(described.get("model_type"))[:50]
            return f"it is a {kind!r} model; one of {', '.join(KINDS)} is needed"
        for name, value in described.items():
            if isinstance(value, (int, float)) and not abs(value) <= MAX_SIZE:
                return f"{name} in {CONFIG} is beyond {MAX_SIZE}"
        return _compared(folder, described, weights[1])
    except Exception as error:  # damaged files fail in any way
        reason = next(iter(str(error).strip().splitlines()), "")[:200]
        return f"it is damaged ({type(error).__name__}: {reason})"


def _compared(folder: Path, described: dict[str, Any], size: int) -> str | None:
    """Compare tensors with the model that the config describes, which is not filled at first."""
    import torch
    from safetensors import safe_open
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    with safe_open(folder / WEIGHTS, "pt") as file:
        tensors = len(list(file.keys()))
    if described.get("num_hidden_layers", 0) > tensors:
        return f"{CONFIG} describes more layers than {WEIGHTS} has tensors"
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    AutoTokenizer.from_pretrained(str(folder), use_fast=True, **local)
    config = AutoConfig.from_pretrained(str(folder), **local)
    config._attn_implementation = None  # it can name code that would be fetched
    with torch.device("meta"):
        numbers = sum(p.numel() for p in AutoModel.from_config(config).parameters())
    if numbers > size:
        return f"{CONFIG} describes {numbers} weights, more than {WEIGHTS} has bytes"
    model, info = AutoModel.from_pretrained(
        str(folder), config=config, use_safetensors=True, output_loading_info=True, **local
    )
    missing = sorted(name for name in info["missing_keys"] if not name.startswith("pooler."))
    if missing:
        return f"{WEIGHTS} lacks {missing[0]} (and {len(missing) - 1} more)"
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            return f"{name} in {WEIGHTS} is not finite"
    return None
