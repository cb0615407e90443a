"""What each model answers when some of a video is left out, and what moved the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from contracts.schemas import MODALITIES
from lnln.data.extent import extents
from lnln.explaining.explain import explain
from lnln.explaining.explanation import Explanation
from lnln.missing.dropping import drop
from lnln.prediction import answers_of, spoken_in
from pipeline.serve.answers import Answer, Change, Contributions, Part, Score
from pipeline.serve.video.analysis import Analysis
from pipeline.serve.video.changes import masks_under
from pipeline.serve.video.sides import Side
from pipeline.timeline.means import over_time

_TIMES = ("start_s", "end_s")


class Scorer:
    """Asks the models.

    Parameters
    ----------
    sides : sequence of Side
    """

    def __init__(self, sides: Sequence[Side]) -> None:
        self._sides = sides

    def score(self, analysis: Analysis, change: Change, explained: int | None) -> list[Score]:
        """Ask every model about all clips of a video.

        Parameters
        ----------
        analysis : Analysis
        change : Change
            What the models do not get to read.
        explained : int or None
            The clip whose answer is explained, counted from 0.
        """
        return [self._ask(side, analysis, change, explained) for side in self._sides]

    def _ask(self, side: Side, analysis: Analysis, change: Change, explained: int | None) -> Score:
        model = side.checkpoint
        features, clips = analysis.of(side)
        times = analysis.times()
        spoken = spoken_in(features.text, features.transcripts)
        read = extents(clips, model.lengths, spoken)
        masks = None
        if change.anything:
            masks = masks_under(change, clips.cut(model.lengths), [begin for begin, _ in times])
        prepared = model.prepare(clips, masks)
        if masks is not None:
            encoder = side.reader.encoder if model.model.layout.text == "states" else None
            with analysis.sentences(side) as sentences:
                prepared = drop(prepared, masks, encoder, sentences)
        # Of a clip of which the beginning is read, the rest counts as not observed.
        left = prepared.observed_shares()
        shares = {m: left[m] * [extent.share for extent in read[m]] for m in MODALITIES}
        something = np.flatnonzero(sum(shares[m] for m in MODALITIES)).tolist()
        told, _ = answers_of(model, prepared.take(something))
        by_clip = dict(zip(something, told, strict=True))
        contributions = None
        if explained is not None and explained in by_clip:
            (explanation,) = explain(prepared.take([explained]), model, side.reader, spoken)
            contributions = _contributions(explanation, times[explained][0])
        answers = [
            Answer(
                start_s=begin,
                end_s=end,
                **by_clip.get(i, {}),
                observed={m: float(shares[m][i]) for m in MODALITIES},
                read_s={
                    m: None if (reached := read[m][i].end_s) is None else begin + reached
                    for m in MODALITIES
                    if read[m][i].share < 1
                },
            )
            for i, (begin, end) in enumerate(times)
        ]
        known = [(a.prediction, a.end_s - a.start_s) for a in answers if a.prediction is not None]
        mean, spread = over_time(known)
        return Score(
            model=side.name,
            prediction=mean,
            spread=spread if len(known) > 1 else None,
            clips=answers,
            contributions=contributions,
        )


def _contributions(explanation: Explanation, begin_s: float) -> Contributions:
    told: dict[str, Any] = asdict(explanation)
    for name in ("words", "audio", "vision"):
        told[name] = [
            Part(**part | {k: None if part[k] is None else part[k] + begin_s for k in _TIMES})
            for part in told[name]
        ]
    return Contributions(**told)
