"""`lnln import-checkpoint`: a published model becomes one of ours, or nothing does."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.commands.main import app
from tests.pipeline.commands.conftest import Extractor


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with `best.pth`, small, as the published code writes it for `mosi`."""
    import torch

    from lnln.checkpoints.importing import PUBLISHED
    from lnln.data.language import LanguageEncoder
    from lnln.models.lnln.model import LNLN
    from lnln.models.lnln.published_names import published_name
    from lnln.models.lnln.settings import LNLNSettings
    from lnln.settings import Shapes

    bert = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    bert |= {"intermediate_size": 8, "max_position_embeddings": 8}
    shapes = Shapes(
        text_dim=8, audio_dim=2, vision_dim=3, text_length=4, audio_length=5, vision_length=6
    )
    small = PUBLISHED["mosi"]._replace(shapes=shapes, bert=bert)
    monkeypatch.setitem(PUBLISHED, "mosi", small)
    monkeypatch.chdir(tmp_path)
    settings = LNLNSettings(variant="official", fusion_depth=2)
    model = LNLN(settings, shapes, LanguageEncoder.from_config({"model_type": "bert"} | bert))
    state = {published_name(name): value for name, value in model.state_dict().items()}
    torch.save({"epoch": 1, "optimizer": {}, "state_dict": state}, "best.pth")
    return tmp_path


def test_published_checkpoint_is_imported_and_does_not_read_video(
    published: Path, extractor: Extractor
) -> None:
    result = run("import-checkpoint", "best.pth", "--config", "mosi")
    assert result.exit_code == 0, result.output
    assert "written to models/mosi" in result.output
    files = {path.name for path in (published / "models" / "mosi").iterdir()}
    assert files == {"README.md", "config.json", "model.safetensors"}
    result = run("predict", "a.mp4", "--model", "models/mosi")
    assert (result.exit_code, extractor.settings) == (1, None)
    assert "error: this model cannot read video: it was trained on MMSA's" in result.output


def test_import_never_replaces_a_model(published: Path) -> None:
    assert run("import-checkpoint", "best.pth", "--config", "mosi", "-o", "ours").exit_code == 0
    before = (published / "ours" / "config.json").read_bytes()
    result = run("import-checkpoint", "best.pth", "--config", "mosi", "-o", "ours")
    assert result.exit_code == 1
    assert "error: ours is there already" in result.output
    assert (published / "ours" / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["best.pth", "--config", "sims"], "best.pth is refused: proj_l.0.weight has the shape"),
        (["best.pth", "--config", "../x"], "'../x' is none of the published mosi, mosei, sims"),
        (["gone.pth", "--config", "mosi"], "gone.pth"),
    ],
)
def test_import_that_fails_is_one_message_and_leaves_nothing(
    published: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    from lnln.checkpoints.importing import PUBLISHED

    text_dim = PUBLISHED["mosi"].shapes.model_copy(update={"text_dim": 6})
    monkeypatch.setitem(PUBLISHED, "sims", PUBLISHED["mosi"]._replace(shapes=text_dim))
    result = run("import-checkpoint", *arguments)
    assert result.exit_code == 1
    assert result.output.startswith("error: ") and message in result.output
    assert [path.name for path in published.iterdir()] == ["best.pth"]
