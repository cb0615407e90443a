"""What `incomplete`, `train` and `sweep` read: a split's features, its masks, its BERT."""

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts import schemas
from contracts.parquet import read_table
from extractors.assets.resolving import resolve
from lnln.data.features import FeatureSet, Lengths
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.data.reading import read_features
from lnln.missing.masks import Kept
from lnln.missing.patterns import Condition
from lnln.missing.table import from_table
from lnln.models.registry import find
from pipeline.params import Dataset
from pipeline.paths import FEATURES, INCOMPLETE, MANIFEST, TRANSCRIPTS
from pipeline.stage import StageError, warn


def lengths(dataset: Dataset) -> Lengths:
    """Longest sequences a model reads."""
    return Lengths(dataset.text.max_tokens, dataset.lengths.audio, dataset.lengths.vision)


def read_manifest() -> pa.Table:
    """Read the manifest's clips that `transcribe` did not set aside."""
    manifest = read_table(MANIFEST, schema=schemas.MANIFEST)
    transcripts = read_table(TRANSCRIPTS, schema=schemas.TRANSCRIPTS)
    return manifest.filter(pc.is_in(manifest["clip_id"], transcripts["clip_id"]))


def read_split(
    manifest: pa.Table, split: str, dataset: Dataset, *, features: Path = FEATURES
) -> FeatureSet:
    """Read one split's features, cut to what a model reads; warnings go to the user.

    Clips without a label are left out where others have one.

    Raises
    ------
    StageError
        The split has no clips, or none of them has a label.
    """
    if split not in manifest["split"].to_pylist():
        raise StageError(
            f"no clip of the dataset is in the split {split!r}: training needs train, valid and "
            "test clips; see the column `mode` of label.csv"
        )
    labelled = manifest.filter(pc.is_valid(manifest["label"]))
    without = sum(row == split for row in manifest["split"].to_pylist()) - sum(
        row == split for row in labelled["split"].to_pylist()
    )
    if without and split in labelled["split"].to_pylist():
        warn([f"{without} clips of the split {split!r} have no label and are left out"])
        manifest = labelled
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clips = read_features(features, manifest, split, lengths(dataset))
    warn(str(warning.message) for warning in caught)
    shares = clips.observed_shares()
    something = np.flatnonzero(sum(shares.values()))
    if len(something) < len(clips):
        nothing = sorted(set(clips.clip_ids) - {clips.clip_ids[i] for i in something})
        warn([f"split {split}: nothing was observed in {', '.join(nothing)}; left out"])
        clips = clips.take(something)
    if not len(clips):
        raise StageError(f"split {split!r}: nothing was observed in any of its clips")
    try:
        clips.known_labels()
    except ValueError as error:
        raise StageError(
            f"split {split!r}: {error}. At least one labelled clip is needed in each of train, "
            "valid and test, and some hundred in train to learn anything; write labels into the "
            "column `label` of label.csv"
        ) from None
    return clips


def read_masks(split: str) -> dict[Condition, dict[str, Kept]]:
    """Read the masks that the stage `incomplete` made for a split."""
    return from_table(read_table(INCOMPLETE / f"{split}.parquet"))


def load_language(
    model: str, dataset: Dataset, *, finetuned: bool = False, offline: bool
) -> LanguageEncoder | None:
    """Load the BERT that the text features were made with; None for a model that reads no text."""
    if not find(model).load().reads_text:
        return None
    kind = LanguageEncoder if finetuned else FrozenLanguageEncoder
    return kind.from_folder(resolve(dataset.text.model, offline=offline))
