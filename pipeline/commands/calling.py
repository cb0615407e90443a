"""How commands are called and end: names that look like options, errors that name anything."""

import os
import sys
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

from contracts.printable import printable
from pipeline.telling import guard


class Program(TyperGroup):
    """All commands; whatever one ends with is told without what is not printable."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run from beginning to end; what the machine lacks is told without a traceback.

        That is disk space, for what is printed into a file as well, memory, and the like. A reader
        that has gone, as `head` does, is no error that anybody has to hear of.
        """
        try:
            try:
                return super().main(*args, **kwargs)
            except SystemExit as end:
                if sys.stdout is not None and not isinstance(end.code, str):
                    sys.stdout.flush()  # not at Python's end, which would only mutter
                raise
        except MemoryError:
            reason: object = "this machine has not enough memory for it"
        except OSError as error:
            reason = error
        _give_up_output()
        if isinstance(reason, BrokenPipeError):
            raise SystemExit(1)
        raise SystemExit(printable(f"error: {reason}", keep="\n"))

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        guard()
        try:
            return super().invoke(ctx)
        except SystemExit as end:
            if isinstance(end.code, str):
                raise SystemExit(printable(end.code, keep="\n")) from end
            raise


class Command(TyperCommand):
    """A command that takes no file for an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse a name that would be read as an option: `*` brings such names, too."""
        said = args[: args.index("--")] if "--" in args else [*args]
        for name in said:
            if name.startswith("-") and len(name) > 1 and os.path.lexists(name):
                ctx.fail(f"{printable(name)} is a file here: {_hint(ctx, name)}")
        try:
            return super().parse_args(ctx, args)
        except Exception as error:  # of typer's own parser, which has no public name for it
            option = getattr(error, "option_name", "")
            if not getattr(error, "possibilities", True) and not option.startswith("--"):
                name = next((each for each in said if each.startswith(option)), option)
                ctx.fail(f"No such option: {printable(option)}; {_hint(ctx, name)}")
            raise


def _give_up_output() -> None:
    """Forget what could not be printed: at its end, Python would try again."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _hint(ctx: Any, name: str) -> str:
    return (
        f"a name that begins with - goes behind --, as in {ctx.command_path} -- {printable(name)}"
    )
