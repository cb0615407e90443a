"""Of the seeds of a run the best one is chosen, whatever else lies beside them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.features import FeatureInfo
from contracts.schemas import MODALITIES
from lnln.checkpoints.config import CheckpointError, Config, read_config
from lnln.models.registry import find
from lnln.settings import Shapes
from pipeline.params import load_params, resolve_dataset
from pipeline.paths import DATASET
from pipeline.stage import write_json
from pipeline.stages import card, choose

Train = Callable[..., None]


@pytest.fixture
def trained(project: Path) -> Train:
    """Write what the stage `train` leaves of one model and seed; the weights are its name."""

    def write(model: str, seed: int, **validation: float | None) -> None:
        folder = project / "models" / "trained" / f"{model}-{seed}"
        folder.mkdir(parents=True)
        widths = dict.fromkeys(("text_dim", "audio_dim", "vision_dim"), 1)
        lengths = dict.fromkeys(("text_length", "audio_length", "vision_length"), 1)
        config = Config(
            model=model,
            settings=find(model).settings(),
            shapes=Shapes(**widths, **lengths),
            normalisation=None,
            features={m: FeatureInfo(modality=m, names=("one",)) for m in MODALITIES},
            metric_set="mosi",
            label_range=(-3, 3),
            dataset="sample",
            training={"settings": {"seed": seed}, "validation": validation},
        )
        (folder / "config.json").write_text(config.model_dump_json(), "utf-8")
        write_json(
            resolve_dataset(load_params()).model_dump(mode="json", exclude={"models"}), DATASET
        )
        (folder / "model.safetensors").write_text(folder.name)

    return write


def chosen(project: Path) -> str:
    config = json.loads((project / "models" / "lnln" / "config.json").read_text("utf-8"))
    weights = (project / "models" / "lnln" / "model.safetensors").read_text()
    assert weights == f"{config['model']}-{config['training']['settings']['seed']}"
    return weights


def test_best_seed_of_the_model_that_params_yaml_names_is_chosen(
    project: Path, change: Callable[..., None], trained: Train
) -> None:
    for seed, mae, corr in ((1, 1.5, 0.1), (2, 0.5, None), (3, 0.9, 0.3)):
        trained("lnln", seed, mae=mae, corr=corr)
        trained("text_only", seed, mae=1 / mae, corr=0.9)
    change("train.seeds", [1, 2, 3])
    choose.main()
    assert chosen(project) == "lnln-2"
    change("train.selection", "corr")
    choose.main()
    assert chosen(project) == "lnln-3"
    change("model.name", "text_only")
    change("train.selection", "mae")
    choose.main()
    assert chosen(project) == "text_only-1"


def test_what_new_clips_need_is_added_to_the_checkpoint(project: Path, trained: Train) -> None:
    trained("lnln", 1111, mae=1.5)
    choose.main()
    config = read_config(project / "models" / "lnln")
    assert config.notice == resolve_dataset(load_params()).notice is not None
    assert config.transcription["speech"]["model"] == "whisper-tiny.en"
    assert config.transcription["language"] == "en"


def test_seeds_and_models_of_earlier_runs_are_never_chosen(
    project: Path, change: Callable[..., None], trained: Train
) -> None:
    trained("lnln", 1, mae=1.5)
    trained("lnln", 2, mae=0.1)  # of a run with more seeds
    trained("ridge", 1, mae=0.1)
    change("train.seeds", [1])
    choose.main()
    assert chosen(project) == "lnln-1"


def test_metric_that_a_model_leaves_undefined_chooses_its_first_seed(
    project: Path,
    change: Callable[..., None],
    trained: Train,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for seed in (1, 2):
        trained("constant", seed, mae=1.0, corr=None)
    change("model.name", "constant")
    change("train.seeds", [1, 2])
    change("train.selection", "corr")
    choose.main()
    assert chosen(project) == "constant-1"
    assert "the best corr of validation: undefined" in capsys.readouterr().out


def test_model_that_was_not_trained_is_told_by_its_folder(project: Path) -> None:
    write_json(resolve_dataset(load_params()).model_dump(mode="json", exclude={"models"}), DATASET)
    with pytest.raises(FileNotFoundError, match=r"models/trained/lnln-1111/config\.json"):
        choose.main()


def test_config_of_another_program_gets_no_card(project: Path, trained: Train) -> None:
    trained("lnln", 1111, mae=1.0)
    choose.main()
    (project / "models" / "lnln" / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"models/lnln/config\.json is no config"):
        card.main()
