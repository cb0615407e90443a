"""Models by name: every folder is one, and a class of one's own becomes one."""

import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from lnln import models
from lnln.models import registry
from lnln.models.interface import Estimator, Network
from lnln.settings import ModelSettings, Shapes, TrainSettings


def test_every_folder_is_a_model() -> None:
    folders = [file.parent.name for file in Path(models.__path__[0]).glob("*/settings.py")]
    assert registry.names() == sorted(folders)
    assert {"constant", "lnln", "text_only"} < set(folders)


@pytest.mark.parametrize("name", registry.names())
def test_every_model_has_settings_and_learns_as_it_says(name: str, shapes: Shapes) -> None:
    kind = registry.find(name)
    assert isinstance(kind.settings(), ModelSettings)
    TrainSettings(**kind.training)
    model = kind.load()
    assert issubclass(model, Network if kind.learns == "by_gradient" else Estimator)
    assert model.reads(kind.settings(), shapes, "states").shapes == shapes
    assert isinstance(model(kind.settings(), shapes), nn.Module)


def test_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        ValueError, match=f"model 'lnnl' is not one of {', '.join(registry.names())}$"
    ):
        registry.find("lnnl")


def test_registered_class_is_found_by_name_and_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTERED", {})

    class Settings(ModelSettings):
        size: int = 3

    @registry.register("by_steps", Settings, learning_rate=0.5)
    class BySteps(Network):
        pass

    @registry.register("at_once")
    class AtOnce(Estimator):
        pass

    steps, once = registry.find("by_steps"), registry.find("at_once")
    assert (steps.settings, steps.training, steps.learns) == (
        Settings,
        {"learning_rate": 0.5},
        "by_gradient",
    )
    assert (once.settings, once.training, once.learns) == (ModelSettings, {}, "at_once")
    assert (steps.load(), once.load()) == (BySteps, AtOnce)
    assert {"by_steps", "at_once", "lnln"} < {*registry.names()}


def test_settings_of_every_model_are_known_without_torch() -> None:
    check = (
        "import sys\n"
        "from lnln.models.registry import find, names\n"
        "for name in names(): find(name).settings()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
