"""`lnln serve`: a page to look at what a model saw."""

import os
import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from pipeline.commands.arguments import Offline, SpeechModel, Workers
from pipeline.paths import MODEL
from pipeline.telling import say, tell

_TOKEN = "LNLN_TOKEN"  # instead of one that is made for each start


def serve(
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder of a trained model, or its Hugging Face id; several stand side by side.",
            show_default=str(MODEL),
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen at. One that others can reach, such as 0.0.0.0, asks everybody "
            f"for a token: that in ${_TOKEN}, else a new one, printed in a link."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: one that is free.")] = 8765,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Name by which the page is opened, such as that of a proxy."),
    ] = None,
    max_mb: Annotated[int, typer.Option(min=1, help="Size of one file, MB.")] = 500,
    max_minutes: Annotated[float, typer.Option(min=0.1, help="Length of one video.")] = 30.0,
    max_uploads: Annotated[int, typer.Option(min=1, help="Videos kept at a time.")] = 20,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="Videos that wait or are being read; more are told to wait.")
    ] = 10,
    keep_minutes: Annotated[
        float, typer.Option(min=0.1, help="After this time a video is deleted.")
    ] = 60.0,
    speech_model: SpeechModel = None,
    workers: Workers = 0,
    offline: Offline = False,
) -> None:
    """Open a page in the browser: what was said, where the face was, what moved the score.

    Videos are uploaded or recorded there. Words can be corrected, and voice, face or a stretch of
    time left out, to see the score change. Nothing leaves this machine, and nothing is kept: a
    video is deleted with all that was found in it by a button, after a while, and when the server
    ends.

    Example: lnln serve

    Example: lnln serve --model models/lnln --model models/trained/ridge-1111
    """
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        sys.exit("error: lnln serve needs two packages more: pip install 'lnln[serve]'")
    from contracts.private_folders import temporary_folder
    from extractors import Session
    from extractors.settings import RunSettings
    from extractors.workers.cache import VARIABLE

    # Not into a cache that lasts: what is found in these videos is deleted with them.
    os.environ.pop(VARIABLE, None)
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder("lnln-serve-"))
        cache, uploads = folder / "features", folder / "uploads"
        for part in (cache, uploads):
            part.mkdir(mode=0o700)
        run = RunSettings(workers=workers, offline=offline, cache=str(cache))
        session = stack.enter_context(Session(run))
        from pydantic import ValidationError

        from extractors import SetupError
        from lnln.checkpoints.checkpoint import CheckpointError
        from pipeline.commands.model import load_with_language
        from pipeline.serve.limits import Limits
        from pipeline.serve.service import Service
        from pipeline.serve.video.analyst import Analyst
        from pipeline.serve.video.sides import sides_of
        from pipeline.serve.web.listening import listen

        sources = list(dict.fromkeys(model or [str(MODEL)]))
        try:
            checkpoints = {
                source: load_with_language(source, offline=offline) for source in sources
            }
            sides = sides_of(checkpoints, offline=offline, speech_model=speech_model)
        except ValidationError as error:
            sys.exit(f"error: a model was made by another version of this program: {error}")
        except (OSError, CheckpointError, SetupError) as error:
            sys.exit(f"error: {error}")
        limits = Limits(
            file_bytes=max_mb * 1_000_000,
            duration_s=max_minutes * 60,
            uploads=max_uploads,
            waiting=max_waiting,
            keep_s=keep_minutes * 60,
        )
        service = Service(uploads, Analyst(session, cache, sides, limits), sides, limits)
        try:
            listen(service, host, port, name or [], os.environ.get(_TOKEN, ""), say)
        except OSError as error:
            tell("error", error)
            sys.exit(1)
