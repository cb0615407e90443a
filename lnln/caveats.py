"""What is to be known of an answer: what it had to do without, and what was not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lnln.data.extent import Extent

UNOBSERVED = {
    "text": "no words observed",
    "audio": "no sound observed",
    "vision": "no face observed",
}
NOT_LISTENED = "no words: they were neither given nor recognised"
NOT_RECOGNISED = "no words recognised: none were spoken, or the recognizer understood none"
_SHOWN = 12  # words that are not believed, in a warning
NAMES = {"text": "the words", "audio": "the sound", "vision": "the picture"}


def unobserved(
    there: Mapping[str, float], observed: Mapping[str, float], source: str
) -> Iterator[str]:
    """Say which modalities the answer had to do without.

    Parameters
    ----------
    there : mapping of str to float
        By modality, the share of the clip that was observed.
    observed : mapping of str to float
        The share that was observed and is read.
    source : str
        Where the words are from, see `lnln.prediction.Prediction`.
    """
    if not any(there.values()):
        yield "nothing was observed, neither words nor sound nor a face: no prediction"
        return
    if not any(observed.values()):
        yield "nothing was observed in the part that is read: no prediction"
        return
    lacking = dict(UNOBSERVED)
    if source == "unknown":
        lacking["text"] = NOT_LISTENED
    elif source == "none" and there["audio"]:
        lacking["text"] = NOT_RECOGNISED
    for modality, share in observed.items():
        if not share:
            yield lacking[modality] + (" in the part that is read" if there[modality] else "")


def not_believed(words: Sequence[str]) -> Iterator[str]:
    """Say which words were recognised and left out."""
    if words:
        count = f"{len(words)} recognised words are" if len(words) > 1 else "a recognised word is"
        yield f"{count} not believed: {' '.join(words[:_SHOWN])}{' ...' * (len(words) > _SHOWN)}"


def unread(extents: Mapping[str, Extent], duration_s: float | None) -> Iterator[str]:
    """Say of which modalities the model read the beginning only, in seconds where that is known."""
    for modality, read in extents.items():
        if read.share == 1:
            continue
        kind = "word pieces" if modality == "text" else "rows"
        part = f"{read.rows} {kind}"
        if read.end_s is not None:
            of = "" if duration_s is None else f" of {duration_s:.1f}"
            part = f"{read.end_s:.1f}{of} s"
        yield f"only the first {part} of {NAMES[modality]} were read ({read.share:.0%})"
