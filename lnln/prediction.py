"""Predictions for new clips, with an honest statement of what could be observed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from contracts.schemas import MODALITIES
from lnln.caveats import not_believed, unobserved, unread
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.checkpoints.config import CheckpointError, Config
from lnln.checkpoints.intervals import confidence
from lnln.clip_tables import FeatureTables, by_clip, read_tables, told
from lnln.data.extent import Extent, Spoken, extents, read_shares
from lnln.data.features import FeatureSet
from lnln.data.reading import from_tables
from lnln.explaining.explain import explain
from lnln.explaining.explanation import Explanation
from lnln.explaining.reader import Reader


@dataclass(frozen=True)
class Prediction:
    """What the model says of one clip.

    Attributes
    ----------
    clip_id : str
    prediction : float or None
        Sentiment within the label range of the training data; None where nothing was observed, or
        where it was withheld.
    low, high : float or None
        Ends of the interval that holds the label of a share of clips like those of the validation
        split (`Intervals.level`); None where there is no prediction, or of a checkpoint that knows
        no intervals.
    confidence : float or None
        How much of the label range the interval rules out, 0 to 1; also of what was withheld.
    w : float or None
        How complete the model takes the language to be, 0 to 1; None of a model that makes no such
        estimate, or has not learned to make it.
    observed : dict of str to float
        Share of content tokens, of audio rows and of video rows in which there was something and
        which the model read: of a recording of 30 s of which it reads 6 s, 0.2 at most.
    text : str
        The words, from the transcript or recognised.
    warnings : list of str
    text_source : str
        Where the words are from: "given", "asr", "none" or "unknown", the column `source` of
        `contracts.schemas.TRANSCRIPTS`; empty where the features do not say.
    doubted : str
        Words that were recognised and are not believed; the model did not read them.
    language : str
        What the speech sounds like, ISO 639 code; empty where the recogniser does not tell.
    path : str
        The file; empty where the features do not say.
    duration_s : float or None
        How long the clip is; None where the features do not say.
    read_s : dict of str to float or None
        By modality, up to which second of the clip the model read: all of it, unless a warning says
        otherwise. None where that is not known, as of words without times that are too many.
    explanation : Explanation or None
        What moved the prediction; None where it was not asked for, or there is no prediction.
    """

    clip_id: str
    prediction: float | None
    low: float | None = field(default=None, kw_only=True)
    high: float | None = field(default=None, kw_only=True)
    confidence: float | None = field(default=None, kw_only=True)
    w: float | None
    observed: dict[str, float]
    text: str = ""
    warnings: list[str] = field(default_factory=list)
    text_source: str = ""
    doubted: str = field(default="", kw_only=True)
    language: str = field(default="", kw_only=True)
    path: str = field(default="", kw_only=True)
    duration_s: float | None = field(default=None, kw_only=True)
    read_s: dict[str, float | None] = field(default_factory=dict, kw_only=True)
    explanation: Explanation | None = field(default=None, kw_only=True)


def predict(
    features: FeatureTables | Path | str,
    model: Checkpoint,
    min_confidence: float = 0.0,
    *,
    reader: Reader | None = None,
    explained: Collection[str] | None = None,
) -> list[Prediction]:
    """Predict the sentiment of clips from their features.

    Parameters
    ----------
    features : FeatureTables, Path or str
        What `extractors.extract` returns, or the folder it was written to. For a model that was
        trained with each speaker's own mean and deviation, the column `group` of the manifest that
        comes with them says who speaks; of new videos every recording is its own speaker. A clip
        without a group is on its own, too.
    model : Checkpoint
        From `load`.
    min_confidence : float
        Predictions of less confidence are withheld, 0 to 1.
    reader : Reader, optional
        Of the text model that the features were made with. With it every prediction is explained,
        see `lnln.explaining.explain.explain`: each clip is then asked about once for every word and
        every half second of voice and face.
    explained : collection of str, optional
        The clip_ids of those that are explained; by default all are.

    Returns
    -------
    list of Prediction
        In the order of clip_id.

    Raises
    ------
    FileNotFoundError
        If the folder has no features.
    DamagedFile
        If a table in it is torn, or another one.
    CheckpointError
        If the features are not of the kind the model was trained on, or confidence is asked of a
        checkpoint that knows no intervals.
    ValueError
        If `min_confidence` is not between 0 and 1, or the reader is of another text model.
    """
    check_confidence(model.config, min_confidence)
    tables, transcripts, manifest, recognition = read_tables(features)
    clips = from_tables(**tables)
    groups = by_clip(manifest, "group")
    clips = replace(clips, groups=tuple(groups.get(c, c) for c in clips.clip_ids))
    spoken = spoken_in(tables["text"], transcripts)
    read = extents(clips, model.lengths, spoken)
    there, shares = clips.observed_shares(), read_shares(clips, model.lengths, read)
    something = np.flatnonzero(sum(shares[m] for m in MODALITIES))
    prepared = model.prepare(clips)
    known = prepared.take(something)
    answered, remark = answers_of(model, known)
    if reader is not None:
        asked = [i for i, c in enumerate(known.clip_ids) if explained is None or c in explained]
        explanations = explain(known.take(asked), model, reader, spoken) if asked else []
        for i, explanation in zip(asked, explanations, strict=True):
            answered[i]["explanation"] = explanation
    answers = dict(zip(something.tolist(), answered, strict=True))
    told_of = told([*tables.values(), *([] if recognition is None else [recognition])])
    doubts, languages = (by_clip(recognition, name) for name in ("doubted", "language"))
    words, sources = (by_clip(transcripts, name) for name in ("text", "source"))
    paths, durations = (by_clip(manifest, name) for name in ("path", "duration_s"))
    predictions = []
    for i, clip_id in enumerate(clips.clip_ids):
        answer = answers.get(i, {"prediction": None, "w": None})
        source, duration_s = sources.get(clip_id, ""), durations.get(clip_id)
        extent: dict[str, Extent] = {m: read[m][i] for m in MODALITIES}
        observed: dict[str, float] = {m: float(shares[m][i]) for m in MODALITIES}
        whole = {m: float(share[i]) for m, share in there.items()}
        warnings = [*unobserved(whole, observed, source), *unread(extent, duration_s)]
        warnings += told_of.get(clip_id, ())
        doubted = [word["word"] for word in doubts.get(clip_id, ())]
        warnings += not_believed(doubted)
        warnings += [text for text in (model.config.notice, remark) if text]
        sure = answer.get("confidence")
        if sure is not None and sure < min_confidence:
            warnings.insert(
                0, f"withheld: its confidence of {sure:.2f} is below {min_confidence:g}"
            )
            answer = {"prediction": None, "w": None, "confidence": sure}
        predictions.append(
            Prediction(
                clip_id=clip_id,
                observed=observed,
                text=words.get(clip_id, ""),
                text_source=source,
                doubted=" ".join(doubted),
                language=languages.get(clip_id) or "",
                path=paths.get(clip_id, ""),
                duration_s=duration_s,
                read_s={m: duration_s if e.share == 1 else e.end_s for m, e in extent.items()},
                warnings=warnings,
                **answer,
            )
        )
    return predictions


def check_confidence(config: Config, min_confidence: float) -> None:
    """Make sure that predictions of less than this confidence can be withheld.

    Raises
    ------
    ValueError
        If it is not between 0 and 1.
    CheckpointError
        If the checkpoint knows no intervals.
    """
    if not 0 <= min_confidence <= 1:
        raise ValueError(f"min_confidence is {min_confidence:g}, not between 0 and 1")
    if min_confidence and config.intervals is None:
        raise CheckpointError(
            "this model does not know how sure it is (it was made by an earlier version, or "
            "elsewhere): train it anew, or ask for no confidence"
        )


def answers_of(model: Checkpoint, clips: FeatureSet) -> tuple[list[dict[str, Any]], str | None]:
    """Ask about prepared clips with something in them.

    Parameters
    ----------
    model : Checkpoint
    clips : FeatureSet
        Of `Checkpoint.prepare`, incomplete where something is to be missing.

    Returns
    -------
    list of dict
        The fields of `Prediction` that are a model's: prediction, low, high, confidence, w.
    str or None
        Why w is not told, of a model that has one which it did not learn.
    """
    config, scores = model.config, model.predict(clips)
    columns = {"prediction": np.clip(scores.prediction, *config.label_range)}
    if config.intervals is not None:
        low, high = config.intervals.around(
            scores.prediction, clips.observed_share(), config.label_range
        )
        sure = confidence(low, high, config.label_range)
        columns |= {"low": low, "high": high, "confidence": sure}
    withheld = None if scores.w is None else config.w_withheld
    if scores.w is not None and withheld is None:
        columns["w"] = scores.w
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [{"w": None} | dict(zip(columns, row, strict=True)) for row in rows], withheld


def spoken_in(text: pa.Table, transcripts: pa.Table | None) -> dict[str, Spoken]:
    """Gather what is known of the words of each clip."""
    said, words = (by_clip(transcripts, name) for name in ("text", "words"))
    told = by_clip(text, "warnings")  # the extractor of text warns of one thing: it left some out
    return {
        clip_id: Spoken(said.get(clip_id, ""), words.get(clip_id) or (), bool(told.get(clip_id)))
        for clip_id in text["clip_id"].to_pylist()
    }
