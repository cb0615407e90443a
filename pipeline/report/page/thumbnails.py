"""One small picture of a clip, where the clip is on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from extractors.errors import MediaError
from extractors.media.clip import Clip, is_url

SIDE = 160  # of the picture, at most, pixels
_QUALITY = 70  # of JPEG
_TRIES = 4  # at as many times, from the middle on


def thumbnail(row: Mapping[str, Any]) -> bytes | None:
    """Take the picture in the middle of a clip, or the next one that there is.

    Parameters
    ----------
    row : mapping
        Of the manifest.

    Returns
    -------
    bytes or None
        JPEG. None if the clip is not on this machine, is somewhere else now, or shows nothing.
    """
    if not row["has_video"] or is_url(row["path"]):
        return None
    # Decoders are imported where there is something to decode.
    import cv2

    from extractors.media.container import Damage
    from extractors.vision.frames import sample_frames

    lasts_s = float(row["duration_s"])
    middle = Clip(row["path"], float(row["start_s"] or 0) + lasts_s / 2, lasts_s / 2)
    try:
        for picture in sample_frames(middle, _TRIES, lasts_s / 2 / _TRIES, SIDE, Damage()):
            if picture is not None:
                settings = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
                written, jpeg = cv2.imencode(
                    ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), settings
                )
                return jpeg.tobytes() if written else None
    except MediaError:
        return None
    return None
