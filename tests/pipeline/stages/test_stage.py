from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contracts.features import read_modality
from pipeline.params import load_dataset
from pipeline.report.figures import plot_rates
from pipeline.stage import StageError, run, write_json
from pipeline.stages import extract
from pipeline.stages.evaluate import curves, write_csv
from pipeline.stages.splits import read_split

MODELS = ["lnln", "ridge", "constant"]
BY_RATE = [
    {
        "rate": rate,
        "model": name,
        "mae": 1 + rate,
        "corr": None if name == "constant" else 0.5,
        "mae_deviation": 0.1,
        "corr_deviation": None,
    }
    for rate in (0.0, 0.5)
    for name in MODELS
]


def test_error_of_the_program_keeps_its_traceback() -> None:
    def broken() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        run(broken)


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "metrics" / "test.json"
    write_json({"mae": 1.0}, target)
    with pytest.raises(ValueError, match="JSON"):
        write_json({"mae": np.nan}, target)
    assert target.read_text() == '{\n  "mae": 1.0\n}\n'
    assert list(target.parent.iterdir()) == [target]


def test_extract_names_the_modalities_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["extract", "smell"])
    with pytest.raises(SystemExit, match=r"text\|audio\|vision"):
        extract.main()


def test_curves_have_a_row_per_rate_and_a_column_per_model(tmp_path: Path) -> None:
    write_csv(curves(BY_RATE, MODELS, "corr"), tmp_path / "corr.csv")
    assert (tmp_path / "corr.csv").read_text() == (
        "rate,lnln,ridge,constant\n0.0,0.5,0.5,\n0.5,0.5,0.5,\n"
    )


def test_the_same_results_draw_the_same_picture(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        plot_rates(BY_RATE, MODELS, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_split_without_clips_says_what_training_needs(project: Path) -> None:
    from pipeline.params import load_params, resolve_dataset

    manifest = pa.table({"split": ["train", "test"], "clip_id": ["a/1", "b/1"]})
    with pytest.raises(StageError, match=r"split 'valid': training needs train, valid and"):
        read_split(manifest, "valid", resolve_dataset(load_params()))


@pytest.mark.parametrize("torn", ["outputs/features/vision/part-0.parquet", "outputs/dataset.json"])
def test_torn_output_ends_a_stage_with_its_name_and_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path(torn)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"PAR1 and {no more")

    def main() -> None:
        if file.suffix == ".json":
            load_dataset()
        else:
            read_modality(file.parent)

    with pytest.raises(SystemExit, match=rf"^error: {torn} is .*delete it and run what wrote it"):
        run(main)
