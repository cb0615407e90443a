"""The features of a video as a ZIP file: what `lnln extract` writes."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from extractors.api import Features
from pipeline.serve.video.analysis import Analysis

NAME = "features.zip"
TYPE = "application/zip"


def packed(analysis: Analysis, within: Path) -> bytes:
    """All features of a video: of each kind of features that a model reads, a folder.

    Parameters
    ----------
    analysis : Analysis
    within : Path
        Folder for files that are deleted at once.
    """
    content = io.BytesIO()
    with (
        tempfile.TemporaryDirectory(dir=within) as written,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for number, (_, features) in enumerate(analysis.features, 1):
            folder = Path(written) / f"features-{number}"
            _without_paths(features).write(folder)
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(written))
    return content.getvalue()


def _without_paths(features: Features) -> Features:
    """Features that do not say where the video lies on this server."""
    manifest = features.manifest
    place = manifest.column_names.index("path")
    names = pa.array(["video"] * manifest.num_rows, pa.string())
    return replace(features, manifest=manifest.set_column(place, manifest.field(place), names))
