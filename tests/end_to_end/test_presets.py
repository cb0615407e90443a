"""Every preset of datasets.yaml from raw clips in that dataset's own layout to metrics."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]
SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "Raw"
WORDS = ("it", "was", "good", "bad", "really", "very", "##ly")
# A video of each of MOSI's published splits, two to train; what it holds is a clip of the sample.
MOSI = {
    "03bSnISJMiM": "joe/001",
    "0h-zjBukYpk": "joe/004",
    "WKA5OygbEKI": "robert/001",
    "tmZoasNr4rU": "adam/004",
}


def link(clip: str, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    to.symlink_to(SAMPLE / f"{clip}.mp4")


def repro(project: Path, run: Run, dataset: str, *more: str) -> tuple[dict[str, Any], str]:
    """What a user types; returns test.json and what was printed."""
    values = (f"dataset={dataset}", "masks.draws=1", "train.epochs=1", *more)
    done = run(project, "dvc", "exp", "run", *(part for value in values for part in ("-S", value)))
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads((project / "metrics" / "test.json").read_text("utf-8"))
    return metrics, done.stdout + done.stderr


def manifest(project: Path) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(project / "outputs" / "manifest.parquet").to_pylist()
    return {row["clip_id"]: row for row in rows}


def test_mosi_as_its_authors_ship_it(
    empty_project: Path, tmp_path: Path, make_bert: Any, give_text_model: Any, run: Run
) -> None:
    source = tmp_path / "CMU-MOSI" / "Raw"
    labels, draw = [], iter((2.4, -1.8, 0.6, -3.0, 1.2, 0.0, 3.0, -0.4))
    for video, clip in MOSI.items():
        link(clip, source / "Video" / "Full" / f"{video}.mp4")
        words = source / "Transcript" / "Segmented" / f"{video}.annotprocessed"
        words.parent.mkdir(parents=True, exist_ok=True)
        words.write_text("1_DELIM_IT WAS GOOD\n2_DELIM_REALLY VERY BAD\n")
        labels += [f"0.0,1.4,{video},1,{next(draw)}", f"1.4,2.6,{video},2,{next(draw)}"]
    table = source / "Labels" / "OpinionLevelSentiment.csv"
    table.parent.mkdir()
    table.write_text("\n".join(labels) + "\n")
    done = run(empty_project, "pipeline", "prepare", "mosi", str(source))
    assert done.returncode == 0, done.stderr
    assert "published" not in done.stdout

    give_text_model(empty_project, "mosi", make_bert(WORDS))
    left_open = ("train.batch_size=null", "lnln.dropout=0.25")
    metrics, printed = repro(empty_project, run, "mosi", *left_open)
    used = json.loads((empty_project / "models" / "lnln" / "config.json").read_text("utf-8"))
    assert used["training"]["settings"].items() >= {"epochs": 1, "batch_size": 64}.items()
    assert (used["settings"]["dropout"], used["settings"]["fusion_depth"]) == (0.25, 2)
    assert used["training"]["settings"]["finetune_language"] and used["language"]
    assert metrics["clips"] == 2
    assert {"acc7", "acc5", "acc2_without_zero"} <= metrics["models"]["lnln"].keys()
    assert "modalities" not in metrics
    assert "4 train clips, where 1284 were published" in printed
    rows = manifest(empty_project)
    assert {c.partition("/")[0]: row["split"] for c, row in rows.items()} == {
        "03bSnISJMiM": "train",
        "0h-zjBukYpk": "train",
        "WKA5OygbEKI": "valid",
        "tmZoasNr4rU": "test",
    }
    second = rows["tmZoasNr4rU/2"]
    assert (second["start_s"], second["label"]) == (1.4, pytest.approx(-0.4))
    assert (second["text"], second["path"]) == ("REALLY VERY BAD", "data/mosi/Raw/tmZoasNr4rU.mp4")


def test_mosei_as_its_authors_ship_it(
    empty_project: Path, tmp_path: Path, make_bert: Any, give_text_model: Any, run: Run
) -> None:
    source = tmp_path / "CMU-MOSEI" / "Raw"
    videos = dict(
        zip(
            ("--qXJuDtHPw", "-3g5yACwYnA", "-3nNcZdcdvU", "-6rXp3zJ3kc"), MOSI.values(), strict=True
        )
    )
    modes = dict(zip(videos, ("train", "train", "valid", "test"), strict=True))
    labels = ["Input.VIDEO_ID,Input.CLIP,Answer.sentiment"]
    for video, clip in videos.items():
        link(clip, source / "Videos" / "Full" / "Combined" / f"{video}.mp4")
        words = source / "Transcript" / "Segmented" / "Combined" / f"{video}.txt"
        words.parent.mkdir(parents=True, exist_ok=True)
        words.write_text(f"{video}___0___0.0___1.4___it was good\n{video}___1___1.4___2.6___bad\n")
        for annotator in (-1, 0, 2):
            labels += [f"{video},0,{annotator}", f"{video},1,{annotator - 1}"]
    (source / "Labels").mkdir()
    (source / "Labels" / "mturk.csv").write_text("\n".join(labels) + "\n")
    splits = tmp_path / "splits.csv"
    splits.write_text("video_id,mode\n" + "".join(f"{v},{m}\n" for v, m in modes.items()))
    command = ("prepare", "mosei", str(source), "--splits", str(splits))
    done = run(empty_project, "pipeline", *command)
    assert done.returncode == 0, done.stderr

    give_text_model(empty_project, "mosei", make_bert(WORDS))
    metrics, printed = repro(empty_project, run, "mosei")
    assert metrics["clips"] == 2
    assert {"acc7", "acc5", "acc2_without_zero"} <= metrics["models"]["lnln"].keys()
    assert "4 train clips, where 16326 were published" in printed
    rows = manifest(empty_project)
    assert {c.partition("/")[0]: row["split"] for c, row in rows.items()} == modes
    assert rows["-6rXp3zJ3kc/0"]["label"] == pytest.approx(1 / 3, abs=1e-6)


def test_sims_in_chinese_with_a_label_for_each_modality(
    empty_project: Path, make_bert: Any, give_text_model: Any, run: Run
) -> None:
    said = {
        "joe/001": "这部电影很好看",
        "joe/004": "我不喜欢",
        "vera/001": "还可以",
        "annie/001": "太差了",
        "robert/001": "很好",
        "robert/002": "不好",
        "adam/004": "真的很好看",
        "steph/011": "不喜欢这部电影",
    }
    root = empty_project / "data" / "sims"
    lines = []
    for i, (clip, text) in enumerate(said.items(), 1):
        video = f"video_{i:04}"
        link(clip, root / "Raw" / video / "0001.mp4")
        mode = "train" if i <= 4 else "valid" if i <= 6 else "test"
        label = (-1) ** i * i / 10
        lines.append([video, "0001", text, label, label / 2, -label, 1, "Positive", mode])
    with (root / "label.csv").open("w", newline="", encoding="utf-8") as file:
        names = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode"
        csv.writer(file).writerows([names.split(","), *lines])

    model = make_bert(sorted(set("".join(said.values())) - {"差"}))  # one character is unknown
    give_text_model(empty_project, "sims", model)
    metrics, printed = repro(empty_project, run, "sims")
    assert metrics["clips"] == 2
    assert {"acc5", "acc3", "acc2", "f1"} <= metrics["models"]["lnln"].keys()
    assert "4 train clips, where 1368 were published" in printed
    own = metrics["modalities"]
    for modality in ("text", "audio", "vision"):
        assert own[modality].keys() == metrics["models"].keys()
        assert {scores["clips"] for scores in own[modality].values()} == {2}
    assert own["text"]["lnln"]["only"]["mae"] != own["text"]["lnln"]["all"]["mae"]
    constant = own["vision"]["constant"]  # the median of the training labels, 0.05; all are 1
    assert constant["only"]["mae"] == constant["all"]["mae"] == pytest.approx(0.95)
    assert "labels of single modalities" in printed

    (table,) = (
        pq.read_table(f) for f in (empty_project / "outputs/features/text").glob("*.parquet")
    )
    ids = dict(zip(table["clip_id"].to_pylist(), table["token_ids"].to_pylist(), strict=True))
    assert ids["video_0004/0001"][0] == 2 and ids["video_0004/0001"][-1] == 3  # [CLS], [SEP]
    assert ids["video_0004/0001"][2] == 1  # [UNK]


def test_folder_of_videos_without_words_becomes_custom(
    empty_project: Path, tmp_path: Path, run: Run
) -> None:
    folder = tmp_path / "interviews"
    for clip in ("joe/001", "joe/004", "vera/001", "robert/001", "adam/004", "adam/002"):
        link(clip, folder / f"{clip}.mp4")
    done = run(empty_project, "pipeline", "init-dataset", str(folder))
    assert done.returncode == 0, done.stderr
    table = empty_project / "data" / "custom" / "label.csv"
    with table.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert {line["mode"] for line in lines} == {"train", "valid", "test"}
    assert len({(line["speaker"], line["mode"]) for line in lines}) == 4

    done = run(empty_project, "dvc", "exp", "run", "-S", "dataset=custom")
    assert done.returncode != 0
    assert "write labels into the column `label`" in " ".join((done.stdout + done.stderr).split())

    for place, line in enumerate(lines):
        line["label"] = str((-1.5, 2.0, 0.5)[place % 3])
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    metrics, _ = repro(empty_project, run, "custom")
    assert metrics["clips"] == sum(line["mode"] == "test" for line in lines)
    transcripts = pq.read_table(empty_project / "outputs" / "transcripts.parquet").to_pylist()
    assert {row["source"] for row in transcripts} == {"asr"}
    assert all(row["text"] for row in transcripts)
