"""What tests of the interface share."""

from collections.abc import Callable
from typing import Any

import pytest

from contracts.schemas import MODALITIES
from lnln.checkpoints.checkpoint import Checkpoint, language_config
from lnln.checkpoints.config import Config
from lnln.data.features import FeatureSet
from lnln.training.run import Trained

Run = dict[str, Any]


@pytest.fixture(scope="module")
def test_set(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return make_set("test", 7, without={"test/002": ("audio",)})


def checkpoint_of(trained: Trained, run: Run) -> Checkpoint:
    """What `pipeline.stages.train` makes of a run."""
    config = Config(
        model=run["name"],
        settings=run["model_settings"],
        shapes=trained.shapes,
        normalisation=trained.normalisation,
        features={m: run["train_set"].modality(m).info for m in MODALITIES},
        language=language_config(trained.model),
        metric_set="mosi",
        label_range=(-3, 3),
        dataset="toy",
        training={"best_epoch": trained.best_epoch},
    )
    return Checkpoint(trained.model, config)
