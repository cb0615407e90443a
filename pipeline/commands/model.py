"""A trained model that is ready for new clips."""

from collections.abc import Iterator
from pathlib import Path

from extractors.assets.resolving import resolve
from extractors.assets.unasked import require_here
from extractors.settings import NO_SPEECH
from lnln.checkpoints.checkpoint import Checkpoint, load
from lnln.checkpoints.config import CheckpointError, Config
from lnln.data.language import FrozenLanguageEncoder
from lnln.explaining.reader import Reader


def load_with_language(source: Path | str, *, offline: bool, no_speech: bool = False) -> Checkpoint:
    """Load a checkpoint, and the frozen BERT where the network runs it itself.

    What it names besides, to extract and transcribe new clips, has to be here or known here.

    Parameters
    ----------
    source : Path or str
        A folder, or the id of a model on the Hugging Face hub, `owner/name`.
    offline : bool
        Never fetch anything.
    no_speech : bool
        Its recognizer will not be needed.

    Raises
    ------
    FileNotFoundError
        There is no checkpoint.
    CheckpointError
        It is damaged.
    SetupError
        A model that it names is neither on this machine nor known here.
    """
    checkpoint = load(source, offline=offline)
    require_here(_named(checkpoint.config, no_speech=no_speech), source)
    if checkpoint.model.layout.text == "ids" and checkpoint.model.language is None:
        name = _text_model(checkpoint.config)
        require_here([name], source)
        language = FrozenLanguageEncoder.from_folder(resolve(name, offline=offline))
        checkpoint = load(source, language, offline=offline)
    return checkpoint


def load_reader(checkpoint: Checkpoint, *, offline: bool) -> Reader:
    """Load what explains a model's answers: the text model of its features, with its tokenizer.

    Parameters
    ----------
    checkpoint : Checkpoint
    offline : bool
        Never fetch anything.

    Raises
    ------
    SetupError
        The text model is not on this machine.
    """
    name = _text_model(checkpoint.config)
    return Reader.from_folder(resolve(name, offline=offline))


def _named(config: Config, *, no_speech: bool) -> Iterator[str]:
    """Names of the models that make the features of new clips, and of the recognizer."""
    for info in config.features.values():
        if not info.source and "model" in info.settings:
            yield str(info.settings["model"])
    speech = config.transcription.get("speech")
    if not no_speech and isinstance(speech, dict):
        name = str(speech.get("model", NO_SPEECH))
        if name != NO_SPEECH:
            yield name


def _text_model(config: Config) -> str:
    """Name of the text model that the features were made with."""
    if "text" not in config.features or "model" not in config.features["text"].settings:
        raise CheckpointError(
            "config.json of this model does not say which text model it reads: train it anew"
        )
    return str(config.features["text"].settings["model"])
