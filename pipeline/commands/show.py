"""`lnln show`: one clip, one picture."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.arguments import (
    NoSpeech,
    Offline,
    SpeechModel,
    Transcripts,
    Workers,
    speech_settings,
)
from pipeline.commands.problems import report
from pipeline.paths import MODEL
from pipeline.telling import say


def _named(clip: str) -> str:
    if not clip:  # an unset variable; as a path it would be the current folder
        raise typer.BadParameter("the name is empty")
    return clip


def show(
    clip: Annotated[
        str, typer.Argument(help="A video file, or its URL (s3://...).", callback=_named)
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Folder to write clip.html, clip.svg and clip.png to."),
    ] = Path("picture"),
    model: Annotated[
        str,
        typer.Option(
            help="Folder of a trained model, or its Hugging Face id; `dvc repro` makes the default."
        ),
    ] = str(MODEL),
    transcripts: Transcripts = None,
    no_speech: NoSpeech = False,
    speech_model: SpeechModel = None,
    workers: Workers = 0,
    offline: Offline = False,
) -> None:
    """Show what the model saw and heard of a clip, and what moved its answer.

    Frames with the face that was followed, waveform and pitch, words in time, what was observed and
    what was missing, movements of the face by name, and what words, voice and face each did to the
    answer: as a picture (SVG, PNG), and as a page that opens without a network.

    Example: lnln show interview.mp4 --out picture
    """
    from extractors import Session
    from extractors.settings import ExtractorSettings, RunSettings

    with Session(RunSettings(workers=workers, offline=offline)) as session:
        session.warm_up()  # while this process imports what the network needs
        from pydantic import ValidationError

        from contracts.files import replacing
        from extractors import SetupError, extract
        from extractors.datasets.listing import probe_files
        from extractors.errors import MediaError
        from extractors.following import with_landmarks, without_landmarks
        from lnln import predict
        from lnln.checkpoints.checkpoint import CheckpointError
        from pipeline.commands.model import load_reader, load_with_language
        from pipeline.picture.figure import write_picture
        from pipeline.picture.gathering import TooLong, check_length, gather
        from pipeline.picture.page import build
        from pipeline.picture.subject import Scale

        if Path(clip).is_dir():
            sys.exit(f"error: {clip} is a folder: name one video in it")
        try:
            checkpoint = load_with_language(model, offline=offline, no_speech=no_speech)
            settings = speech_settings(
                ExtractorSettings.model_validate(checkpoint.extraction),
                no_speech=no_speech,
                speech_model=speech_model,
            )
            listing = probe_files([clip], session, language=settings.language)
            for duration_s in listing.manifest["duration_s"].to_pylist():
                check_length(duration_s)  # a recording would take hours first
            reader = load_reader(checkpoint, offline=offline)
            out.mkdir(parents=True, exist_ok=True)  # before the work, not after it
            features = extract([clip], with_landmarks(settings), session, transcripts=transcripts)
            if not features.quarantine:
                plain = without_landmarks(features.vision, settings.vision, offline=offline)
                with warnings.catch_warnings(action="ignore", category=UserWarning):
                    (prediction,) = predict(
                        replace(features, vision=plain), checkpoint, reader=reader
                    )
                config = checkpoint.config
                level = None if config.intervals is None else config.intervals.level
                scale = Scale(config.label_range, level, config.notice)
                subject = gather(features, prediction, scale, session)
        except ValidationError as error:
            sys.exit(f"error: {model} was made by another version of this program: {error}")
        except (OSError, CheckpointError, SetupError, MediaError) as error:
            sys.exit(f"error: {error}")
        except TooLong as error:
            sys.exit(f"error: {clip}: {error}")
    if features.quarantine:
        report(features.quarantine, features.warnings)
    try:
        # Glyphs that no font here has are boxes in the PNG; the page shows them as the browser can.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            write_picture(subject, out / "clip.svg", out / "clip.png")
            page = build(subject)
        with replacing(out / "clip.html") as temporary:
            temporary.write_text(page, "utf-8")
    except OSError as error:
        sys.exit(f"error: {error}")
    say(f"{out / 'clip.html'}, {out / 'clip.svg'} and {out / 'clip.png'} written")
    report([], features.warnings)
