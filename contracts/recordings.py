"""Schemas of the tables about recordings: what was recognised, and the utterances cut out of them.

Times are in seconds.
"""

import pyarrow as pa

from contracts.schemas import MANIFEST, WORD

RECOGNITION = pa.schema(  # one row per clip that was listened to, beside its transcript
    [
        pa.field("clip_id", pa.string(), nullable=False),
        pa.field("language", pa.string()),  # what the speech sounds like; null: not asked
        pa.field("language_probability", pa.float64()),
        # words that were recognised and are not believed: no model reads them
        pa.field("doubted", pa.list_(pa.field("element", WORD)), nullable=False),
        pa.field("warnings", pa.list_(pa.string()), nullable=False),
    ]
)

UTTERANCES = pa.schema(  # a manifest of clips that were cut out of recordings
    [
        *MANIFEST,
        pa.field("recording_id", pa.string(), nullable=False),  # clip_id of the recording
    ]
)
