"""What the tests of models share: one thread, a seed, a tiny BERT and a tiny corpus."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor

from contracts.schemas import MODALITIES
from lnln.checkpoints.checkpoint import Checkpoint, language_config
from lnln.checkpoints.config import Config
from lnln.data.batches import Inputs, PaddedSequence
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder, RatingHead
from lnln.data.normalisation import Normalisation
from lnln.data.reading import from_tables
from lnln.evaluation.table import OWN_LABELS
from lnln.missing.masks import Kept, evaluation_masks
from lnln.models.lnln.settings import LNLNSettings
from lnln.models.registry import find
from lnln.settings import ModelSettings, Shapes, TrainSettings
from tests.conftest import write_bert

torch.set_num_threads(1)  # more only get in each other's way

CLS, SEP, UNK, WORDS = 2, 3, 1, (5, 30)  # the content tokens are 5 to 29
Tables = dict[str, pa.Table]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a BERT 8 wide with 30 tokens."""
    words = [f"word{token}" for token in range(*WORDS)]
    return write_bert(tmp_path_factory.mktemp("lnln") / "bert", words, positions=32)


@pytest.fixture(scope="session")
def language(bert: Path) -> FrozenLanguageEncoder:
    """A BERT with a head, as those have that were tuned on rated sentences."""
    language = FrozenLanguageEncoder.from_folder(bert)
    language.head = RatingHead(torch.linspace(-1, 1, language.width), 0.1)
    return language


@pytest.fixture(scope="session")
def tiny() -> LNLNSettings:
    return LNLNSettings(width=8, tokens=2, heads=2, head_width=4, hyper_head_width=4)


@pytest.fixture(scope="session")
def lengths() -> Lengths:
    return Lengths(text=12, audio=20, vision=10)


@pytest.fixture(scope="session")
def shapes(lengths: Lengths) -> Shapes:
    """The shapes of `make_set`'s features."""
    most = {f"{modality}_length": rows for modality, rows in lengths._asdict().items()}
    return Shapes(text_dim=8, audio_dim=4, vision_dim=3, **most)


def table(modality: str, names: Sequence[str], clips: list[dict], **extra: object) -> pa.Table:
    rows = pa.list_(pa.list_(pa.float32(), len(names)))
    fields = [("clip_id", pa.string()), ("values", rows), ("observed", pa.list_(pa.bool_()))]
    if modality == "text":
        fields += [("token_ids", pa.list_(pa.int32())), ("special", pa.list_(pa.bool_()))]
    info = {
        "modality": modality,
        "names": list(names),
        "units": ["1"] * len(names),
        "settings": {"model": "tiny"} if modality == "text" else {"fps": 10},
        "assets": {"tiny": "00"} if modality == "text" else {},
        "fingerprint": "f",
        **extra,
    }
    schema = pa.schema(fields).with_metadata({"features": json.dumps(info)})
    return pa.Table.from_pylist([{n: clip[n] for n, _ in fields} for clip in clips], schema)


@pytest.fixture(scope="session")
def make_tables(language: FrozenLanguageEncoder) -> Callable[..., Tables]:
    """Build feature tables whose words, loudness and brows all say the label.

    `without` maps a clip to the modalities that were not observed in it.
    """

    def make(labels: dict[str, float], without: dict[str, tuple[str, ...]] | None = None) -> Tables:
        without = without or {}
        rows: dict[str, list[dict]] = {"text": [], "audio": [], "vision": []}
        for number, (clip_id, label) in enumerate(sorted(labels.items())):
            random = np.random.default_rng(number)
            absent = without.get(clip_id, ())
            words = [] if "text" in absent else random.integers(*WORDS, random.integers(3, 9))
            ids = [CLS, *(int(w) if w % 2 else 17 + round(2 * label) for w in words), SEP]
            special = [True, *(False for _ in words), True]
            tokens = torch.tensor([ids])
            rows["text"].append(
                {
                    "clip_id": clip_id,
                    "values": language(tokens, tokens >= 0)[0].tolist(),
                    "observed": [not s for s in special],
                    "token_ids": ids,
                    "special": special,
                }
            )
            for modality, features, count in (("audio", 4, (8, 16)), ("vision", 3, (4, 8))):
                values = random.normal(size=(random.integers(*count), features)) * 5 + 100
                values[:, 0] += 5 * label
                observed = random.random(len(values)) < (0 if modality in absent else 0.9)
                if modality not in absent:
                    observed[0] = True
                rows[modality].append(
                    {
                        "clip_id": clip_id,
                        "values": (values * observed[:, None]).tolist(),
                        "observed": observed.tolist(),
                    }
                )
        return {
            "text": table("text", [f"h{i}" for i in range(8)], rows["text"], unk_id=UNK, pad_id=0),
            "audio": table("audio", ["loudness", "f0", "zcr", "rms"], rows["audio"]),
            "vision": table("vision", ["brow", "jaw", "smile"], rows["vision"]),
        }

    return make


@pytest.fixture(scope="session")
def make_set(make_tables: Callable[..., Tables]) -> Callable[..., FeatureSet]:
    """Build a labelled feature set of clips named after the split."""

    def make(split: str, clips: int, **more: object) -> FeatureSet:
        labels = {f"{split}/{i:03}": float(3 * np.sin(7 * i + len(split))) for i in range(clips)}
        features = from_tables(**make_tables(labels, **more))
        return replace(features, labels=np.array([*labels.values()], dtype=np.float32))

    return make


