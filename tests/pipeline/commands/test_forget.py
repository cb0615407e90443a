import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from contracts.parquet import read_table, write_table
from contracts.quarantine import Rejected, read_quarantine, write_quarantine
from contracts.schemas import MANIFEST, TRANSCRIPTS
from extractors.datasets.precomputed import PRECOMPUTED_MANIFEST
from extractors.workers.cache import Cache
from extractors.workers.keys import clip_key, text_key
from pipeline.commands.main import app
from pipeline.set_aside import ENDING

LABELS = (
    "video_id,clip_id,text,label,mode,speaker\n"
    'talk,1,"Well, so be it",1,train,ann\n'
    "talk,2,Hello,,train,ann\n"
    "walk,1,  Bye,0,valid,bob\n"
)
LEFT = "video_id,clip_id,text,label,mode,speaker\nwalk,1,  Bye,0,valid,bob\n"


def forget(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(app, ["forget", *arguments], env={"LNLN_CACHE": None}, **options)


def manifest_row(clip: str, speaker: str, root: str = "data/custom") -> dict[str, Any]:
    return {
        "clip_id": clip, "path": f"{root}/Raw/{clip}.mp4", "sha256": clip * 2, "duration_s": 2.0,
        "has_audio": True, "has_video": True, "language": "en", "group": speaker,
        "split": "train", "text": "Hello",
    }  # fmt: skip


@pytest.fixture
def ours(project: Path) -> Path:
    """A project in which ann and bob are in a dataset, in the outputs and in the cache."""
    root = project / "data" / "custom"
    for clip in ("talk/1", "talk/2", "walk/1"):
        (root / "Raw" / clip).parent.mkdir(parents=True, exist_ok=True)
        (root / "Raw" / f"{clip}.mp4").symlink_to(project / f"{clip.replace('/', '')}.mp4")
    (root / "label.csv").write_text(LABELS)
    (root / "label.csv.old").write_text(LABELS)
    rows = [manifest_row("talk/2", "ann"), manifest_row("walk/1", "bob")]
    write_table(pa.Table.from_pylist(rows, schema=MANIFEST), Path("outputs/manifest.parquet"))
    said = [
        {"clip_id": row["clip_id"], "text": f"heard {row['group']}", "source": "asr", "words": []}
        for row in rows
    ]
    write_table(pa.Table.from_pylist(said, schema=TRANSCRIPTS), Path("outputs/transcripts.parquet"))
    for name in ("features/audio/part-0", "incomplete/train", "predictions/lnln-1", "observed"):
        names = pa.array([row["clip_id"] for row in rows])
        write_table(pa.table({"clip_id": names}), Path(f"outputs/{name}.parquet"))
    write_quarantine(
        [Rejected("talk/1", "x", "ingest", "why"), Rejected("walk/2", "x", "ingest", "why")],
        Path("outputs/quarantine/ingest.csv"),
    )
    cache = Cache(str(project / ".cache" / "features"))
    for row in rows:
        cache.write("audio-1", clip_key(row | {"start_s": None}), pa.table({"x": [1]}))
        cache.write("text-1", text_key(f"heard {row['group']}", []), pa.table({"x": [1]}))
    return project


def assert_forgotten(project: Path) -> None:
    root = project / "data" / "custom"
    assert (root / "label.csv").read_text() == LEFT
    assert (root / "label.csv.old").read_text() == LEFT
    assert [path.name for path in (root / "Raw").iterdir()] == ["walk"]
    tables = sorted((project / "outputs").rglob("*.parquet"))
    assert len(tables) == 6
    for path in tables:
        assert read_table(path)["clip_id"].to_pylist() == ["walk/1"], path
        assert b"talk/" not in path.read_bytes()
    rejected = read_quarantine("outputs/quarantine/ingest.csv")
    assert [row.clip_id for row in rejected] == ["walk/2"]
    cache = Cache(str(project / ".cache" / "features"))
    assert len(cache.keys("audio-1")) == len(cache.keys("text-1")) == 1


def test_nothing_of_a_speaker_is_left_and_the_videos_stay(ours: Path) -> None:
    (ours / "talk1.mp4").write_bytes(b"no video")
    result = forget("--speaker", "ann", "--yes")
    assert result.exit_code == 0, result.output
    assert_forgotten(ours)
    assert (ours / "talk1.mp4").is_file()
    assert f"rm -- {ours / 'talk1.mp4'}" in result.output
    assert "dvc repro\n" in result.output
    again = forget("--speaker", "ann", "--yes")
    assert again.exit_code == 1
    assert "no such clip (any more); speakers are: bob" in again.output


@pytest.mark.parametrize("names", [["talk"], ["talk/1", "talk/2"]])
def test_clips_can_be_named_or_all_of_a_video(ours: Path, names: list[str]) -> None:
    assert forget(*names, "--dataset", "custom", "--yes").exit_code == 0
    assert_forgotten(ours)


def test_nothing_is_deleted_before_it_is_confirmed(ours: Path) -> None:
    def files() -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in sorted(ours.rglob("*")) if p.is_file()}

    before = files()
    result = forget("--speaker", "ann", input="n\n")
    assert result.exit_code == 1
    assert "data/custom/label.csv: 2 lines" in result.output
    assert "data/custom/Raw: 2 links" in result.output
    assert "nothing was deleted" in result.output
    assert files() == before
    assert forget("--speaker", "ann", input="y\n").exit_code == 0
    assert_forgotten(ours)


