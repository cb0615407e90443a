"""Arguments and options that several commands have."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from extractors.settings import ExtractorSettings


def _named(videos: list[str]) -> list[str]:
    if "" in videos:  # an unset variable; as a path it would be the current folder
        raise typer.BadParameter("one of the names is empty")
    return videos


def _one(model: str | None) -> str | None:
    if model == "":  # an unset variable; as a path it would be the current folder
        raise typer.BadParameter("the name is empty")
    return model


Videos = Annotated[
    list[str],
    typer.Argument(
        help="Video files, and folders to search for them; URLs (s3://...) too.", callback=_named
    ),
]
Model = Annotated[
    str,
    typer.Option(
        help="Folder of a trained model, or its Hugging Face id; `dvc repro` makes the default."
    ),
]
MinConfidence = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Withhold answers of less confidence: the share of the scale that the interval around "
        "an answer rules out.",
    ),
]
Workers = Annotated[int, typer.Option(min=0, help="Extraction processes; 0: one per core.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never download a model.")]
Transcripts = Annotated[
    str | None,
    typer.Option(
        help="What is said, where you know it: a table (CSV with the columns file and text), a "
        "folder of .srt, .vtt or .txt files with the videos' names, such a file for a single "
        "video, or the word beside: files beside the videos. Other words are recognised.",
    ),
]
NoSpeech = Annotated[
    bool,
    typer.Option(
        "--no-speech", help="Recognise no words: those that are not given count as missing."
    ),
]


SpeechModel = Annotated[
    str | None,
    typer.Option(
        "--speech-model",
        help="Recognise words with this faster-whisper model instead of the one that the dataset "
        "names: a folder, or a Hugging Face id such as Systran/faster-whisper-small, which knows "
        "many languages. It is downloaded where it is not on this machine.",
        callback=_one,
    ),
]


def speech_settings(
    settings: "ExtractorSettings", *, no_speech: bool = False, speech_model: str | None = None
) -> "ExtractorSettings":
    """Recognise words as `--no-speech` and `--speech-model` say."""
    from extractors.settings import NO_SPEECH

    if no_speech and speech_model is not None:
        raise typer.BadParameter("--no-speech and --speech-model exclude each other")
    model = NO_SPEECH if no_speech else speech_model
    if model is None:
        return settings
    speech = settings.speech.model_copy(update={"model": model})
    return settings.model_copy(update={"speech": speech})
