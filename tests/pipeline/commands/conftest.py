"""What stands in for the extractors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contracts.quarantine import Rejected
from extractors.api import Features
from extractors.clips import Clips


class Extractor:
    """Stands in for `extractors.extract`: remembers its settings, extracts nothing."""

    def __init__(self) -> None:
        self.settings: Any = None
        self.transcripts: Any = None
        self.rejected: list[Rejected] = []
        self.warnings: list[str] = []
        self.error: Exception | None = None

    def __call__(
        self, paths: list[Path], settings: Any, session: Any = None, *, transcripts: Any = None
    ) -> Features:
        self.settings = settings
        self.transcripts = transcripts
        if self.error:
            raise self.error
        empty = pa.table({"clip_id": pa.array([], pa.string())})
        return Features(*[empty] * 5, quarantine=self.rejected, warnings=self.warnings)

    def transcribed(
        self, paths: list[Path], settings: Any, session: Any, transcripts: Any
    ) -> Clips:
        """Stands in for `extractors.api.transcribed`."""
        features = self(paths, settings, transcripts=transcripts)
        empty = features.manifest
        return Clips(empty, empty, empty, features.quarantine, features.warnings)


@pytest.fixture
def extractor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Extractor]:
    stand_in = Extractor()
    monkeypatch.setattr("extractors.extract", stand_in)
    monkeypatch.setattr("extractors.api.transcribed", stand_in.transcribed)
    yield stand_in
