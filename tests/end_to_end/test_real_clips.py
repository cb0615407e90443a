"""Recordings of real people, which the project does not carry: each file gets an answer.

`LNLN_REAL_CLIPS` names a folder with clips under ``grid/`` and ``speech/``.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from extractors.datasets.searching import EXTENSIONS

FOLDER = os.environ.get("LNLN_REAL_CLIPS")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="LNLN_REAL_CLIPS does not name the folder of real clips"),
]


def test_every_real_clip_gets_an_answer(
    project: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    folders = [Path(FOLDER or "").resolve() / name for name in ("grid", "speech")]
    files = [f for folder in folders for f in folder.rglob("*") if f.suffix.lower() in EXTENSIONS]
    assert files, f"no clip in {FOLDER}"
    done = run(project, "pipeline", "predict", "--json", "--offline", *map(str, folders))
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["predictions"]
    assert len(rows) == len(files)
    assert [row["clip_id"] for row in rows if row["prediction"] is None] == []
