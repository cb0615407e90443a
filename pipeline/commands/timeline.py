"""`lnln timeline`: scores over the time of a recording."""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.commands.arguments import (
    MinConfidence,
    Model,
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

_UNFINISHED = ".unfinished"  # in the folder of the results, while they are being made


def timeline(
    video: Annotated[str, typer.Argument(help="A video or sound file of any length, or its URL.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the timeline to.")],
    model: Model = str(MODEL),
    transcripts: Transcripts = None,
    no_speech: NoSpeech = False,
    speech_model: SpeechModel = None,
    unspoken: Annotated[
        Literal["clips", "gaps"],
        typer.Option(
            help="What stretches without speech become: clips, which voice and face tell of, or "
            "gaps, without a score."
        ),
    ] = "clips",
    min_confidence: MinConfidence = 0.0,
    workers: Workers = 0,
    offline: Offline = False,
) -> None:
    """Score a recording utterance by utterance, and write the scores over its time.

    Pauses cut the recording; no utterance is longer than what the model reads, and no word is cut
    in two. Written are timeline.csv, .json and .parquet, captions with scores (.vtt, .srt) and a
    picture (.png, .svg). At the end stands the mean, weighted by seconds. Interrupted, the command
    goes on from there when it is called again.

    Example: lnln timeline interview.mp4 --out interview

    Example: lnln timeline talk.mp4 --out talk --transcripts talk.srt --unspoken gaps
    """
    from extractors import Session
    from extractors.settings import ExtractorSettings, RunSettings
    from extractors.workers.cache import VARIABLE

    if Path(video).is_dir():
        sys.exit(f"error: {video or '.'} is a folder: name one video in it")
    try:
        out.mkdir(parents=True, exist_ok=True)  # before the work, not after it
    except OSError as error:
        sys.exit(f"error: {error}")
    unfinished = out / _UNFINISHED
    lasting = os.environ.get(VARIABLE) or str(unfinished.absolute())
    with Session(RunSettings(workers=workers, offline=offline, cache=lasting)) as session:
        from pydantic import ValidationError

        from extractors import SetupError
        from extractors.datasets.listing import find_videos
        from lnln.checkpoints.checkpoint import CheckpointError
        from lnln.prediction import check_confidence
        from pipeline.commands.model import load_with_language
        from pipeline.timeline.means import described
        from pipeline.timeline.recording import timeline as make
        from pipeline.timeline.writing import NAMES, write

        try:
            if len(found := find_videos([video])) > 1:  # a folder at a URL
                sys.exit(f"error: {video} has {len(found)} videos: name one of them")
            checkpoint = load_with_language(model, offline=offline, no_speech=no_speech)
            check_confidence(checkpoint.config, min_confidence)
            settings = speech_settings(
                ExtractorSettings.model_validate(checkpoint.extraction),
                no_speech=no_speech,
                speech_model=speech_model,
            )
            result = make(
                video,
                checkpoint,
                session,
                settings,
                transcripts=transcripts,
                unspoken=unspoken,
                min_confidence=min_confidence,
            )
            if result.means:
                write(result, out, model=model)
        except ValidationError as error:
            sys.exit(f"error: {model} was made by another version of this program: {error}")
        except (OSError, CheckpointError, SetupError) as error:
            sys.exit(f"error: {error}")
    shutil.rmtree(unfinished, ignore_errors=True)
    for mean in result.means:
        say(described(mean))
    if result.means:
        say(f"written to {out}: {', '.join(NAMES)}")
    report(result.quarantine, result.warnings)
