"""Arguments and options that several commands have."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from extractors.settings import ExtractorSettings


def _named(videos: list[str]) -> list[str]:
    if "" in videos:  # an unset variable; as a path it would be the current folder
        raise typer.BadParameter("one of the names is empty")
    return videos


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


def speech_settings(settings: "ExtractorSettings", *, no_speech: bool) -> "ExtractorSettings":
    """Leave out speech recognition where `--no-speech` says so."""
    from extractors.settings import NO_SPEECH

    if not no_speech:
        return settings
    speech = settings.speech.model_copy(update={"model": NO_SPEECH})
    return settings.model_copy(update={"speech": speech})