@pytest.mark.parametrize(
    "step",
    [
        "contracts.removing.remove_rows",
        "extractors.datasets.removing.remove_files",
        "extractors.datasets.removing.remove_lines",
        "extractors.forgetting.forget_entries",
    ],
)
@pytest.mark.parametrize("after", [0, 1])
def test_interrupted_it_finishes_when_it_is_run_again(
    ours: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: int
) -> None:
    module, name = step.rsplit(".", 1)
    whole = getattr(__import__(module, fromlist=[name]), name)
    calls = 0

    def interrupted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(step, interrupted)
    forget("--speaker", "ann", "--yes")
    monkeypatch.setattr(step, whole)
    forget("--speaker", "ann", "--yes")
    assert_forgotten(ours)


def test_rows_that_outputs_hold_of_a_speaker_who_left_label_csv_are_forgotten(ours: Path) -> None:
    for name in ("label.csv", "label.csv.old"):
        (ours / "data" / "custom" / name).write_text(LEFT)
    shutil.rmtree(ours / "data" / "custom" / "Raw" / "talk")
    Path("outputs/quarantine/ingest.csv").unlink()
    write_quarantine([Rejected("walk/2", "x", "ingest", "")], Path("outputs/quarantine/ingest.csv"))
    assert forget("--speaker", "ann", "--yes").exit_code == 0
    assert_forgotten(ours)


def test_link_that_was_set_aside_is_forgotten_too(ours: Path) -> None:
    raw = ours / "data" / "custom" / "Raw"
    for clip in ("talk/2", "walk/1"):
        (raw / f"{clip}.mp4").rename(raw / f"{clip}.mp4{ENDING}")
    assert forget("--speaker", "ann", "--yes").exit_code == 0
    assert_forgotten(ours)
    assert [path.name for path in (raw / "walk").iterdir()] == [f"1.mp4{ENDING}"]


def test_video_that_is_no_link_is_named_before_it_is_deleted(ours: Path) -> None:
    video = ours / "data" / "custom" / "Raw" / "talk" / "1.m2v"
    video.write_bytes(b"the only one")
    result = forget("--speaker", "ann", "--yes")
    assert "1 files that are no links, such as data/custom/Raw/talk/1.m2v" in result.output
    assert_forgotten(ours)


def test_clips_of_that_name_in_other_datasets_stay(ours: Path) -> None:
    shutil.copytree(ours / "data" / "custom", ours / "data" / "other", symlinks=True)
    both = forget("--speaker", "ann", "--yes")
    assert both.exit_code == 1
    assert "several datasets (custom, other): name one, --dataset" in both.output
    assert forget("--speaker", "ann", "--dataset", "other", "--yes").exit_code == 0
    assert (ours / "data" / "custom" / "label.csv").read_text() == LABELS
    assert read_table("outputs/manifest.parquet").num_rows == 2  # it is of custom
    assert forget("--all", "--dataset", "other", "--yes").exit_code == 0
    assert (ours / "data" / "other" / "label.csv").read_text() == LABELS.splitlines(True)[0]


def test_speaker_of_a_dataset_of_features_is_forgotten(project: Path) -> None:
    root = Path("data/mosi")
    rows = [manifest_row("ann/1", "ann") | {"token_ids": [5]}, manifest_row("bob/1", "bob")]
    write_table(pa.Table.from_pylist(rows, schema=PRECOMPUTED_MANIFEST), root / "manifest.parquet")
    for modality in ("audio", "vision"):
        table = pa.table({"clip_id": ["ann/1", "bob/1"]})
        write_table(table, root / "features" / modality / "part-0.parquet")
    assert forget("--speaker", "ann", "--yes").exit_code == 0
    for path in root.rglob("*.parquet"):
        assert read_table(path)["clip_id"].to_pylist() == ["bob/1"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nobody is named"),
        (["--all"], "--all needs --dataset"),
        (["--speaker", "eve"], "speakers are: ann, bob"),
        (["--speaker", "ann", "--dataset", "no"], "speakers are: none"),
    ],
)
def test_nobody_is_one_message(ours: Path, arguments: list[str], told: str) -> None:
    result = forget(*arguments, "--yes")
    assert result.exit_code == 1
    assert told in result.output


def test_table_that_cannot_be_read_stops_it_before_anything_is_deleted(ours: Path) -> None:
    Path("outputs/observed.parquet").write_bytes(b"PAR1 torn")
    result = forget("--speaker", "ann", "--yes")
    assert result.exit_code == 1
    assert "outputs/observed.parquet cannot be read" in result.output
    assert (ours / "data" / "custom" / "label.csv").read_text() == LABELS


def test_remote_experiments_and_history_are_named_with_their_commands(ours: Path) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
    (ours / ".dvc" / "cache").mkdir(parents=True)
    (ours / ".dvc" / "config").write_text("['remote \"team\"']\n    url = s3://bucket\n")
    (ours / "plots").mkdir()
    (ours / "plots" / "predictions.csv").write_text("label,prediction\n")
    (ours / "reports").mkdir()
    (ours / "reports" / "index.html").write_text("frames")
    (ours / "models" / "trained").mkdir(parents=True)
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "plots"], check=True)
    subprocess.run([*git, "commit", "-qm", "plots"], check=True)
    subprocess.run([*git, "update-ref", "refs/exps/aa/b/name", "HEAD"], check=True)
    output = forget("--speaker", "ann", "--yes").output
    for line in (
        "rm -r -- models/trained outputs/predictions\n",
        "rm -r -- reports/index.html\n",
        "dvc repro\n",
        "dvc exp remove --all-commits && dvc queue remove --all\n",
        "dvc gc --workspace --force\n",
        "dvc gc --workspace --force --cloud --remote team && dvc push --remote team\n",
        "git log --oneline --all -- plots/predictions.csv; "
        "git filter-repo --invert-paths --path plots/predictions.csv\n",
    ):
        assert f"    {line}" in output
