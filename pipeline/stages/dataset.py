"""Stage `dataset`: the dataset that params.yaml names, and all settings, nothing left open."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.messages import message
from lnln.evaluation.metrics import metric_names
from pipeline.checking import RESTORE, ParamsError
from pipeline.models import ResolvedModel, compared, resolve_model
from pipeline.params import Params, ResolvedDataset, load_params, resolve_dataset
from pipeline.paths import DATASET, PARAMS, SETTINGS
from pipeline.stage import StageError, run, write_json

LAYOUT = message("""\
expected: clips in the raw layout
  {root}/label.csv                         columns video_id, clip_id, text, label, mode
  {root}/Raw/<video_id>/<clip_id>.mp4      or .mov, .mkv, .webm, .MTS and other videos
or the features of a pickle of MMSA: lnln import-mmsa FILE.pkl --dataset {name}
They are to be had from {source}.
Put the files there (a symbolic link will do), or name another dataset in {params}. {restore}""")


def require_selection(params: Params, dataset: ResolvedDataset) -> None:
    """Check that the metric that chooses the epoch is one of the dataset's.

    Raises
    ------
    ParamsError
        It is not.
    """
    allowed = metric_names(dataset.metric_set)
    if params.train.selection not in allowed:
        raise ParamsError(
            f"{PARAMS}: train.selection: {params.train.selection!r} is no metric of "
            f"{dataset.metric_set}, the metric set of {dataset.name}; allowed: {', '.join(allowed)}"
        )


def require_files(dataset: ResolvedDataset) -> None:
    """Check that the dataset's files are where they should be.

    Raises
    ------
    StageError
        Neither clips nor features are there; the message shows the layout and the source.
    """
    root = Path(dataset.root)
    if (root / "manifest.parquet").is_file():  # a dataset of features
        return
    for needed in (root / "label.csv", root / "Raw"):
        if not needed.exists():
            raise StageError(
                f"dataset {dataset.name!r}: {needed} is not there\n"
                + LAYOUT.format(
                    name=dataset.name,
                    root=dataset.root,
                    source=dataset.source,
                    params=PARAMS,
                    restore=RESTORE,
                )
            )


def main() -> None:
    """Write `dataset.json` and `settings.json`, which the other stages read."""
    params = load_params()
    dataset = resolve_dataset(params)
    require_selection(params, dataset)
    require_files(dataset)
    models = {name: resolve_model(name, params, dataset) for name in compared(params)}
    write_json(dataset.model_dump(mode="json", exclude={"models"}), DATASET)
    write_json({name: model.model_dump(mode="json") for name, model in models.items()}, SETTINGS)
    name = params.model.name
    print(f"settings of {name} on {dataset.name}: {_described(models[name])} (also in {SETTINGS})")


def _described(model: ResolvedModel) -> str:
    settings = model.model | {"train": model.train.model_dump()}
    return ", ".join(f"{name} {value}" for name, value in _leaves(settings))


def _leaves(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


if __name__ == "__main__":
    run(main)
