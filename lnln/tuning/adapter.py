"""What tuning leaves: an adapter on disk, small enough to lie beside the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from contracts.files import replacing
from lnln.tuning.run import UNIT, Tuned
from lnln.tuning.settings import TuningSettings


def save(tuned: Tuned, folder: Path, base: str, about: dict[str, Any]) -> None:
    """Write an adapter: its updates as PEFT reads them, and its head.

    Parameters
    ----------
    tuned : Tuned
    folder : Path
        `adapter_config.json`, `adapter_model.safetensors` (float16) and `head.safetensors` are
        written there; the head's rating is from -1 to 1.
    base : str
        Name of the language encoder.
    about : dict
        How it was made, kept in `adapter_config.json` under `about`.
    """
    halves = {}
    for name, update in tuned.updates.items():
        for letter, matrix in (("A", update.down), ("B", update.up)):
            key = f"base_model.model.{name}.lora_{letter}.weight"
            halves[key] = matrix.to(torch.float16).contiguous()
    with replacing(folder / "adapter_model.safetensors") as temporary:
        temporary.write_bytes(safetensors.torch.save(halves))
    head = {
        "weight": tuned.model.head.weight.detach()[0] / UNIT,
        "bias": tuned.model.head.bias.detach() / UNIT,
    }
    with replacing(folder / "head.safetensors") as temporary:
        temporary.write_bytes(safetensors.torch.save(head))
    rank = len(next(iter(tuned.updates.values())).down)
    config = {
        "peft_type": "LORA",
        "task_type": "FEATURE_EXTRACTION",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted(tuned.updates),
        "lost_words": "left_out",
        "about": about,
    }
    with replacing(folder / "adapter_config.json") as temporary:
        temporary.write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def describe(settings: TuningSettings, sentences: int, kinds: list[str]) -> dict[str, Any]:
    """Say how an adapter was made."""
    return {"settings": settings.model_dump(), "sentences": sentences, "kinds": kinds}
