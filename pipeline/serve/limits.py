"""How much the page takes on, and for how long it keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of what people may upload.

    Attributes
    ----------
    file_bytes : int
        Of one file.
    duration_s : float
        Of one video.
    uploads : int
        Kept at a time, of everybody together.
    waiting : int
        Pieces of work that wait or are being done.
    keep_s : float
        After this time an upload is deleted.
    stall_s : float
        Of silence, after which an upload that is still arriving is given up.
    arrival_s : float
        From the first byte of an upload to its last. As long it may hold a place in the queue.
    spare_bytes : int
        That stay free on the disk.
    """

    file_bytes: int = 500_000_000
    duration_s: float = 1800.0
    uploads: int = 20
    waiting: int = 10
    keep_s: float = 3600.0
    stall_s: float = 30.0
    arrival_s: float = 900.0
    spare_bytes: int = 500_000_000
