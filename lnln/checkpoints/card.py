"""The model card: what a checkpoint's config says, for people and for the Hugging Face hub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import safetensors
from huggingface_hub import ModelCard, ModelCardData

from contracts.files import replacing
from lnln.checkpoints.config import Config, read_config
from lnln.checkpoints.hub import CARD, WEIGHTS
from lnln.checkpoints.intervals import Intervals

TEMPLATE = Path(__file__).with_name("card_template.md")


def write_card(folder: Path) -> None:
    """Write the card of the checkpoint in a folder: use, data, parameters, metrics, limits."""
    text = model_card(read_config(folder), _sizes(folder / WEIGHTS))
    with replacing(folder / CARD) as temporary:
        temporary.write_text(text, "utf-8")


def model_card(config: Config, sizes: Mapping[str, int]) -> str:
    """Fill in the card's template.

    Parameters
    ----------
    config : Config
        Of a path in it the card tells the last part only.
    sizes : mapping of str to int
        Numbers in each of the checkpoint's tensors.

    Returns
    -------
    str
        Markdown with the hub's metadata in front.
    """
    data = ModelCardData(
        language=config.transcription.get("language"),
        library_name="lnln",
        tags=["lnln", "multimodal-sentiment-analysis", "arxiv:2409.20012"],
    )
    training = config.training
    clips = ", ".join(f"{count} {split}" for split, count in training.get("clips", {}).items())
    sentences = ", ".join(
        f"{count} of `{_plain(name)}`" for name, count in training.get("sentences", {}).items()
    )
    inside = sum(size for name, size in sizes.items() if name.startswith("language."))
    settings = {config.model: config.settings.model_dump(mode="json")} | {
        name: value
        for name, value in training.items()
        if name not in ("clips", "sentences", "validation")
    }
    card = ModelCard.from_template(
        data,
        template_path=str(TEMPLATE),
        model=config.model,
        variant=getattr(config.settings, "variant", None),
        dataset=_plain(config.dataset),
        low=f"{config.label_range[0]:g}",
        high=f"{config.label_range[1]:g}",
        notice=_plain(config.notice) if config.notice else None,
        foreign=any(info.source for info in config.features.values()),
        clips=clips or "not known",
        sentences=sentences,
        features=list(_features(config)),
        normalised_by=config.normalisation and config.normalisation.by,
        transcription=_joined(config.transcription) if config.transcription else None,
        weights=f"{sum(sizes.values()) - inside:,}",
        language=f"{inside:,} in its language model"
        if inside
        else "a frozen language model, which is not in these files",
        parameters=list(_flat(settings)),
        valid_rates=", ".join(f"{rate:g}" for rate in training.get("valid_rates", [])),
        level=f"{config.intervals.level:.0%}" if config.intervals else None,
        intervals=list(_intervals(config.intervals)) if config.intervals else [],
        w_withheld=_plain(config.w_withheld) if config.w_withheld else None,
        metrics=[
            (name, "-" if value is None else f"{value:.4f}")
            for name, value in training.get("validation", {}).items()
        ],
    )
    return str(card).rstrip() + "\n"


def _sizes(weights: Path) -> dict[str, int]:
    """Count the numbers in each tensor of a safetensors file, without reading them."""
    with safetensors.safe_open(weights, "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    sizes = {}
    for name, shape in shapes.items():
        sizes[name] = 1
        for extent in shape:
            sizes[name] *= extent
    return sizes


def _features(config: Config) -> Iterator[tuple[str, ...]]:
    for modality, info in config.features.items():
        yield (
            modality,
            str(len(info.names)),
            str(getattr(config.shapes, f"{modality}_length")),
            _plain(info.source or "lnln extract"),
            _joined(info.settings),
            _joined({name: sha256[:12] for name, sha256 in info.assets.items()}),
        )


def _intervals(intervals: Intervals) -> Iterator[tuple[str, ...]]:
    bins = pairwise((0.0, *intervals.edges, 1.0))
    for (low, high), half_width, clips in zip(
        bins, intervals.half_widths, intervals.clips, strict=True
    ):
        yield f"{low:.0%} to {high:.0%}", f"± {half_width:.2f}", str(clips)


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as rows of a name, the keys joined by dots, and what it is set to."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", _plain(value)


def _joined(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in _flat(settings)) or "-"


def _plain(value: Any) -> str:
    """Say a value in one line of Markdown; of a path the name, not where it is on a machine."""
    text = " ".join(str(value).split())
    if PurePosixPath(text).is_absolute() or text.startswith("~"):
        text = PurePosixPath(text).name
    elif PureWindowsPath(text).is_absolute():
        text = PureWindowsPath(text).name
    return re.sub(r"([|<>])", r"\\\1", text)
