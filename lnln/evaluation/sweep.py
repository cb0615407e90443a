"""A trained model asked about the test split under every condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from contracts.schemas import MODALITIES
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.checkpoints.config import Config
from lnln.data.encoding import check_language
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.table import CLIP_COLUMNS, Array, Condition, answers, join
from lnln.missing import patterns as missing
from lnln.missing.dropping import SentenceCache, drop
from lnln.missing.masks import Masks, evaluation_masks
from lnln.missing.patterns import ONLY


def conditions(patterns: Sequence[str], rates: Sequence[float], draws: int) -> list[Condition]:
    """List what a model is asked under.

    Complete clips; every rate of every pattern, in as many draws; and each modality alone, with
    all that it has.
    """
    complete = Condition("random", 0.0, 0)
    alone = (Condition(ONLY[modality], 0.0, 0) for modality in MODALITIES)
    return list(dict.fromkeys([complete, *missing.conditions(patterns, rates, draws), *alone]))


def sweep(
    checkpoint: Checkpoint,
    test_set: FeatureSet,
    manifest: pa.Table,
    *,
    model: str,
    train_seed: int,
    conditions: Sequence[Condition],
    masks_seed: int,
    language: FrozenLanguageEncoder | None,
    stored: Mapping[Condition, Masks] | None = None,
    cache: SentenceCache | None = None,
) -> pa.Table:
    """Ask a model about the test split.

    Parameters
    ----------
    checkpoint : Checkpoint
    test_set : FeatureSet
        As read, with labels, and with groups for a model that was trained by speaker.
    manifest : pa.Table
        With `CLIP_COLUMNS` of its clips.
    model : str
        Name of the model.
    train_seed : int
        That it was trained with.
    conditions : sequence of Condition
    masks_seed : int
        Of the masks.
    language : FrozenLanguageEncoder, optional
        The encoder the text features were made with; a model that reads no text needs none.
    stored : mapping of Condition to masks, optional
        Masks that are not drawn here.
    cache : SentenceCache, optional
        Of this encoder, for several calls about the same clips.

    Returns
    -------
    pa.Table
        As `contracts.schemas.PREDICTIONS`.
    """
    as_read, test_set = test_set, checkpoint.prepare(test_set)
    encoder = language if checkpoint.model.layout.text == "states" else None
    if encoder is not None:
        encoder.to(next((p.device for p in checkpoint.model.parameters()), "cpu"))
        check_language(test_set, encoder, checkpoint.lengths.text)
    clips = _clips(test_set, manifest)
    cache, stored = cache or SentenceCache(), stored or {}
    tables = []
    for condition in tqdm(conditions, desc=f"sweep {model}", unit="condition", disable=None):
        masks = stored.get(condition) or evaluation_masks(
            test_set,
            condition.rate,
            seed=masks_seed,
            purpose="test",
            pattern=condition.pattern,
            draw=condition.draw,
        )
        if checkpoint.by_speaker:  # by what these masks leave of all their clips
            test_set = checkpoint.prepare(as_read, masks)
        masked = drop(test_set, masks, encoder, cache)
        share, scores = masked.observed_share(), checkpoint.predict(masked)
        tables.append(
            answers(
                model,
                train_seed,
                condition,
                clips,
                scores,
                masked.text.completeness(),
                share > 0,
                _intervals(checkpoint.config, scores.prediction, share),
            )
        )
    return join(tables)


def _intervals(
    config: Config, prediction: Array, share: Array
) -> tuple[Array, Array, float] | None:
    """Return what `answers` takes; None of a checkpoint that knows no intervals."""
    intervals = config.intervals
    if intervals is None:
        return None
    return *intervals.around(prediction, share, config.label_range), intervals.level


def _clips(test_set: FeatureSet, manifest: pa.Table) -> pa.Table:
    """Return the manifest's columns of the clips, in their order."""
    test_set.known_labels()
    places = pc.index_in(pa.array(test_set.clip_ids), manifest["clip_id"].combine_chunks())
    return manifest.select(list(CLIP_COLUMNS)).take(places)
