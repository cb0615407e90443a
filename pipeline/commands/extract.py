"""`lnln extract`: the features of raw videos."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.arguments import (
    NoSpeech,
    Offline,
    SpeechModel,
    Transcripts,
    Videos,
    Workers,
    speech_settings,
)
from pipeline.commands.problems import report
from pipeline.paths import PARAMS
from pipeline.telling import say


def extract(
    videos: Videos,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the tables to.")],
    transcripts: Transcripts = None,
    no_speech: NoSpeech = False,
    speech_model: SpeechModel = None,
    workers: Workers = 0,
    offline: Offline = False,
) -> None:
    """Write the features of raw videos as Parquet tables, with the settings of params.yaml.

    Outside a project folder the defaults are used. Needs no model and makes no score.

    Example: lnln extract clips/ --out features --transcripts beside
    """
    from extractors import SetupError
    from extractors import extract as extract_features
    from extractors.settings import ExtractorSettings, RunSettings
    from pipeline.checking import ParamsError
    from pipeline.params import load_params, resolve_dataset

    run = RunSettings(workers=workers, offline=offline)
    try:
        settings = ExtractorSettings(run=run)
        if PARAMS.exists():
            settings = resolve_dataset(load_params()).extraction().model_copy(update={"run": run})
        out.mkdir(parents=True, exist_ok=True)  # before the work, not after it
        settings = speech_settings(settings, no_speech=no_speech, speech_model=speech_model)
        features = extract_features(videos, settings, transcripts=transcripts)
        features.write(out)
    except (OSError, ParamsError, SetupError) as error:
        sys.exit(f"error: {error}")
    say(f"{features.manifest.num_rows} clips written to {out}")
    report(features.quarantine, features.warnings)
