"""Answers of a model that takes each speaker as their own baseline."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnln import load, predict
from lnln.checkpoints.checkpoint import Checkpoint, save
from lnln.data.features import FeatureSet
from lnln.data.normalisation import Normalisation


@pytest.fixture
def by_speaker(model: Checkpoint, make_set: Callable[..., FeatureSet]) -> Checkpoint:
    normalisation = Normalisation.fit(make_set("train", 8), "speaker")
    return Checkpoint(model.model, model.config.model_copy(update={"normalisation": normalisation}))


def test_by_speaker_every_recording_is_its_own_speaker_unless_the_manifest_says_otherwise(
    by_speaker: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    def answers(clips: slice = slice(0, 4), **more: pa.Table) -> list[float | None]:
        chosen = {m: t.slice(clips.start, clips.stop) for m, t in tables.items()}
        return [a.prediction for a in predict(SimpleNamespace(**chosen, **more), by_speaker)]

    alone = answers()
    assert answers(slice(0, 1)) == pytest.approx(alone[:1], abs=1e-5)
    own = pa.table({"clip_id": [*"abcd"], "group": [*"abcd"]})
    assert answers(manifest=own) == alone
    together = answers(manifest=pa.table({"clip_id": [*"abcd"], "group": ["p", "q", "p", "q"]}))
    assert together[0] != alone[0] and together[2] != alone[2]
    assert together[1] == alone[1]  # the other clip of q has no sound and no face
    assert answers(manifest=own.slice(0, 1)) == alone  # not listed: on its own


def test_by_speaker_a_folder_says_who_speaks_and_a_saved_model_asks(
    by_speaker: Checkpoint, tables: dict[str, pa.Table], tmp_path: Path
) -> None:
    manifest = pa.table({"clip_id": [*"abcd"], "group": ["p"] * 4})
    for modality, table in tables.items():
        folder = tmp_path / "features" / modality
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "part-0.parquet")
    pq.write_table(manifest, tmp_path / "manifest.parquet")
    save(tmp_path / "model", by_speaker)
    loaded = load(tmp_path / "model")
    assert loaded.by_speaker
    expected = predict(SimpleNamespace(**tables, manifest=manifest), by_speaker)
    assert predict(tmp_path, loaded) == expected
    assert predict(SimpleNamespace(**tables), by_speaker) != expected


def test_who_speaks_changes_nothing_for_a_model_trained_over_the_split(
    model: Checkpoint, tables: dict[str, pa.Table]
) -> None:
    manifest = pa.table({"clip_id": [*"abcd"], "group": ["p"] * 4})
    assert not model.by_speaker
    assert predict(SimpleNamespace(**tables, manifest=manifest), model) == predict(
        SimpleNamespace(**tables), model
    )
