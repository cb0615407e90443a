"""Write our features as a pickle of MMSA, for its loader and that of the published LNLN code."""

import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from contracts.features import clip_values, read_modality
from contracts.files import replacing
from contracts.schemas import MODALITIES, SPLITS, Modality
from extractors.datasets.mmsa.layout import GRIDS, LABELS
from extractors.errors import SetupError

SENTIMENTS = np.array(["Negative", "Neutral", "Positive"])


class Exported(NamedTuple):
    """What a pickle holds after `export_mmsa`.

    Attributes
    ----------
    clips : dict
        Clips per split.
    lengths : dict
        Rows per modality, to which every clip was padded or cut.
    cut : dict
        Clips that were cut to that length, per modality.
    unlabelled : int
        Clips with features that were left out because they have no label.
    featureless : int
        Clips that were left out because they lack the features of a modality.
    """

    clips: dict[str, int]
    lengths: dict[str, int]
    cut: dict[str, int]
    unlabelled: int
    featureless: int


def export_mmsa(manifest: pa.Table, features: str | Path, path: str | Path) -> Exported:
    """Write the labelled clips of a dataset as one pickle with ``train``, ``valid`` and ``test``.

    Every sequence is padded with zeros, or cut, to the longest of the training split; a sentence
    that is cut keeps its [SEP]. ``audio_lengths`` and ``vision_lengths`` hold the lengths without
    padding.

    Parameters
    ----------
    manifest : pa.Table
        As `contracts.schemas.MANIFEST`.
    features : path
        Folder with a feature table per modality, in text, audio and vision.
    path : path
        The pickle to write.

    Raises
    ------
    SetupError
        No clip of the training split has features and a label.
    """
    tables = {modality: read_modality(Path(features) / modality) for modality in MODALITIES}
    places = {
        modality: {clip: i for i, clip in enumerate(table["clip_id"].to_pylist())}
        for modality, table in tables.items()
    }
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    unlabelled = featureless = 0
    for row in manifest.sort_by("clip_id").to_pylist():
        if all(row["clip_id"] in clips for clips in places.values()):
            unlabelled += row["label"] is None
            if row["label"] is not None and row["split"] in SPLITS:
                rows[row["split"]].append(row)
        else:
            featureless += 1
    if not rows["train"]:
        raise SetupError(
            "no clip of the training split has features and a label: nothing to pad to"
        )
    row_counts = {
        modality: np.array([len(flags) for flags in table["observed"]], np.int64)
        for modality, table in tables.items()
    }

    def lengths_of(split: str, modality: Modality) -> np.ndarray:
        return row_counts[modality][[places[modality][row["clip_id"]] for row in rows[split]]]

    lengths: dict[str, int] = {m: int(max(1, lengths_of("train", m).max())) for m in MODALITIES}
    labels = [c for c in LABELS if any(r[c] is not None for part in rows.values() for r in part)]
    content = {split: _split(rows[split], labels, tables, places, lengths) for split in SPLITS}
    with replacing(Path(path)) as temporary, temporary.open("wb") as file:
        pickle.dump(content, file, protocol=4)
    return Exported(
        {split: len(rows[split]) for split in SPLITS},
        lengths,
        {m: int(sum((lengths_of(s, m) > lengths[m]).sum() for s in SPLITS)) for m in MODALITIES},
        unlabelled,
        featureless,
    )


def _split(
    rows: list[dict[str, Any]],
    columns: list[str],
    tables: dict[Any, pa.Table],
    places: dict[Any, dict[str, int]],
    lengths: dict[Any, int],
) -> dict[str, Any]:
    """The dictionary of one split, with MMSA's names of the fields."""
    # None, where a modality was not annotated by itself, becomes NaN.
    labels = {LABELS[c]: np.array([row[c] for row in rows], np.float32) for c in columns}
    signs = np.sign(labels[LABELS["label"]]).astype(np.int64) + 1
    fields: dict[str, Any] = {
        "raw_text": np.array([row["text"] for row in rows], np.str_),
        "id": np.array([row["clip_id"].replace("/", "$_$", 1) for row in rows], np.str_),
        "annotations": SENTIMENTS[signs],
        "classification_labels": signs,
        **labels,
    }
    bert = np.zeros((len(rows), 3, lengths["text"]), np.int64)  # ids, mask, segments
    for modality, table in tables.items():
        width = table.schema.field("values").type.value_type.list_size
        padded = np.zeros((len(rows), lengths[modality], width), np.float32)
        kept = []
        for i, row in enumerate(rows):
            place = places[modality][row["clip_id"]]
            values = clip_values(table, place)
            count = min(len(values), lengths[modality])
            index = np.arange(count)
            if modality == "text":
                index[-1:] = len(values) - 1  # the closing [SEP]
                bert[i, 0, :count] = np.array(table["token_ids"][place].as_py(), np.int64)[index]
                bert[i, 1, :count] = 1
            padded[i, :count] = values[index]
            kept.append(count)
        fields[modality] = padded
        if modality in GRIDS:
            fields[f"{modality}_lengths"] = kept
    return fields | {"text_bert": bert}
