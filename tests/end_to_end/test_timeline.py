"""A recording that is longer than the model reads, on the command line."""

import csv
import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipeline.timeline.writing import NAMES

ROOT = Path(__file__).parents[2]
SENTENCES = ("joe/001", "joe/004", "adam/004")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sentences with a second of silence after each, without a picture."""
    parts = []
    for name in SENTENCES:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        with av.open(str(ROOT / "data" / "sample" / "Raw" / f"{name}.mp4")) as clip:
            for frame in clip.decode(audio=0):
                parts += [part.to_ndarray() for part in resampler.resample(frame)]
        parts.append(np.zeros((1, 16_000), np.int16))
    path = tmp_path_factory.mktemp("talk") / "talk.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.concatenate(parts, 1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def test_a_long_recording_is_scored_utterance_by_utterance(
    project: Path, run: Callable[..., Any], talk: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run(project, "pipeline", "timeline", str(talk), "--out", str(out), "--offline")
    assert done.returncode == 0, done.stderr
    assert "talk.wav: " in done.stdout
    assert sorted(path.name for path in out.iterdir()) == sorted(NAMES)
    with (out / "timeline.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said = [row for row in rows if row["text"]]
    assert len(said) >= len(SENTENCES)
    assert all(
        float(before["end_s"]) <= float(after["start_s"]) for before, after in pairwise(rows)
    )
    assert all(float(row["end_s"]) - float(row["start_s"]) <= 6.0 for row in rows)
    content = json.loads((out / "timeline.json").read_text("utf-8"))
    (mean,) = content["means"]
    scored = [row for row in content["utterances"] if row["prediction"] is not None]
    assert len(scored) >= len(SENTENCES)  # of a stretch of silence there is nothing to say
    seconds = [row["end_s"] - row["start_s"] for row in scored]
    scores = [row["prediction"] for row in scored]
    assert mean["prediction"] == pytest.approx(np.average(scores, weights=seconds))

    answers = run(project, "pipeline", "predict", str(talk), "--json", "--offline")
    assert answers.returncode == 0, answers.stderr
    assert f"recordings: 1 longer than the model reads, cut into {len(rows)}" in answers.stderr
    (answer,) = json.loads(answers.stdout)["predictions"]
    assert answer["clip_id"] == "talk.wav"
    assert answer["prediction"] == pytest.approx(mean["prediction"], abs=1e-5)
    assert any("longer than the model reads" in text for text in answer["warnings"])


def test_a_dataset_of_recordings_is_cut_into_utterances_before_anything_is_extracted(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yaml

    from contracts.parquet import read_table
    from pipeline.stages import dataset, ingest, segment, transcribe

    for name in ("params.yaml", "datasets.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    sections = yaml.safe_load((tmp_path / "datasets.yaml").read_text("utf-8"))
    sections["custom"]["segment"] = "gaps"
    (tmp_path / "datasets.yaml").write_text(yaml.safe_dump(sections), "utf-8")
    params = yaml.safe_load((tmp_path / "params.yaml").read_text("utf-8"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params | {"dataset": "custom"}), "utf-8")
    raw = tmp_path / "data" / "custom" / "Raw" / "ann"
    raw.mkdir(parents=True)
    shutil.copy(talk, raw / "talk.mp4")
    line = "ann,talk,,1.5,train\n"
    (raw.parents[1] / "label.csv").write_text(f"video_id,clip_id,text,label,mode\n{line}", "utf-8")
    monkeypatch.chdir(tmp_path)
    for stage in (dataset, ingest, transcribe, segment):
        stage.main()
    rows = read_table("outputs/manifest.parquet").to_pylist()
    assert [row["clip_id"] for row in rows] == [
        f"ann/talk/{n:04d}" for n in range(1, len(rows) + 1)
    ]
    assert len(rows) == len(SENTENCES)
    assert {(row["recording_id"], row["group"], row["label"]) for row in rows} == {
        ("ann/talk", "ann", 1.5)
    }
    assert all(read_table("outputs/transcripts.parquet")["text"].to_pylist())
    assert read_table("outputs/listed/manifest.parquet").num_rows == 1
