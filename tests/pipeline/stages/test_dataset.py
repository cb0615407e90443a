import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.checking import ParamsError
from pipeline.models import resolve_model
from pipeline.params import load_dataset, load_datasets, load_params, resolve_dataset
from pipeline.stage import StageError, run
from pipeline.stages import dataset
from pipeline.stages.ingest import other_than_published


def test_unknown_dataset_lists_the_known_ones(change: Callable[..., None]) -> None:
    change("dataset", "mosy")
    with pytest.raises(ParamsError, match=r"'mosy' is no section of datasets\.yaml; known: sample"):
        dataset.main()


def test_missing_clips_are_told_with_the_layout(project: Path) -> None:
    with pytest.raises(StageError) as error:
        dataset.main()
    assert "data/sample/label.csv is not there" in str(error.value)
    assert "data/sample/Raw/<video_id>/<clip_id>.mp4 " in str(error.value)
    (project / "data" / "sample").mkdir(parents=True)
    (project / "data" / "sample" / "label.csv").touch()
    with pytest.raises(StageError, match="data/sample/Raw is not there"):
        dataset.main()


def test_error_that_the_user_can_mend_is_one_message(project: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(dataset.main)
    assert str(stopped.value).startswith("error: dataset 'sample':")


def test_resolved_dataset_says_how_each_modality_is_extracted(
    project: Path, change: Callable[..., None], write_dataset: Callable[..., None]
) -> None:
    write_dataset([], {})
    change("vision.fps", 5)
    dataset.main()
    resolved = load_dataset()
    assert resolved == resolve_dataset(load_params()).model_copy(update={"models": {}})
    assert resolved.extraction().vision.fps == 5
    assert json.loads((project / "outputs" / "dataset.json").read_text())["root"] == "data/sample"


def test_selection_metric_of_the_other_metric_set_is_refused(change: Callable[..., None]) -> None:
    change("train.selection", "acc3")
    with pytest.raises(ParamsError, match=r"train\.selection: 'acc3' is no metric of mosi.*mae"):
        dataset.main()


@pytest.mark.parametrize(
    ("name", "clips", "adversarial"),
    [
        ("mosi", (1284, 229, 686), 0.8),
        ("mosei", (16326, 1871, 4659), 0.8),
        ("sims", (1368, 456, 457), 0.6),
    ],
)
def test_published_settings_take_the_place_of_those_that_params_yaml_leaves_open(
    change: Callable[..., None], name: str, clips: tuple[int, int, int], adversarial: float
) -> None:
    change("dataset", name)
    resolved = resolve_dataset(load_params())
    assert resolved.clips is not None and tuple(resolved.clips.model_dump().values()) == clips
    settled = resolve_model("lnln", load_params(), resolved)
    assert (settled.model["loss"]["adversarial"], settled.train.epochs) == (adversarial, 200)
    assert settled.train.averaging == 0


def test_bundled_corpus_has_a_preset_of_its_own(project: Path) -> None:
    settled = resolve_model("lnln", load_params(), resolve_dataset(load_params()))
    preset = load_datasets()["sample"].models["lnln"]
    assert (settled.model["dropout"], settled.train.averaging) == (0.1, 0.99)
    assert settled.model["loss"]["adversarial"] == preset.model["loss"]["adversarial"] == 0.1
    assert settled.train.model_dump().items() >= preset.train.items()


def test_missing_dataset_names_its_source_and_how_to_take_the_choice_back(
    change: Callable[..., None],
) -> None:
    change("dataset", "mosi")
    with pytest.raises(StageError) as error:
        dataset.main()
    for text in ("data/mosi/label.csv", "its authors", "import-mmsa", "git diff params.yaml"):
        assert text in str(error.value)


def test_other_counts_than_the_published_are_told_with_both_numbers() -> None:
    (message,) = other_than_published({"train": 3, "valid": 1}, {"train": 1284, "valid": 1})
    assert message == "3 train clips, where 1284 were published"
