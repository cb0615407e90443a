"""Stage `tell` of the fair comparison: what encoder, baseline and network each give.

python -m studies.tell_fair
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from contracts.files import replacing
from lnln.evaluation.by_model import ModelAnswers, by_model
from lnln.evaluation.comparison import Difference, compare
from lnln.evaluation.table import read
from lnln.settings import MetricSet
from pipeline.stage import run, write_json
from studies.corpora import describe
from studies.fair import FAIR, PARAMS, result_of
from studies.settings import Studies, load_studies
from studies.tell import there
from studies.told import METRICS, Row, below_one, difference, find, markdown, score, short

PLAIN, RATED = "minilm", "minilm-rated"
SIMPLEST = "ridge"  # what a network has to be better than
TOLD = METRICS / "fair"  # fair.json and .md


def main() -> None:
    """Write the table and the findings behind it."""
    studies = load_studies(PARAMS)
    metric_set = describe(studies.corpora[0]).metric_set
    results = [
        result_of(encoder, normalisation, model)
        for encoder in (PLAIN, RATED)
        for normalisation in ("split", "speaker")
        for model in studies.models
    ]
    names = there(FAIR, results)
    table = read([FAIR / name / "predictions.parquet" for name in names])
    models = by_model(table, "random", below_one(studies))
    reached = score(models, metric_set, studies, ("mean",))
    gains = {
        "by the rated encoder": _paired(models, metric_set, studies, PLAIN, RATED),
        "by the speaker baseline": _paired(models, metric_set, studies, "split", "speaker"),
        f"by the network, over {SIMPLEST}": _over_simplest(models, metric_set, studies),
    }
    rows: list[Row] = []
    for model in studies.models:
        row: Row = {"model": model}
        for encoder, words in ((PLAIN, "plain"), (RATED, "rated")):
            for normalisation, baseline in (("split", ""), ("speaker", ", by speaker")):
                name = result_of(encoder, normalisation, model)
                if name in names:
                    row[f"{words}{baseline}"] = short(find(reached, name, "mae", "mean"))
        for title, found in gains.items():
            row[title] = difference(found[model]) if model in found else ""
        rows.append(row)
    with replacing(TOLD / "fair.md") as temporary:
        temporary.write_text(markdown(rows), "utf-8")
    write_json(
        {
            "scores": [asdict(one) for one in reached],
            "gains": {
                title: {model: asdict(row) for model, row in found.items()}
                for title, found in gains.items()
            },
        },
        TOLD / "fair.json",
    )


def _paired(
    models: Sequence[ModelAnswers],
    metric_set: MetricSet,
    studies: Studies,
    without: str,
    with_it: str,
) -> dict[str, Difference]:
    """Compare every model with itself, helped and not, all else plain; by the model."""
    pairs = {}
    for model in studies.models:
        place = {PLAIN: 0, RATED: 0, "split": 1, "speaker": 1}[with_it]
        own = [PLAIN, "split", model]
        helped = [*own]
        own[place], helped[place] = without, with_it
        pairs[model] = (result_of(*helped), result_of(*own))
    return _compare(models, metric_set, studies, pairs)


def _over_simplest(
    models: Sequence[ModelAnswers], metric_set: MetricSet, studies: Studies
) -> dict[str, Difference]:
    """Compare every model with the simplest one, both with the rated encoder."""
    simplest = result_of(RATED, "split", SIMPLEST)
    pairs = {
        model: (result_of(RATED, "split", model), simplest)
        for model in studies.models
        if model != SIMPLEST
    }
    return _compare(models, metric_set, studies, pairs)


def _compare(
    models: Sequence[ModelAnswers],
    metric_set: MetricSet,
    studies: Studies,
    pairs: dict[str, tuple[str, str]],
) -> dict[str, Difference]:
    """Compare pairs of results, corrected over all of them; by the model each is about."""
    places = {model.name: i for i, model in enumerate(models)}
    asked = {m: pair for m, pair in pairs.items() if set(pair) <= places.keys()}
    found = compare(
        models,
        metric_set,
        seed=0,
        over=["mean"],
        pairs=[(places[a], places[b]) for a, b in asked.values()],
        resamples=studies.resamples,
    )
    by_name = {(row.a, row.b): row for row in found if row.metric == "mae"}
    return {model: by_name[pair] for model, pair in asked.items() if pair in by_name}


if __name__ == "__main__":
    run(main)
