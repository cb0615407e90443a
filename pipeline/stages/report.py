"""Stage `report`: one HTML page about the run, which opens offline.

python -m pipeline.stages.report --studies metrics/studies --benchmarks benchmarks/results

What the two folders hold is shown where it is there. They are no dependencies of the stage, which
would make every run wait for the studies: `dvc repro --force --single-item report` makes the page
anew after them.
"""

import argparse
from pathlib import Path

from contracts.files import replacing
from lnln.evaluation.by_model import MismatchError
from pipeline.models import compared
from pipeline.params import load_dataset, load_params
from pipeline.paths import REPORT
from pipeline.report.page.build import build
from pipeline.report.page.run import About, Run
from pipeline.stage import run


def main() -> None:
    """Write `reports/index.html`."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.stages.report")
    parser.add_argument("--studies", type=Path, default=Path("metrics/studies"))
    parser.add_argument("--benchmarks", type=Path, default=Path("benchmarks/results"))
    folders = parser.parse_args()
    params, dataset = load_params(), load_dataset()
    about = About(
        dataset=dataset.name,
        notice=dataset.notice,
        metric_set=dataset.metric_set,
        label_range=dataset.label_range,
        model=params.model.name,
        models=compared(params),
        patterns=params.masks.patterns,
        rates=params.evaluate.rates,
        missing_rate=params.missing_rate,
        selection=params.train.selection,
        seed=params.masks.seed,
        resamples=params.evaluate.bootstrap,
    )
    page = build(Run(about, folders.studies, folders.benchmarks))
    with replacing(REPORT) as temporary:
        temporary.write_text(page, "utf-8")
    print(f"the report: {REPORT}")


if __name__ == "__main__":
    run(main, MismatchError)
