"""The command line: `lnln predict`, `extract`, and what stands in modules of its own."""

import signal
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import rich
import typer
from pydantic import ValidationError
from rich.text import Text

from contracts.quarantine import Rejected
from extractors.errors import SetupError
from extractors.settings import RunSettings
from pipeline.commands.cache import app as cache_app
from pipeline.commands.datasets import init_dataset, prepare
from pipeline.commands.features import features
from pipeline.commands.mmsa import export_mmsa, import_mmsa
from pipeline.paths import MODEL, PARAMS

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sentiment from raw video when part of the data is missing.",
)

app.add_typer(cache_app, name="cache")
for command in (init_dataset, prepare, import_mmsa, export_mmsa, features):
    app.command()(command)


@app.callback()
def begin() -> None:
    """Let SIGTERM end a command like an exit does, so that nothing of a clip stays in /tmp."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


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
Workers = Annotated[int, typer.Option(min=0, help="Extraction processes; 0: one per core.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never download a model.")]


@app.command()
def predict(
    videos: Videos,
    model: Annotated[
        str,
        typer.Option(
            help="Folder of a trained model, or its Hugging Face id; `dvc repro` makes the default."
        ),
    ] = str(MODEL),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write the answers here, as Parquet.")
    ] = None,
    workers: Workers = 0,
    offline: Offline = False,
) -> None:
    """Estimate the sentiment of raw videos, and say what could be observed.

    No transcript is needed. A file that cannot be read is reported, the others are still done,
    and the exit status is 1.

    Example: lnln predict interview.mp4 holiday.mov clips/ --out answers.parquet
    """
    from contracts.parquet import write_table
    from extractors import extract as extract_features
    from lnln import predict as predict_sentiment
    from lnln.checkpoints.checkpoint import CheckpointError
    from lnln.prediction import to_table
    from pipeline.commands.model import load_with_language
    from pipeline.report.tables import prediction_table, predictions_json

    try:
        checkpoint = load_with_language(model, offline=offline)
        run = RunSettings(workers=workers, offline=offline)
        if out is not None:  # before the work, not after it
            if out.is_dir():
                sys.exit(f"error: {out} is a folder: --out names a file, such as answers.parquet")
            out.parent.mkdir(parents=True, exist_ok=True)
        features = extract_features(videos, checkpoint.extraction | {"run": run})
        # What it warns of stands in each prediction as well.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            predictions = predict_sentiment(features, checkpoint)
    except ValidationError as error:
        sys.exit(f"error: {model} was made by another version of this program: {error}")
    except (OSError, CheckpointError, SetupError) as error:
        sys.exit(f"error: {error}")
    config = checkpoint.config
    if as_json:
        about = {
            "model": model,
            "notice": config.notice,
            "label_range": config.label_range,
            "warnings": features.warnings,
        }
        print(predictions_json(predictions, features.quarantine, **about))
    else:
        rich.print(prediction_table(predictions, config.label_range, config.notice))
    if out is not None:
        try:
            write_table(to_table(predictions), out)
        except OSError as error:
            sys.exit(f"error: {error}")
    _report(features.quarantine, features.warnings)


@app.command()
def extract(
    videos: Videos,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the tables to.")],
    workers: Workers = 0,
    offline: Offline = False,
) -> None:
    """Write the features of raw videos as Parquet tables, with the settings of params.yaml.

    Outside a project folder the defaults are used. Needs no model and makes no score.

    Example: lnln extract clips/ --out features
    """
    from extractors import extract as extract_features
    from extractors.settings import ExtractorSettings
    from pipeline.params import ParamsError
    from pipeline.stages.dataset import resolve

    run = RunSettings(workers=workers, offline=offline)
    try:
        settings = ExtractorSettings(run=run)
        if PARAMS.exists():
            settings = resolve().extraction().model_copy(update={"run": run})
        out.mkdir(parents=True, exist_ok=True)  # before the work, not after it
        features = extract_features(videos, settings)
        features.write(out)
    except (OSError, ParamsError, SetupError) as error:
        sys.exit(f"error: {error}")
    print(f"{features.manifest.num_rows} clips written to {out}")
    _report(features.quarantine, features.warnings)


@app.command()
def import_checkpoint(
    file: Annotated[Path, typer.Argument(help="What the published code wrote, such as best.pth.")],
    config: Annotated[
        str, typer.Option(help="Published settings it was trained with: mosi, mosei or sims.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write to; models/<config>.")
    ] = None,
) -> None:
    """Turn a checkpoint of the published LNLN code into a model of ours.

    Nothing in the file can run. The model reads MMSA's features, not raw video.

    Example: lnln import-checkpoint best.pth --config mosi
    """
    from lnln.checkpoints.checkpoint import CheckpointError, save
    from lnln.checkpoints.importing import import_checkpoint as read

    folder = out or MODEL.parent / config
    if folder.exists():
        sys.exit(f"error: {folder} is there already: delete it, or give another --out")
    try:
        save(folder, read(file, config))
    except (OSError, CheckpointError) as error:
        sys.exit(f"error: {error}")
    print(f"written to {folder}; what it is, and its limits: {folder / 'README.md'}")


@app.command()
def doctor() -> None:
    """Check libraries, models and device; print what is missing and how to get it.

    Example: lnln doctor
    """
    from pipeline.commands.doctor import findings

    missing = 0
    for finding in findings():
        rich.print(("[green]ok[/]     " if finding.ok else "[red]missing[/]"), Text(finding.what))
        missing += not finding.ok
    if missing:
        sys.exit(f"{missing} missing: the lines above say how to get them")


def _report(rejected: Iterable[Rejected], warnings: Iterable[str]) -> None:
    """Print warnings and failures where they do not disturb the result; any failure is status 1."""
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    from pipeline.report.tables import failures

    failed = failures(rejected)
    for _, path, reason in failed:
        print(f"error: {path}: {reason}", file=sys.stderr)
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    app()
