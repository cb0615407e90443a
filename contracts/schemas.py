"""Schemas of the tables that stages pass to each other.

Times are in seconds. Feature tables have a schema per modality, see `contracts.features`.
"""

from typing import Literal, get_args

import pyarrow as pa

Modality = Literal["text", "audio", "vision"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)

SPLITS = ("train", "valid", "test")

MANIFEST = pa.schema(  # one row per clip
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),  # of the file
        pa.field("start_s", pa.float64()),  # null: the clip is the whole file
        pa.field("end_s", pa.float64()),
        pa.field("duration_s", pa.float64(), nullable=False),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("fps", pa.float64()),
        pa.field("has_audio", pa.bool_(), nullable=False),
        pa.field("has_video", pa.bool_(), nullable=False),
        pa.field("language", pa.string(), nullable=False),  # ISO 639 code
        pa.field("group", pa.string(), nullable=False),  # in one split only: a speaker, a video
        pa.field("split", pa.string(), nullable=False),  # one of SPLITS, or "new"
        pa.field("text", pa.string(), nullable=False),  # empty: not known
        pa.field("label", pa.float32()),  # what annotators said; null: not known
        pa.field("label_t", pa.float32()),  # of one modality alone, where it was annotated
        pa.field("label_a", pa.float32()),
        pa.field("label_v", pa.float32()),
    ]
)

WORD = pa.struct(
    [
        pa.field("word", pa.string()),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("probability", pa.float64()),
    ]
)

TRANSCRIPTS = pa.schema(  # one row per clip
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        # Where the words are from: given (a transcript), asr (recognised), none (nothing was
        # recognised: it is silent, nobody spoke, or nothing was understood), unknown (nobody
        # listened).
        pa.field("source", pa.string(), nullable=False),
        pa.field("words", pa.list_(pa.field("element", WORD)), nullable=False),
    ]
)

SENTENCES = pa.schema(  # one row per sentence that people rated
    [
        pa.field("sentence_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # what kind it is of: tweets, editorials
        pa.field("text", pa.string(), nullable=False),
        pa.field("label", pa.float32(), nullable=False),  # mean rating, on the corpus' own scale
        pa.field("deviation", pa.float32()),  # of its ratings; null: not known
        pa.field("split", pa.string(), nullable=False),  # one of SPLITS
    ]
)

# One row per sentence that a dataset trains with, of all corpora that it names: labels are on the
# dataset's scale, word pieces those of its text model.
TRAINING_SENTENCES = pa.schema(
    [
        pa.field("corpus", pa.string(), nullable=False),  # section of datasets.yaml
        *SENTENCES,
        pa.field(
            "token_ids",
            pa.list_(pa.field("element", pa.int32(), nullable=False)),
            nullable=False,
        ),
        pa.field(  # [CLS] and [SEP]
            "special",
            pa.list_(pa.field("element", pa.bool_(), nullable=False)),
            nullable=False,
        ),
    ]
)

_NAME = pa.dictionary(pa.int32(), pa.string())

# One row per answer of a model to a clip of the test split. All that is told about results is
# computed from this table.
PREDICTIONS = pa.schema(
    [
        pa.field("model", _NAME, nullable=False),
        pa.field("seed", pa.int64(), nullable=False),  # of training
        pa.field("pattern", _NAME, nullable=False),  # of missing data, see `lnln.missing.patterns`
        pa.field("rate", pa.float64(), nullable=False),  # missing rate, 0 to 1
        pa.field("draw", pa.int16(), nullable=False),  # of the masks
        pa.field("clip_id", _NAME, nullable=False),
        pa.field("group", _NAME, nullable=False),  # speaker or video
        pa.field("label", pa.float32(), nullable=False),
        pa.field("label_t", pa.float32()),  # of the words alone, where annotators gave one
        pa.field("label_a", pa.float32()),  # of the sound alone
        pa.field("label_v", pa.float32()),  # of the picture alone
        pa.field("prediction", pa.float32(), nullable=False),
        pa.field("low", pa.float32()),  # ends of its interval; null: nothing observed, or unknown
        pa.field("high", pa.float32()),
        pa.field("level", pa.float64()),  # share of labels that such intervals are to hold
        pa.field("w", pa.float32()),  # estimated completeness of language; null: no estimate
        pa.field("completeness", pa.float32(), nullable=False),  # true completeness of language
        pa.field("observed", pa.bool_(), nullable=False),  # anything left of any modality
    ]
)
