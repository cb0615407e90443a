"""The models whose answers stand side by side on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from extractors import text
from extractors.assets.downloads import fetched
from extractors.settings import NO_SPEECH, ExtractorSettings
from extractors.text.extractor import TextExtractor
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.explaining.reader import Reader
from pipeline.timeline.limits import limits_of


@dataclass(frozen=True)
class Side:
    """One of the models.

    Attributes
    ----------
    name : str
        By which people tell it from the others.
    checkpoint : Checkpoint
    settings : ExtractorSettings
        Of the features that it reads.
    words : TextExtractor
        Makes features of words that were corrected, in this process.
    reader : Reader
        Encodes sentences of which words were left out.
    """

    name: str
    checkpoint: Checkpoint
    settings: ExtractorSettings
    words: TextExtractor
    reader: Reader

    @property
    def reads_s(self) -> float:
        """Most seconds of voice and face that the model reads."""
        lengths = self.checkpoint.lengths
        fps = self.settings.vision.fps
        return limits_of(lengths.text, lengths.audio, lengths.vision, fps).seconds


def sides_of(
    checkpoints: Mapping[str, Checkpoint], *, offline: bool, speech_model: str | None = None
) -> list[Side]:
    """Load what models need beside their weights; equal encoders are loaded once.

    What has to be downloaded is downloaded now, for extractors too: no request leaves the machine
    once the page is open.

    Parameters
    ----------
    checkpoints : mapping of str to Checkpoint
        By the source that each was loaded from. One that does not know how new clips are
        transcribed, as those of the pipeline's runs, does as the first that does.
    offline : bool
        Never download anything.
    speech_model : str, optional
        That recognises words, in place of the one that the models' dataset names.

    Raises
    ------
    CheckpointError
        A model cannot read video.
    SetupError
        A model of text, speech or faces is missing.
    """
    sides: list[Side] = []
    known = [c.config.transcription for c in checkpoints.values() if c.config.transcription]
    for name, checkpoint in zip(_names(checkpoints), checkpoints.values(), strict=True):
        if known and not checkpoint.config.transcription:
            config = checkpoint.config.model_copy(update={"transcription": known[0]})
            checkpoint = replace(checkpoint, config=config)
        settings = ExtractorSettings.model_validate(checkpoint.extraction)
        if speech_model is not None:
            speech = settings.speech.model_copy(update={"model": speech_model})
            settings = settings.model_copy(update={"speech": speech})
        for needed in (settings.vision.model, settings.speech.model):
            if needed != NO_SPEECH:
                fetched(needed, offline=offline)
        like = next((side for side in sides if side.settings.text == settings.text), None)
        folder = fetched(settings.text.model, offline=offline)
        sides.append(
            Side(
                name,
                checkpoint,
                settings,
                like.words if like else text.build(settings.text),
                like.reader if like else Reader.from_folder(folder),
            )
        )
    return sides


def _names(checkpoints: Mapping[str, Checkpoint]) -> list[str]:
    """Short names, without the folders of this machine where they can do without."""
    short = [
        f"{PurePath(source).name} ({checkpoint.config.model})"
        if PurePath(source).name != checkpoint.config.model
        else checkpoint.config.model
        for source, checkpoint in checkpoints.items()
    ]
    times = Counter(short)
    return [
        name if times[name] == 1 else f"{name} {number}" for number, name in enumerate(short, 1)
    ]
