"""Stage `tell` of a study that leaves one speaker out: what every model reached over all folds.

python -m studies.tell_folds javanese
"""

import sys
from dataclasses import asdict
from pathlib import Path

from contracts.files import replacing
from lnln.evaluation.by_model import by_model
from lnln.evaluation.collapse import collapsed_rates, collapses
from lnln.evaluation.comparison import compare
from lnln.evaluation.scores import scores
from lnln.evaluation.table import read
from pipeline.stage import run, write_json
from studies.corpora import describe
from studies.folds import FOLDS
from studies.settings import load_studies, results_of
from studies.tell import there
from studies.told import METRICS, WHOLE, Row, difference, find, markdown, with_interval

TOLD = METRICS / "folds"  # <corpus>.json and .md


def main() -> None:
    """Write the table and the findings behind it.

    Every clip is answered once, by the model of its fold, and scored together with all others:
    what a model answers on average differs between folds, which lessens Corr.
    """
    (name,) = sys.argv[1:]
    studies, metric_set = (
        load_studies(Path(f"studies/{name}/params.yaml")),
        describe(name).metric_set,
    )
    found = there(FOLDS, [f"{name}-{result}" for result in results_of(studies)])
    names = [folder.removeprefix(f"{name}-") for folder in found]
    table = read([FOLDS / folder / "predictions.parquet" for folder in found])
    by_name = {model.name: model for model in by_model(table, "random")}
    models = [by_name[model] for model in names]
    reached = scores(
        models,
        metric_set,
        seed=0,
        resamples=studies.resamples,
        over=["mean", 0.0],
        metrics=["mae", "corr", "acc2_without_zero"],
    )
    whole = names.index(WHOLE)
    pairs = [(i, whole) for i in range(len(models)) if i != whole]
    against = compare(
        models, metric_set, seed=0, over=[0.0], pairs=pairs, resamples=studies.resamples
    )
    collapsed = collapsed_rates(collapses(models))
    rows: list[Row] = []
    for model in models:
        own = {d.a: d for d in against}.get(model.name)
        rows.append(
            {
                "model": model.name,
                "MAE, r = 0": with_interval(find(reached, model.name, "mae", 0.0)),
                "Corr, r = 0": with_interval(find(reached, model.name, "corr", 0.0)),
                "Acc-2, r = 0": with_interval(find(reached, model.name, "acc2_without_zero", 0.0)),
                "MAE, mean over r": with_interval(find(reached, model.name, "mae", "mean")),
                f"MAE minus {WHOLE}'s, r = 0": "" if own is None else difference(own),
                "answers a constant at r": ", ".join(f"{r:g}" for r in collapsed[model.name])
                or "-",
            }
        )
    with replacing(TOLD / f"{name}.md") as temporary:
        temporary.write_text(markdown(rows), "utf-8")
    findings = {
        "scores": [asdict(score) for score in reached],
        "pairs": [asdict(row) for row in against],
        "collapsed": collapsed,
    }
    write_json(findings, TOLD / f"{name}.json")


if __name__ == "__main__":
    run(main)
