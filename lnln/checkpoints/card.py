"""The model card: what a trained network's config says, for people and for the Hugging Face hub."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from huggingface_hub import ModelCardData

from lnln.models.lnln.network import LNLN

if TYPE_CHECKING:
    from lnln.checkpoints.checkpoint import Config

PAPER = "https://arxiv.org/abs/2409.20012"

LIMITS = """\
- Sentiment here is what annotators wrote down (in a corpus that was made, a program). It is not
  what a person feels, and must not decide about people: not in hiring, schooling, credit, health
  care, policing or at borders.
- Faces and voices are biometric data: use clips of people who agreed to it. No clip is in these
  files, but a network may remember its training data; to forget a person it has to be trained
  anew without them.
- How well it does for other speakers, ages, accents, languages, cultures, cameras or rooms than
  those of its training clips has not been measured.
- `w` is the network's own estimate of how complete the words are. Do not read anything into it
  before it was compared with the truth on data like yours.
- A clip that is longer than the rows above is read only that far. A clip in which nothing was
  observed gets no score.
"""

OWN = """\
```
lnln predict interview.mp4 --model <this folder, or its id on the hub>
```

```python
from extractors import extract
from lnln import load, predict

model = load("<this folder, or its id on the hub>")
predict(extract(["interview.mp4"], model.extraction), model)
```
"""

FOREIGN = """\
It cannot read video: what it was trained on was not extracted by lnln. It reads a pickle of such
features after `lnln import-mmsa` and the stages that follow it:

```python
from lnln import load, predict

predict("outputs", load("<this folder, or its id on the hub>"))
```
"""


def model_card(config: Config, model: LNLN) -> str:
    """Write the card: use, data, parameters, metrics of the validation split, and limits.

    Parameters
    ----------
    config : Config
        Of a path in it the card tells the last part only.
    model : LNLN

    Returns
    -------
    str
        Markdown with the hub's metadata in front.
    """
    metadata = ModelCardData(
        language=config.transcription.get("language"),
        library_name="lnln",
        tags=["lnln", "multimodal-sentiment-analysis", "arxiv:2409.20012"],
    )
    low, high = config.label_range
    foreign = any(info.source for info in config.features.values())
    parts = [
        f"---\n{metadata.to_yaml()}\n---\n",
        f"# LNLN, trained on {_plain(config.dataset)}\n",
        f"Sentiment from {low:g} to {high:g} of a clip's words, sound and face when part of them "
        f"is missing: the\n[Language-dominated Noise-resistant Learning Network]({PAPER}), variant "
        f"`{config.network.variant}`.\n",
        *([f"**This model was {_plain(config.notice)}.**\n"] if config.notice else []),
        "## Use\n",
        FOREIGN if foreign else OWN,
        "## Data\n",
        *_data(config),
        "## Parameters\n",
        *_parameters(config, model),
        "## Metrics\n",
        _metrics(config.training),
        "## Limits\n",
        LIMITS,
    ]
    return "\n".join(parts)


def _data(config: Config) -> Iterator[str]:
    clips = config.training.get("clips")
    counted = ", ".join(f"{count} {split}" for split, count in (clips or {}).items())
    yield f"Dataset `{_plain(config.dataset)}`; clips: {counted or 'not known'}.\n"
    shapes = config.shapes
    columns = ("modality", "features", "most rows", "of", "settings", "models (sha256)")
    rows = []
    for modality, info in config.features.items():
        rows.append(
            (
                modality,
                len(info.names),
                getattr(shapes, f"{modality}_length"),
                _plain(info.source or "lnln extract"),
                _joined(info.settings),
                _joined({name: sha256[:12] for name, sha256 in info.assets.items()}),
            )
        )
    yield _table(columns, rows)
    if config.normalisation is not None:
        yield "Audio and vision are z-scored over the observed rows of the training split.\n"
    if config.transcription:
        yield f"Speech recognition where there is no transcript: {_joined(config.transcription)}.\n"


def _parameters(config: Config, model: LNLN) -> Iterator[str]:
    total = sum(p.numel() for n, p in model.named_parameters() if not n.startswith("language."))
    language = "a frozen language model, which is not in these files"
    if config.language is not None and model.language is not None:
        count = sum(p.numel() for p in model.language.parameters())
        language = f"{count:,} in its language model"
    yield f"{total:,} weights in LNLN, and {language}.\n"
    settings = {"network": config.network.model_dump()} | {
        name: value
        for name, value in config.training.items()
        if name not in ("clips", "validation")
    }
    yield _table(("parameter", "value"), _flat(settings))


def _metrics(training: Mapping[str, Any]) -> str:
    found = training.get("validation")
    if not found:
        return "None is known: evaluate it before you use it.\n"
    rows = [(name, "-" if value is None else f"{value:.4f}") for name, value in found.items()]
    return (
        f"On the validation split, at missing_rate {training.get('missing_rate', 'unknown')}. It "
        "chose the epoch, so that these figures flatter:\nwhat the model reaches on clips that "
        "chose nothing is for the test split to say, and is not known here.\n\n"
        + _table(("metric", "value"), rows)
    )


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as rows of a name, the keys joined by dots, and what it is set to."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", _plain(value)


def _joined(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in _flat(settings)) or "-"


def _table(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _plain(value: Any) -> str:
    """Say a value in one line of Markdown; of a path the name, not where it is on a machine."""
    text = " ".join(str(value).split())
    if PurePosixPath(text).is_absolute() or text.startswith("~"):
        text = PurePosixPath(text).name
    elif PureWindowsPath(text).is_absolute():
        text = PureWindowsPath(text).name
    return re.sub(r"([|<>])", r"\\\1", text)
