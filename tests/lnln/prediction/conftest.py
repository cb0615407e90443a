"""Four clips, of which some lack something, and models that answer them."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from lnln.checkpoints.checkpoint import Checkpoint
from lnln.checkpoints.intervals import Intervals
from lnln.data.features import FeatureSet

ALL = ("text", "audio", "vision")
LABELS = {"a": 1.0, "b": -1.0, "c": 0.5, "d": 0.0}
WITHOUT = {"b": ("audio",), "c": ("text", "vision"), "d": ALL}
LEARNED = {"validation": {"w_mae": 0.05, "w_corr": 0.9}}
# What little was observed of (c) has the whole scale as its interval.
INTERVALS = Intervals(level=0.9, edges=(0.5,), half_widths=(6.0, 1.5), clips=(40, 40))


@pytest.fixture
def model(
    make_set: Callable[..., FeatureSet], make_checkpoint: Callable[..., Checkpoint]
) -> Checkpoint:
    return make_checkpoint(make_set("train", 8), training=LEARNED)


@pytest.fixture
def sure(
    make_set: Callable[..., FeatureSet], make_checkpoint: Callable[..., Checkpoint]
) -> Checkpoint:
    return make_checkpoint(make_set("train", 8), training=LEARNED, intervals=INTERVALS)


@pytest.fixture
def tables(make_tables: Callable[..., dict[str, pa.Table]]) -> dict[str, pa.Table]:
    return make_tables(LABELS, without=WITHOUT)
