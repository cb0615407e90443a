"""The tables that come with new clips: features, and what else is known of the clips."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from contracts.features import read_modality
from contracts.parquet import read_table
from contracts.schemas import MANIFEST, MODALITIES


class FeatureTables(Protocol):
    """Anything with one feature table per modality, such as what `extractors.extract` returns."""

    @property
    def text(self) -> pa.Table: ...
    @property
    def audio(self) -> pa.Table: ...
    @property
    def vision(self) -> pa.Table: ...


class ClipTables(NamedTuple):
    """The tables of the modalities, and others where they are there."""

    modalities: dict[str, pa.Table]
    transcripts: pa.Table | None
    manifest: pa.Table | None
    recognition: pa.Table | None


def read_tables(features: FeatureTables | Path | str) -> ClipTables:
    """Read tables from a folder that `extractors.Features.write` wrote, or take them as they are.

    Raises
    ------
    FileNotFoundError
        If the folder has no features.
    DamagedFile
        If a table in it is torn, or another one.
    """
    others = ("transcripts", "manifest", "recognition")
    if isinstance(features, str | Path):
        folder = Path(features)
        at = folder / "features" if (folder / "features").is_dir() else folder
        tables: dict[str, pa.Table] = {m: read_modality(at / m) for m in MODALITIES}
        named = pa.schema([MANIFEST.field("clip_id")])
        files = (folder / f"{name}.parquet" for name in others)
        return ClipTables(
            tables,
            *(read_table(file, schema=named) if file.is_file() else None for file in files),
        )
    tables = {m: getattr(features, m) for m in MODALITIES}
    return ClipTables(tables, *(getattr(features, name, None) for name in others))


def told(tables: Iterable[pa.Table]) -> dict[str, list[str]]:
    """Return by clip what was odd about its file: the warnings of the extractors, each once."""
    texts_of: dict[str, dict[str, None]] = {}
    for table in tables:
        if "warnings" not in table.column_names:
            continue
        pairs = zip(table["clip_id"].to_pylist(), table["warnings"].to_pylist(), strict=True)
        for clip_id, texts in pairs:
            texts_of.setdefault(clip_id, {}).update(dict.fromkeys(texts))
    return {clip_id: list(texts) for clip_id, texts in texts_of.items()}


def by_clip(table: pa.Table | None, column: str) -> dict[str, Any]:
    """Return a column by clip; empty where there is no such table or column."""
    if table is None or column not in table.column_names:
        return {}
    return dict(zip(table["clip_id"].to_pylist(), table[column].to_pylist(), strict=True))
