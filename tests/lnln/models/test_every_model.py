"""Whatever model it is: what was saved answers as before, and two runs give the same bytes."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lnln import load, predict
from lnln.checkpoints.checkpoint import save
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.missing.dropping import drop
from lnln.missing.masks import Masks
from lnln.models import registry
from lnln.models.interface import Estimator, Network
from lnln.models.lnln.settings import LNLNSettings
from lnln.settings import TrainSettings
from lnln.training.run import train
from tests.lnln.models.conftest import Run, checkpoint_of


@pytest.mark.parametrize("name", registry.names())
def test_every_model_gives_the_same_answers_once_it_was_loaded(
    name: str,
    make_inputs: Callable[..., Run],
    masks_at: Callable[..., Masks],
    make_tables: Callable[..., dict[str, pa.Table]],
    test_set: FeatureSet,
    language: FrozenLanguageEncoder,
    tiny: LNLNSettings,
    tmp_path: Path,
) -> None:
    kind = registry.find(name)
    run = make_inputs(
        name=name,
        model_settings=tiny if name == "lnln" else kind.settings(),
        settings=TrainSettings(**{"batch_size": 8} | kind.training | {"epochs": 2}),
    )
    rows: list[Any] = []
    trained = train(**run, on_epoch=rows.append)
    assert rows == trained.history
    assert len(rows) == (1 if kind.learns == "at_once" else 2)
    assert not trained.model.training
    before = checkpoint_of(trained, run)
    save(tmp_path, before)
    after = load(tmp_path, language)
    assert type(after.model) is kind.load() and isinstance(after.model, Network | Estimator)
    assert after.config.model_copy(update={"weights_sha256": ""}) == before.config
    for clips in (test_set, test_set.take([])):
        lost = drop(before.prepare(clips), masks_at(clips, 0.5), language)
        first, second = before.predict(lost), after.predict(lost)
        assert np.array_equal(first.prediction, second.prediction)
        assert first.prediction.shape == (len(clips),) and first.prediction.dtype == np.float64
        assert (first.w is None) is (second.w is None)
    features = SimpleNamespace(**make_tables({"a": 1.0, "b": -1.0}))
    assert predict(features, before) == predict(features, after)


@pytest.mark.parametrize("name", registry.names())
def test_two_runs_of_every_model_give_the_same_bytes(
    name: str, make_inputs: Callable[..., Run], tiny: LNLNSettings, tmp_path: Path
) -> None:
    kind = registry.find(name)
    run = make_inputs(
        name=name,
        model_settings=tiny if name == "lnln" else kind.settings(),
        settings=TrainSettings(**{"batch_size": 8} | kind.training | {"epochs": 1}),
    )
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        save(folder, checkpoint_of(train(**run), run))
        written.append([(folder / n).read_bytes() for n in ("model.safetensors", "config.json")])
    assert written[0] == written[1]
