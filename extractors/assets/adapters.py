"""Language models made of a known one and a small adapter: merged once, then a folder like others.

An adapter is what `pipeline.stages.tune` writes: low-rank updates of the base's weight matrices in
the layout of the library PEFT (Hu et al., "LoRA", arXiv 2106.09685), and a linear head that reads
ratings from the mean of the hidden states.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

from extractors.assets.cache import cache_folder, making
from extractors.errors import MissingAsset

ADAPTERS = ("minilm-rated", "mpnet-rated")  # those that come with this program
CONFIG = "adapter_config.json"  # PEFT's, which names the base
WEIGHTS = "adapter_model.safetensors"
HEAD = "head.safetensors"


def adapter_of(name: str) -> Path | None:
    """Find the folder of an adapter: one that comes with this program, or a path; else None."""
    folder = Path(name).expanduser()
    if name in ADAPTERS:
        spec = importlib.util.find_spec("language_adapters")
        places = spec.submodule_search_locations if spec is not None else None
        folder = Path(next(iter(places or ()), "language_adapters")) / name
        if not (folder / CONFIG).is_file():
            raise MissingAsset(
                f"{name}: {folder / CONFIG} is not there: dvc repro --force "
                f"language_adapters/dvc.yaml:tune@{name.removesuffix('-rated')} makes it"
            )
    return folder if (folder / CONFIG).is_file() else None


def base_of(adapter: Path) -> str:
    """Name of the model that an adapter changes."""
    return str(_read(adapter)["base_model_name_or_path"])


def merged(adapter: Path, base: Path) -> Path:
    """Merge an adapter into its base: a model folder that knows of no adapter.

    It is made once, in the user's cache.

    Parameters
    ----------
    adapter, base : Path
        Folders.

    Raises
    ------
    MissingAsset
        If the adapter is damaged, or of another base.
    """
    digest = hashlib.sha256()
    for file in (*(adapter / name for name in (CONFIG, WEIGHTS, HEAD)), base / "model.safetensors"):
        if not file.is_file():
            raise MissingAsset(f"{file} is not there: it belongs to the adapter {adapter.name}")
        with file.open("rb") as f:
            digest.update(hashlib.file_digest(f, "sha256").digest())
    folder = cache_folder() / "adapted" / digest.hexdigest()
    if not folder.is_dir():
        with making(folder) as made:
            _merge(adapter, base, made)
    return folder


def _merge(adapter: Path, base: Path, made: Path) -> None:
    import numpy as np
    from safetensors.numpy import load_file, save

    for file in base.iterdir():
        if file.is_file() and (file.suffix == ".json" or file.name.startswith("vocab")):
            shutil.copyfile(file, made / file.name)
    weights, update = load_file(base / "model.safetensors"), load_file(adapter / WEIGHTS)
    config = _read(adapter)
    scale = config["lora_alpha"] / config["r"]
    for key in sorted(update):
        if not key.endswith(".lora_A.weight"):
            continue
        name = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight") + ".weight"
        other = update[key.replace(".lora_A.", ".lora_B.")]
        if name not in weights or weights[name].shape != (len(other), update[key].shape[1]):
            raise MissingAsset(f"{adapter / WEIGHTS}: {name} is no matrix of {base}, its base")
        # In double precision, so that every machine rounds to the same bytes.
        change = other.astype(np.float64) @ update[key].astype(np.float64)
        weights[name] = (weights[name] + scale * change).astype(np.float32)
    # Written by Python, whose error on a full disk is an OSError.
    (made / "model.safetensors").write_bytes(save(weights, {"format": "pt"}))
    shutil.copyfile(adapter / HEAD, made / HEAD)
    described = json.loads((base / "config.json").read_text("utf-8"))
    described["lost_words"] = config["lost_words"]
    (made / "config.json").write_text(json.dumps(described, indent=2) + "\n", "utf-8")


def _read(adapter: Path) -> dict[str, Any]:
    try:
        config = json.loads((adapter / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MissingAsset(f"{adapter / CONFIG} cannot be read: {error}") from error
    needed = {"base_model_name_or_path", "lora_alpha", "r", "lost_words"}
    if not isinstance(config, dict) or needed - config.keys():
        raise MissingAsset(f"{adapter / CONFIG} does not say {', '.join(sorted(needed))}")
    return config
