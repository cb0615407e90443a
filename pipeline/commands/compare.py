"""`lnln compare`: is one model better than another, or is it chance?"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lnln.evaluation.by_model import ModelAnswers
    from lnln.evaluation.curves import Over
    from lnln.settings import MetricSet
    from pipeline.commands.sources import Source
    from pipeline.report.comparison import Comparison

from pipeline.paths import PREDICTIONS
from pipeline.telling import tell

SEED = 1  # of resamples and permutations: the same call prints the same


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Models of the table of predictions; tables of predictions (path or path:model); "
            "DVC experiments or git revisions (name or name:model); folders of checkpoints."
        ),
    ],
    predictions: Annotated[
        Path, typer.Option(help="Table of predictions in which models are looked for.")
    ] = PREDICTIONS,
    metric: Annotated[str, typer.Option(help="mae, corr, acc7, f1, ...")] = "mae",
    pattern: Annotated[str, typer.Option(help="Pattern of missing data.")] = "random",
    over: Annotated[
        str,
        typer.Option(help="mean or area over the missing rates, high (0.5 and more), or one rate."),
    ] = "mean",
    rates: Annotated[
        list[float] | None,
        typer.Option("--rate", help="A missing rate that counts, once for each; all by default."),
    ] = None,
    metric_set: Annotated[
        str | None,
        typer.Option(help="mosi or sims; by default that of the dataset beside the predictions."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Compare the first of several models with each of the others, on the same test clips.

    Prints the metric with a 95 % interval, who answers a constant, and of every pair the difference
    with its interval and a p-value after Holm's correction.

    Example: lnln compare lnln ridge text_only --metric corr
    """
    import rich

    from pipeline.commands.sources import find
    from pipeline.report.comparison import comparison_json, comparison_tables

    try:
        sources = [source for said in models for source in find(said, predictions)]
        found = compare_sources(
            sources,
            metric,
            metric_set or metric_set_of(sources),
            pattern=pattern,
            over=number_of(over),
            rates=rates,
        )
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    for note in found.notes:
        tell("note", note)
    if as_json:
        print(comparison_json(found))
    else:
        rich.print(comparison_tables(found))


def number_of(over: str) -> "Over":
    """Return a way to sum up a curve, or the missing rate that is named.

    Raises
    ------
    ValueError
        If it is neither.
    """
    from lnln.evaluation.curves import SUMS

    if over in SUMS:
        return over
    try:
        return float(over)
    except ValueError as error:
        raise ValueError(f"--over {over}: give mean, area, high, or a missing rate") from error


def metric_set_of(sources: "list[Source]") -> str:
    """Return the metric set of the datasets that predictions are of.

    Raises
    ------
    ValueError
        If it is not known, or they have different ones.
    """
    known = {source.metric_set for source in sources if source.metric_set is not None}
    if len(known) != 1:
        why = "differ in it" if known else "do not say it"
        raise ValueError(f"the predictions {why}: say --metric-set mosi or --metric-set sims")
    return known.pop()


def compare_sources(
    sources: "list[Source]",
    metric: str,
    metric_set: str,
    *,
    pattern: str,
    over: "Over",
    rates: list[float] | None,
) -> "Comparison":
    """Compare the first model with each of the others.

    Raises
    ------
    MismatchError
        If they were not asked the same.
    ValueError
        If there are fewer than two, two are the same, or one was not asked under the pattern.
    """
    from lnln.evaluation import comparison
    from lnln.evaluation.by_model import check_comparable
    from lnln.evaluation.collapse import collapsed_rates, collapses
    from lnln.evaluation.metrics import metric_names
    from lnln.evaluation.resampling import FEWEST_GROUPS
    from lnln.evaluation.scores import scores
    from pipeline.report.comparison import Comparison

    known: MetricSet = metric_set  # type: ignore[assignment]
    if metric not in metric_names(known):
        raise ValueError(f"--metric {metric}: give one of {', '.join(metric_names(known))}")
    models = named(sources, pattern, rates)
    if len(models) < 2:
        raise ValueError("a comparison takes two models or more")
    notes = check_comparable(models)
    asked = models[0].rates
    if isinstance(over, float) and over not in asked:
        raise ValueError(
            f"--over {over:g}: the models were asked at r = {', '.join(f'{r:g}' for r in asked)}"
        )
    reached = scores(models, known, seed=SEED, over=[over], metrics=[metric])
    if reached[0].unit == "clip" and reached[0].clips > 1:
        notes.append(
            f"clips are drawn one by one, as there are fewer than {FEWEST_GROUPS} groups: this is "
            "about other clips of these speakers"
        )
    if reached[0].seeds == 1:
        notes.append("one seed: all this is about these trained models, not about other trainings")
    return Comparison(
        pattern=pattern,
        metric=metric,
        over=over,
        rates=asked,
        scores=reached,
        differences=comparison.compare(
            models,
            known,
            seed=SEED,
            metric=metric,
            over=[over],
            pairs=[(0, other) for other in range(1, len(models))],
        ),
        collapsed=collapsed_rates(collapses(models)),
        notes=notes,
    )


def named(sources: "list[Source]", pattern: str, rates: list[float] | None) -> "list[ModelAnswers]":
    """Arrange predictions by model; models that share a name are called as they were said."""
    from lnln.evaluation.by_model import by_model

    said = [source.said for source in sources]
    for name in said:
        if said.count(name) > 1:
            raise ValueError(f"{name} is named twice: it cannot be compared with itself")
    names = [source.model for source in sources]
    arranged = []
    for source in sources:
        name = source.model if names.count(source.model) == 1 else source.said
        answers = by_model(source.table, pattern, rates)
        if not answers:
            patterns = ", ".join(sorted(set(source.table["pattern"].unique().to_pylist())))
            at = "" if rates is None else f" at r = {', '.join(f'{rate:g}' for rate in rates)}"
            raise ValueError(
                f"{name} was not asked under the pattern {pattern}{at}; its patterns: {patterns}"
            )
        arranged += [replace(model, name=name) for model in answers]
    return arranged
