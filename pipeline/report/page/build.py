"""The whole page."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.printable import printable
from pipeline.report.page.run import Run
from pipeline.report.page.sections.completeness import completeness
from pipeline.report.page.sections.confidence import confidence
from pipeline.report.page.sections.confusion import confusion
from pipeline.report.page.sections.cost import cost
from pipeline.report.page.sections.environment import environment
from pipeline.report.page.sections.nature import nature
from pipeline.report.page.sections.robustness import robustness
from pipeline.report.page.sections.studies import studies
from pipeline.report.page.sections.summary import summary
from pipeline.report.page.sections.training import training
from pipeline.report.page.sections.worst import worst

TEMPLATES = Path(__file__).with_name("templates")
CHAPTERS = (
    summary,
    robustness,
    confidence,
    studies,
    training,
    completeness,
    nature,
    confusion,
    worst,
    cost,
    environment,
)


def build(run: Run) -> str:
    """Return a page of HTML that needs no other file, no network and no JavaScript.

    Everything in it is computed from the run's tables. What comes from outside (names of clips,
    transcripts, paths) is escaped, and so is what is not printable in it; the page itself forbids
    scripts and requests.

    Parameters
    ----------
    run : Run

    Raises
    ------
    FileNotFoundError
        A table is not there.
    MismatchError
        A model was not asked about the same clips under the same conditions with every seed.
    """
    chapters = [chapter for make in CHAPTERS if (chapter := make(run)) is not None]
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = templates.get_template("page.html.jinja")
    return page.render(about=run.about, chapters=chapters) + "\n"


def _printable(value: object) -> object:
    """Escape what is not printable in a text; what is written as HTML stays."""
    return printable(value) if type(value) is str else value
