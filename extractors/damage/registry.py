"""The damages that there are, by name."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

from extractors.damage import scenes, sound, words
from extractors.errors import SetupError


class Kind(NamedTuple):
    """One damage.

    Attributes
    ----------
    stream : {"sound", "picture", "words"}
        What it acts on.
    severity : str
        What its number is.
    unit : str
    least, most : float
        Severities allowed.
    measure : str
        The number that tells what was realised of the severity.
    apply : callable
        Of sound and words the function that damages, of a picture the class.
    """

    stream: Literal["sound", "picture", "words"]
    severity: str
    unit: str
    least: float
    most: float
    measure: str
    apply: Callable[..., Any]


_SNR = ("level of speech over what is added", "dB", -30.0, 40.0, "snr_db")

DAMAGES = {
    "noise": Kind("sound", *_SNR, sound.noise),
    "pink_noise": Kind("sound", *_SNR, sound.pink_noise),
    "music": Kind("sound", *_SNR, sound.music),
    "clipping": Kind("sound", "samples that clip", "share", 0, 1, "share", sound.clipping),
    "band_limit": Kind("sound", "upper cut-off", "Hz", 500, 24_000, "above_db", sound.band_limit),
    "black": Kind("picture", "time without a picture", "share", 0, 1, "share", scenes.Black),
    "frozen": Kind("picture", "time that stands still", "share", 0, 1, "share", scenes.Frozen),
    "blur": Kind(
        "picture", "deviation of the filter", "frame heights", 0, 0.5, "sharpness", scenes.Blur
    ),
    "low_light": Kind("picture", "exposure missing", "stops", 0, 12, "stops", scenes.LowLight),
    "covered_face": Kind(
        "picture", "height of the face", "share", 0, 1, "share", scenes.CoveredFace
    ),
    "word_errors": Kind("words", "word error rate", "share", 0, 1, "wer", words.word_errors),
}


def parse(texts: Iterable[str]) -> dict[str, float]:
    """Read damages written as ``noise=10``.

    Returns
    -------
    dict
        Severities by name, in the order in which they are applied.

    Raises
    ------
    SetupError
        A name, a severity or its form is wrong; the message says what is allowed.
    """
    damages: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in DAMAGES:
            raise SetupError(f"{text!r}: there is no damage {name!r}; known: {', '.join(DAMAGES)}")
        if name in damages:
            raise SetupError(f"{text!r}: {name} is named twice")
        kind = DAMAGES[name]
        allowed = f"{kind.least:g} to {kind.most:g} ({kind.severity}, {kind.unit})"
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", value, re.IGNORECASE):
            raise SetupError(f"{text!r}: write {name}=SEVERITY, a number from {allowed}")
        severity = float(value)
        if not kind.least <= severity <= kind.most:
            raise SetupError(f"{text!r}: {value} is not {allowed}")
        damages[name] = severity
    if not damages:
        raise SetupError(f"no damage is named; known: {', '.join(DAMAGES)}")
    return damages
