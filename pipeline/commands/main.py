"""The command line `lnln`: one module per command, which imports what it needs when it runs."""

import typer

from pipeline.commands.cache import app as cache_app
from pipeline.commands.calling import Command, Program
from pipeline.commands.compare import compare
from pipeline.commands.datasets import init_dataset, prepare
from pipeline.commands.degrade import degrade
from pipeline.commands.doctor import doctor
from pipeline.commands.extract import extract
from pipeline.commands.features import features
from pipeline.commands.forget import forget
from pipeline.commands.import_checkpoint import import_checkpoint
from pipeline.commands.mmsa import export_mmsa, import_mmsa
from pipeline.commands.predict import predict
from pipeline.commands.sentences import import_sentences
from pipeline.commands.serve import serve
from pipeline.commands.show import show
from pipeline.commands.timeline import timeline
from pipeline.ending import end_tidily

app = typer.Typer(
    cls=Program,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sentiment from raw video when part of the data is missing.",
)

COMMANDS = (
    init_dataset,
    prepare,
    import_mmsa,
    export_mmsa,
    import_sentences,
    features,
    predict,
    show,
    serve,
    timeline,
    compare,
    extract,
    degrade,
    import_checkpoint,
    forget,
    doctor,
)

for command in COMMANDS:
    app.command(cls=Command)(command)
app.add_typer(cache_app, name="cache")


@app.callback()
def begin() -> None:
    """Let every command end tidily."""
    end_tidily()


if __name__ == "__main__":
    app()
