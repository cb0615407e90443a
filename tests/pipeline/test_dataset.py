import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import dataset
from pipeline.params import ParamsError, load_dataset
from pipeline.stage import StageError, run


def test_unknown_dataset_lists_the_known_ones(change: Callable[..., None]) -> None:
    change("dataset", "mosy")
    with pytest.raises(ParamsError, match=r"'mosy' is no section of datasets\.yaml; known: sample"):
        dataset.main()


def test_missing_clips_are_told_with_the_layout(project: Path) -> None:
    with pytest.raises(StageError) as error:
        dataset.main()
    assert "data/sample/label.csv is not there" in str(error.value)
    assert "data/sample/Raw/<video_id>/<clip_id>.<mp4|" in str(error.value)
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
    assert resolved == dataset.resolve()
    assert resolved.extraction().vision.fps == 5
    assert json.loads((project / "outputs" / "dataset.json").read_text())["root"] == "data/sample"


def test_selection_metric_of_the_other_metric_set_is_refused(change: Callable[..., None]) -> None:
    change("train.selection", "acc3")
    with pytest.raises(ParamsError, match=r"train\.selection: 'acc3' is no metric of mosi.*mae"):
        dataset.main()
