"""What is asked of the model about clips and utterances; nothing is extracted."""

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from pipeline.timeline import scoring


def clips(*names: str) -> Any:
    return SimpleNamespace(manifest=pa.table({"clip_id": names}), quarantine=[], warnings=[])


@pytest.mark.parametrize("by_speaker", [False, True])
def test_utterances_of_a_recording_are_not_explained(
    by_speaker: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = clips("short", "talk/0001", "talk/0002")
    asked: list[str] = []

    def predict(features: Any, *_: Any, reader: object, explained: set[str]) -> list[str]:
        assert reader is not None
        asked.extend(c for c in features.manifest["clip_id"].to_pylist() if c in explained)
        return []

    monkeypatch.setattr(scoring, "limits_of", lambda *_: None)
    monkeypatch.setattr(scoring, "segment", lambda *_: cut)
    monkeypatch.setattr(scoring, "extract_parts", lambda *_: iter([cut]))
    monkeypatch.setattr(scoring, "extract_features", lambda *_: cut)
    monkeypatch.setattr(scoring, "predict", predict)
    model: Any = SimpleNamespace(lengths=(), by_speaker=by_speaker)
    settings: Any = SimpleNamespace(vision=SimpleNamespace(fps=10))
    session: Any = SimpleNamespace(reporting=SimpleNamespace(by=""))
    reader: Any = object()
    scored = scoring.score(clips("short", "talk"), model, settings, session, reader=reader)
    assert scored.cut == {"talk"}
    assert asked == ["short"]
