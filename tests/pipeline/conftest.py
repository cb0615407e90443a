"""A project's folder without clips, in which a test can change what it likes."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
Change = Callable[..., None]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with the params.yaml and datasets.yaml of the repository.

    The model is LNLN, which has all that a model can have: variants, parts and w; no sentences.
    """
    for name, default, value in (
        ("params.yaml", "  name: robust #", "  name: lnln #"),
        ("datasets.yaml", "  sentences: {rated_sentences: 0.5} #", "  sentences: {} #"),
    ):
        text = (ROOT / name).read_text("utf-8")
        assert default in text
        (tmp_path / name).write_text(text.replace(default, value), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def change(project: Path) -> Change:
    """Set `a.b.c` of a YAML file of the project, as `dvc exp run -S a.b.c=value` does."""

    def set_value(key: str, value: Any, file: str = "params.yaml") -> None:
        content = yaml.safe_load((project / file).read_text("utf-8"))
        *parents, last = key.split(".")
        section = content
        for parent in parents:
            section = section[parent]
        section[last] = value
        (project / file).write_text(yaml.safe_dump(content), "utf-8")

    return set_value


@pytest.fixture
def write_dataset(project: Path) -> Callable[..., None]:
    """Write data/sample from lines `(video, clip, text, label, mode)`.

    `copies` says which clip of the sample corpus a clip is a copy of; the others have no file.
    """

    def write(lines: list[tuple[str, ...]], copies: dict[str, str], header: str = "") -> None:
        folder = project / "data" / "sample"
        (folder / "Raw").mkdir(parents=True)
        rows = [header or "video_id,clip_id,text,label,mode", *map(",".join, lines)]
        (folder / "label.csv").write_text("\n".join(rows) + "\n", "utf-8")
        for clip, original in copies.items():
            target = folder / "Raw" / f"{clip}.mp4"
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(SAMPLE / "Raw" / f"{original}.mp4", target)

    return write
