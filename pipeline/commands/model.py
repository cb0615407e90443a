"""A trained model that is ready for new clips."""

from pathlib import Path

from extractors.assets.resolving import resolve
from lnln.checkpoints.checkpoint import Checkpoint, load
from lnln.data.language import FrozenLanguageEncoder
from lnln.explaining.reader import Reader


def load_with_language(source: Path | str, *, offline: bool) -> Checkpoint:
    """Load a checkpoint, and the frozen BERT where the network runs it itself.

    Parameters
    ----------
    source : Path or str
        A folder, or the id of a model on the Hugging Face hub, `owner/name`.
    offline : bool
        Never fetch anything.

    Raises
    ------
    FileNotFoundError
        There is no checkpoint.
    CheckpointError
        It is damaged.
    SetupError
        The BERT that the model was trained with is not on this machine.
    """
    checkpoint = load(source, offline=offline)
    if checkpoint.model.layout.text == "ids" and checkpoint.model.language is None:
        name = checkpoint.config.features["text"].settings["model"]
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
    name = checkpoint.config.features["text"].settings["model"]
    return Reader.from_folder(resolve(name, offline=offline))
