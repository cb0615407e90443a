"""Clips whose words are known, before anything is extracted."""

from typing import NamedTuple

import pyarrow as pa

from contracts.quarantine import Rejected


class Clips(NamedTuple):
    """Clips, what is said in them, and those that failed.

    Attributes
    ----------
    manifest : pa.Table
        As `contracts.schemas.MANIFEST` or, of recordings that were cut, as
        `contracts.recordings.UTTERANCES`.
    transcripts : pa.Table
        As `contracts.schemas.TRANSCRIPTS`.
    recognition : pa.Table
        As `contracts.recordings.RECOGNITION`, of the clips that were listened to.
    quarantine : list of Rejected
    warnings : list of str
    """

    manifest: pa.Table
    transcripts: pa.Table
    recognition: pa.Table
    quarantine: list[Rejected]
    warnings: list[str]
