"""Recordings of real people, which the project does not carry.

`LNLN_REAL_CLIPS` names a folder with GRID clips (MPEG-1, 360x288) under ``grid/``.
"""

import os
from pathlib import Path

import pytest

from extractors.media import Clip, probe
from extractors.settings import VisionSettings
from extractors.vision import VisionExtractor

FOLDER = os.environ.get("LNLN_REAL_CLIPS")
needs_real_clips = pytest.mark.skipif(
    not FOLDER, reason="LNLN_REAL_CLIPS does not name the folder of real clips"
)


@needs_real_clips
def test_a_face_is_observed_in_99_percent_of_real_frames():
    extractor = VisionExtractor(VisionSettings(), offline=True)
    files = sorted(Path(FOLDER or "", "grid").glob("*.mpg"))
    assert files, f"no GRID clip in {FOLDER}/grid"
    observed = total = 0
    for file in files:
        rows = extractor.extract(Clip(str(file), 0.0, probe(str(file)).duration_s))
        observed += rows.observed.sum()
        total += len(rows.observed)
    assert observed >= 0.99 * total
