"""The model that docs/guides/own-model.md adds is one that the interface takes."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from lnln.data.batches import Inputs, PaddedSequence
from lnln.models.interface import Network, Targets
from lnln.settings import SeedlessTrainSettings, Shapes

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "own-model.md"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The two files of the guide, as modules."""
    files = re.findall(r'```python title="([^"]+)"\n(.*?)```', GUIDE.read_text("utf-8"), re.S)
    for path, source in files:
        module = ModuleType(path.removesuffix(".py").replace("/", "."))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(source, path, "exec"), module.__dict__)
    return module


def test_the_model_of_the_guide_learns(example: ModuleType):
    settings = sys.modules["lnln.models.mean_audio.settings"]
    SeedlessTrainSettings.model_validate(settings.TRAINING)
    shapes = Shapes(
        text_dim=4, audio_dim=3, vision_dim=2, text_length=5, audio_length=6, vision_length=7
    )
    model = example.MODEL(settings.SETTINGS(), shapes)
    assert isinstance(model, Network) and settings.LEARNS == "by_gradient"
    torch.manual_seed(0)
    audio = PaddedSequence(torch.randn(8, 6, 3), torch.ones(8, 6, dtype=torch.bool))
    empty = PaddedSequence(torch.zeros(8, 1, 2), torch.ones(8, 1, dtype=torch.bool))
    label = audio.values.mean(dim=(1, 2))
    targets = Targets(label, torch.ones(8), torch.zeros(8), torch.arange(8))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    totals = []
    for _ in range(50):
        total = model.losses(model(Inputs(empty, audio, empty)), targets)["total"]
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < totals[0] / 2
