"""What was found in a video, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.schemas import MODALITIES, Modality
from extractors.words import Word
from lnln.data.features import FeatureSet
from pipeline.serve.answers import Change, ClipFound, Found, SpokenWord, Stretch, What
from pipeline.serve.video.analysis import Analysis
from pipeline.serve.video.changes import masks_under, stretches
from pipeline.serve.video.sides import Side

Bands = dict[Modality, list[Stretch]]

_ROWS_SHOWN = 2000  # of a band; of more, every second, third ... is shown


def found_in(analysis: Analysis, version: str, side: Side, downloads: Sequence[str]) -> Found:
    """Gather what the page shows of a video before a model is asked.

    Parameters
    ----------
    analysis : Analysis
    version : str
        Its name.
    side : Side
        Whose features the bands are of: of several models, the first.
    downloads : sequence of str
        What can be taken along.
    """
    row = analysis.manifest.to_pylist()[0]
    times = analysis.times()
    clips = []
    for number, (clip_id, (begin, end)) in enumerate(zip(analysis.clip_ids, times, strict=True)):
        said, corrected = analysis.said(clip_id)
        clips.append(
            ClipFound(
                clip=number,
                start_s=begin,
                end_s=end,
                text=said["text"],
                text_source=said["source"],
                words=[_shown(Word(**word), begin) for word in said["words"]]
                or [SpokenWord(word=word[:200]) for word in said["text"].split()],
                doubted=[_shown(word, begin) for word in analysis.doubted(clip_id)],
                corrected=corrected,
                movements=[] if analysis.face is None else analysis.face.movements[clip_id],
            )
        )
    return Found(
        version=version,
        duration_s=max(end for _, end in times),
        width=row["width"],
        height=row["height"],
        fps=row["fps"],
        has_audio=row["has_audio"],
        has_video=row["has_video"],
        clips=clips,
        bands=bands_under(Change(), analysis, side),
        warnings=analysis.warnings,
        downloads=list(downloads),
    )


def bands_under(change: Change, analysis: Analysis, side: Side) -> Bands:
    """When something was observed of each modality, was missing, or is left out."""
    _, clips = analysis.of(side)
    times = analysis.times()
    masks = masks_under(change, clips, [begin for begin, _ in times])
    bands: Bands = {modality: [] for modality in MODALITIES}
    for i, clip_id in enumerate(clips.clip_ids):
        begin, end = times[i]
        kept = masks[clip_id]
        bands["text"] += _of_words(analysis, clips, i, kept.text, begin)
        for modality in MODALITIES[1:]:
            features = clips.modality(modality)
            rows = features.rows(i)
            places = features.times[rows]
            if not len(places) or not np.isfinite(places).all():
                continue
            step = float(places[1] - places[0]) if len(places) > 1 else 2 * float(places[0])
            first = begin + float(places[0]) - step / 2
            every = len(features.values) // _ROWS_SHOWN + 1
            seen, left = features.observed[rows][::every], getattr(kept, modality)[::every]
            bands[modality] += stretches(seen, left, first, every * step, end)
    return bands


def _of_words(
    analysis: Analysis, clips: FeatureSet, clip: int, kept: np.ndarray, begin: float
) -> list[Stretch]:
    """Words as stretches; those without times are nowhere."""
    rows = clips.text.rows(clip)
    places, content = clips.text.times[rows], ~clips.text.special[rows]
    said, _ = analysis.said(clips.clip_ids[clip])
    spoken = []
    for word in said["words"]:
        if word["start_s"] is None or word["end_s"] is None:
            continue
        middle = (word["start_s"] + word["end_s"]) / 2
        pieces = content & (np.abs(places - middle) < 1e-6)
        # Of a word that the model does not read, there are none.
        what: What = (
            "missing" if not pieces.any() else "observed" if kept[pieces].any() else "left_out"
        )
        spoken.append(
            Stretch(start_s=begin + word["start_s"], end_s=begin + word["end_s"], what=what)
        )
    return spoken


def _shown(word: Word, begin: float) -> SpokenWord:
    start, end = (None if s is None else begin + s for s in (word.start_s, word.end_s))
    if start is not None and end is not None:
        end = max(start, end)  # whatever a recognizer says
    return SpokenWord(
        word=word.word.strip()[:200], start_s=start, end_s=end, probability=word.probability
    )


def words_of(given: list[SpokenWord], begin: float) -> list[Word]:
    """Words that a person gave, with times from the beginning of their clip.

    What was typed as several words becomes several, which share the time of the one.
    """
    words = []
    for each in given:
        start, end = (
            None if s is None else max(0.0, s - begin) for s in (each.start_s, each.end_s)
        )
        parts = each.word.split()
        step = (end - start) / len(parts) if parts and start is not None and end is not None else 0
        for number, part in enumerate(parts):
            if start is not None and end is not None:
                a, b = start + number * step, start + (number + 1) * step
                words.append(Word(part, a, b, each.probability))
            else:
                words.append(Word(part, start, end, each.probability))
    return words
