"""`lnln predict`: the sentiment of raw videos."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.arguments import (
    MinConfidence,
    Model,
    NoSpeech,
    Offline,
    SpeechModel,
    Transcripts,
    Videos,
    Workers,
    speech_settings,
)
from pipeline.commands.problems import report
from pipeline.commands.speakers import SpeakerPattern, speakers_of, with_speakers
from pipeline.paths import MODEL


def predict(
    videos: Videos,
    model: Model = str(MODEL),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Also write the answers to this file, of the kind that its ending says: .csv, "
            ".json, .jsonl or .parquet.",
        ),
    ] = None,
    speaker_pattern: SpeakerPattern = None,
    transcripts: Transcripts = None,
    no_speech: NoSpeech = False,
    speech_model: SpeechModel = None,
    min_confidence: MinConfidence = 0.0,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Say what moved each answer: words, voice and face as a whole and in half "
            "seconds, each found by taking it away and asking again.",
        ),
    ] = False,
    workers: Workers = 0,
    offline: Offline = False,
) -> None:
    """Estimate the sentiment of raw videos, and say what could be observed.

    No transcript is needed: words are recognised, and where the speech model does not know the
    language, voice and face have to do. With each answer stands the interval in which the label
    would lie. A video that is longer than the model reads is cut into utterances, and its answer
    is their mean (lnln timeline writes each). A file that cannot be read is reported, the others
    are still done, and the exit status is 1. The table is for the terminal; in a file or a pipe it
    is a line per clip.

    Example: lnln predict interview.mp4 holiday.mov clips/ --out answers.csv

    Example: lnln predict interview.mp4 --transcripts interview.srt

    Example: lnln predict interview.mp4 --explain --json
    """
    from extractors import Session
    from extractors.settings import ExtractorSettings, RunSettings
    from pipeline.report.answers import check_ending

    if out is not None and not out.is_dir():
        try:
            check_ending(out)
        except ValueError as error:
            sys.exit(f"error: --out {error}")
    with Session(RunSettings(workers=workers, offline=offline)) as session:
        session.warm_up()  # while this process imports what the network needs
        import rich
        from pydantic import ValidationError

        from extractors import SetupError
        from extractors.api import transcribed
        from extractors.datasets.listing import find_videos
        from lnln.checkpoints.checkpoint import CheckpointError
        from lnln.prediction import check_confidence
        from pipeline.commands.model import load_reader, load_with_language
        from pipeline.report.answers import write_answers
        from pipeline.report.tables import prediction_lines, prediction_table, predictions_json
        from pipeline.timeline.answering import answer

        try:
            checkpoint = load_with_language(model, offline=offline, no_speech=no_speech)
            check_confidence(checkpoint.config, min_confidence)
            if out is not None:  # before the work, not after it
                if out.is_dir():
                    sys.exit(
                        f"error: {out} is a folder: --out names a file, such as answers.parquet"
                    )
                out.parent.mkdir(parents=True, exist_ok=True)
            if speaker_pattern is not None:
                if not checkpoint.by_speaker:
                    sys.exit(
                        f"error: {model} does not ask who speaks: it was trained with "
                        "normalisation=split; leave --speaker-pattern out"
                    )
                speakers_of(find_videos(videos), speaker_pattern)  # before the work as well
            settings = speech_settings(
                ExtractorSettings.model_validate(checkpoint.extraction),
                no_speech=no_speech,
                speech_model=speech_model,
            )
            reader = load_reader(checkpoint, offline=offline) if explain else None
            clips = transcribed(videos, settings, session, transcripts)
            if speaker_pattern is not None:
                manifest = with_speakers(clips.manifest, speaker_pattern)
                clips = clips._replace(manifest=manifest)
            predictions, failed, notes = answer(
                clips, checkpoint, settings, session, min_confidence, reader
            )
        except ValidationError as error:
            sys.exit(f"error: {model} was made by another version of this program: {error}")
        except (OSError, CheckpointError, SetupError) as error:
            sys.exit(f"error: {error}")
    config = checkpoint.config
    level = None if config.intervals is None else config.intervals.level
    about = {
        "model": model,
        "notice": config.notice,
        "label_range": config.label_range,
        "interval_level": level,
        "warnings": notes,
    }
    shown = (predictions, config.label_range, config.notice, level, config.w_withheld)
    if out is not None:  # before anything is printed: whoever reads that may have gone
        try:
            write_answers(predictions, failed, out, about)
        except OSError as error:
            sys.exit(f"error: {error}")
    if as_json:
        print(predictions_json(predictions, failed, **about))
    elif sys.stdout.isatty():
        rich.print(prediction_table(*shown))
    else:
        print(prediction_lines(*shown))
    report(failed, notes)
