"""Chapter: the run in a few sentences."""

from __future__ import annotations

from typing import Any

from pipeline.report.page.names import TITLES
from pipeline.report.page.parts import (
    UNDEFINED,
    Part,
    Points,
    Section,
    Table,
    interval,
    number,
    row,
)
from pipeline.report.page.run import Run


def summary(run: Run) -> Section:
    """Say what was asked, of how many clips, and how the main model did beside the others."""
    about, test = run.about, run.test
    seeds = ", ".join(str(seed) for seed in test["seeds"])
    points = [
        f"{test['clips']} clips of the test split of {about.dataset}; seeds of training: {seeds}.",
        f"Compared: {', '.join(about.models)}.",
    ]
    found = test["models"].get(run.about.model, {})
    said = [
        f"{TITLES[metric]} {_with_interval(found, metric)}"
        for metric in ("mae", "corr")
        if metric in found
    ]
    points.append(
        f"{about.model} at the missing rate {about.missing_rate:g}, pattern {about.patterns[0]}: "
        + "; ".join(said)
        + "."
    )
    others = [
        f"{name} {number(test['models'][name]['mae'])}"
        for name in about.models[1:]
        if name in test["models"]
    ]
    if others:
        points.append(f"MAE of the others there: {', '.join(others)}.")
    constant = [
        f"{name} (r = {', '.join(f'{rate:g}' for rate in rates)})"
        for name, rates in test["collapsed"].items()
        if rates
    ]
    points.append(f"Answering a constant: {', '.join(constant) or 'none'}.")
    parts: list[Part] = [Points(points)]
    if "modalities" in test:
        parts.append(_modalities(test["modalities"]))
    return Section("summary", "In short", parts)


def _with_interval(found: dict[str, Any], metric: str) -> str:
    value = number(found[metric])
    ends = found.get(f"{metric}_interval")
    if value == UNDEFINED or not ends:
        return value
    return f"{value} (95 % interval over clips: {interval(*ends)})"


def _modalities(modalities: dict[str, dict[str, dict[str, Any]]]) -> Table:
    rows = [
        row(
            f"{modality}, {model}",
            str(found["clips"]),
            *(number(found[answer][m]) for m in ("mae", "corr") for answer in ("only", "all")),
        )
        for modality, by_model in modalities.items()
        for model, found in by_model.items()
    ]
    return Table(
        "Labels of single modalities, given that modality only and given all",
        ["modality, model", "clips", "MAE, only", "MAE, all", "Corr, only", "Corr, all"],
        rows,
    )
