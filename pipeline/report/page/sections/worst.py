"""Chapter: the clips that the model is most wrong about."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np

from contracts.schemas import MODALITIES
from lnln.evaluation.by_model import ModelAnswers
from pipeline.report.page.parts import Clip, Clips, Part, Section, Text
from pipeline.report.page.run import Run
from pipeline.report.page.thumbnails import thumbnail
from pipeline.report.tables import NAMES

_HOW_MANY = 10


def worst(run: Run) -> Section:
    """Show the ten clips with the greatest mean error at `missing_rate`."""
    rate, title = run.about.missing_rate, "The worst clips"
    model, complete = run.at_headline(rate), run.at_headline(0.0)
    if model is None:
        return Section(
            "worst", title, [Text([f"{run.about.model} was not asked at r = {rate:g}."])]
        )
    errors = np.abs(model.prediction - model.label).mean(axis=(0, 1))
    known = {clip["clip_id"]: clip for clip in run.observed}
    chosen = np.argsort(-errors, kind="stable")[:_HOW_MANY]
    shown = [_clip(run, model, complete, int(place), errors, known) for place in chosen]
    parts: list[Part] = [
        Text(
            [
                f"The {len(shown)} test clips with the greatest error of {model.name} at the "
                f"missing rate {rate:g}, a mean over seeds and draws of masks. Pictures are taken "
                "from the clips on the machine that made this page."
            ]
        ),
        Clips(shown),
    ]
    return Section("worst", title, parts)


def _clip(
    run: Run,
    model: ModelAnswers,
    complete: ModelAnswers | None,
    place: int,
    errors: Any,
    known: dict[str, dict[str, Any]],
) -> Clip:
    name = str(model.clip_id[place])
    facts = [
        ("label", f"{model.label[place]:+.2f}"),
        ("prediction", f"{model.prediction[:, :, place].mean():+.2f}"),
        ("error", f"{errors[place]:.2f}"),
    ]
    if complete is not None:
        facts.insert(
            2,
            (
                "prediction of the complete clip",
                f"{complete.prediction[:, :, place].mean():+.2f}",
            ),
        )
    row = known.get(name)
    picture = None
    if row is not None:
        facts.append(("observed", ", ".join(_share(row, m) for m in MODALITIES)))
        jpeg = thumbnail(row)
        picture = None if jpeg is None else f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
    return Clip(name, picture, run.words.get(name, ""), facts)


def _share(row: dict[str, Any], modality: str) -> str:
    observed = row[f"observed_{modality}"]
    return f"{NAMES[modality]} " + ("none" if observed is None else f"{observed['share']:.0%}")