@pytest.fixture(scope="session")
def clips(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    """Twelve test clips, the fourth without words."""
    return make_set("test", 12, without={"test/003": ("text",)})


@pytest.fixture(scope="session")
def make_manifest() -> Callable[..., pa.Table]:
    """List clips as a manifest does: `make_manifest(clips, label_a=[...])`."""

    def make(features: FeatureSet, **own: list[float | None]) -> pa.Table:
        nothing = [None] * len(features)
        return pa.table(
            {
                "clip_id": list(features.clip_ids),
                "group": [f"g{i // 3}" for i in range(len(features))],
                "label": features.known_labels(),
                **{c: pa.array(own.get(c, nothing), pa.float32()) for c in OWN_LABELS.values()},
            }
        )

    return make


@pytest.fixture(scope="session")
def masks_at() -> Callable[..., dict[str, Kept]]:
    """Draw masks: `masks_at(clips, rate, **more)`."""

    usual = {"seed": 1, "purpose": "test"}
    return lambda features, rate=0.5, **more: evaluation_masks(features, rate, **usual | more)


@pytest.fixture(scope="session")
def make_inputs(
    make_set: Callable[..., FeatureSet],
    masks_at: Callable[..., dict[str, Kept]],
    language: FrozenLanguageEncoder,
    tiny: LNLNSettings,
    lengths: Lengths,
) -> Callable[..., dict[str, Any]]:
    """Gather what `lnln.training.run.train` takes."""

    def make(train: int = 20, valid: int = 8, **changes: Any) -> dict[str, Any]:
        valid_set = make_set("valid", valid)
        return {
            "name": "lnln",
            "train_set": make_set("train", train),
            "valid_set": valid_set,
            "valid_masks": [masks_at(valid_set, 0.3, purpose="valid")],
            "lengths": lengths,
            "model_settings": tiny,
            "settings": TrainSettings(epochs=3, batch_size=8, learning_rate=3e-3),
            "metric_set": "mosi",
            "language": language,
        } | changes

    return make


@pytest.fixture(scope="session")
def make_checkpoint(tiny: LNLNSettings, shapes: Shapes) -> Callable[..., Checkpoint]:
    """Build an untrained checkpoint for the features of some clips."""

    def make(
        clips: FeatureSet,
        settings: ModelSettings = tiny,
        language: LanguageEncoder | None = None,
        name: str = "lnln",
        **more: Any,
    ) -> Checkpoint:
        model = find(name).load()(settings, shapes, language).eval()
        z_scores = model.layout.features == "z_scores"
        config: dict[str, Any] = {
            "model": name,
            "settings": settings,
            "shapes": shapes,
            "normalisation": Normalisation.fit(clips) if z_scores else None,
            "features": {m: clips.modality(m).info for m in MODALITIES},
            "language": language_config(model),
            "metric_set": "mosi",
            "label_range": (-3, 3),
            "dataset": "toy",
        }
        return Checkpoint(model, Config(**config | more))

    return make


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    """Figures of the published code, and the formula that its weights and inputs follow."""
    file = Path(__file__).parents[1] / "fixtures" / "lnln_reference.json"
    return json.loads(file.read_text("utf-8"))


@pytest.fixture(scope="session")
def reference_weights(reference: dict[str, Any]) -> dict[str, Tensor]:
    """The weights of the reference, under the names of the published checkpoints."""
    weights = {}
    for j, (name, shape) in enumerate(reference["parameters"]):
        value = formula(shape, phase=0.37 * j, scale=0.1)
        weights[name] = 1 + value if "norm" in name and name.endswith("weight") else value
    return weights


@pytest.fixture(scope="session")
def reference_shapes(reference: dict[str, Any]) -> Shapes:
    inputs = reference["inputs"]
    of = {"text": "language", "audio": "audio", "vision": "vision"}
    return Shapes(
        **{f"{ours}_dim": inputs[theirs]["shape"][2] for ours, theirs in of.items()},
        **{f"{ours}_length": inputs[theirs]["shape"][1] for ours, theirs in of.items()},
    )


@pytest.fixture(scope="session")
def reference_inputs(reference: dict[str, Any]) -> tuple[Inputs, Inputs]:
    """The complete and the incomplete inputs of the reference."""
    complete, incomplete = [], []
    for modality, missing in (
        ("language", slice(2, None, 4)),
        ("audio", slice(1, None, 3)),
        ("vision", slice(0, None, 2)),
    ):
        entry = reference["inputs"][modality]
        values = formula(entry["shape"], entry["phase"], entry["scale"])
        mask = torch.ones(values.shape[:2], dtype=torch.bool)
        complete.append(PaddedSequence(values, mask))
        values = values.clone()
        values[:, missing] = 0
        incomplete.append(PaddedSequence(values, mask))
    return Inputs(*complete), Inputs(*incomplete)


@pytest.fixture(scope="session")
def reference_tensor() -> Callable[[list[int], float, float], Tensor]:
    """Return a tensor by the formula of all reference files, given shape, phase and scale."""
    return formula


def formula(shape: list[int], phase: float, scale: float) -> Tensor:
    """Evaluate the references' formula for a tensor of the given shape."""
    i = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    s = 43758.5453 * torch.sin(12.9898 * (i + 1) + phase)
    return (scale * (2 * (s - s.floor()) - 1)).float().reshape(shape)
