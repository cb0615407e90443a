"""The page of a clip: the picture, and what is in it as tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.printable import printable
from contracts.schemas import MODALITIES
from lnln.explaining.explanation import Explanation, Part
from pipeline.picture.figure import HEIGHT, WIDTH, draw, headline, remarks, settle
from pipeline.picture.subject import Subject
from pipeline.report.page.drawing import axes
from pipeline.report.page.parts import Figures, Folded, Section, Table, Text, row
from pipeline.report.page.parts import Part as PagePart
from pipeline.report.tables import NAMES

_HERE = Path(__file__).with_name("templates")
_REPORT = Path(__file__).parents[1] / "report" / "page" / "templates"
_SOURCES = {
    "given": "The words were given.",
    "asr": "The words were recognised.",
    "none": "No words were recognised.",
    "unknown": "Nobody listened for words.",
}


def build(subject: Subject) -> str:
    """Return a page of HTML that needs no other file, no network and no JavaScript.

    Names and words are escaped, and so is what is not printable in them; the page itself forbids
    scripts and requests.
    """
    templates = Environment(
        loader=FileSystemLoader([_HERE, _REPORT]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = [_picture(subject), *_explained(subject), _face(subject)]
    page = templates.get_template("clip.html.jinja").render(
        name=subject.name,
        answer=headline(subject),
        remarks=remarks(subject),
        sections=sections,
    )
    return page + "\n"


def _picture(subject: Subject) -> Section:
    with axes("clip", width=WIDTH, height=HEIGHT - 0.8) as drawn:  # the page has its own title
        drawn.figure.clear()
        draw(drawn.figure, subject)
        settle(drawn.figure)
        seconds = ", ".join(f"{frame.time_s:.1f} s" for frame in subject.frames)
        svg = drawn.svg(
            f"What the model saw and heard of {printable(subject.name)}",
            f"Frames at {seconds or 'no time, as there is no picture'}. Below, over "
            f"{subject.duration_s:.1f} s: waveform and level, pitch, words, what was observed, "
            "what each half second of voice and face did, movements of the face; and how the "
            "answer comes about. The tables below say the same.",
        )
    prediction = subject.prediction
    said = [_SOURCES.get(prediction.text_source, ""), f"“{prediction.text}”"]
    caption = (
        "The face in the box is the one that was followed. Words are blue where they moved the "
        "answer up and orange where they moved it down, the fuller the more, and grey where the "
        "model does not read them. Bands are full where "
        "something was observed, and hatched where the model does not read."
    )
    parts: list[PagePart] = [Figures(caption, [svg], "wide")]
    if prediction.text:
        parts.insert(0, Text([" ".join(filter(None, said))]))
    if prediction.doubted:
        doubted = f"Recognised, but not believed, and not read: “{prediction.doubted}”"
        parts.insert(-1, Text([doubted]))
    return Section("picture", "What the model saw and heard", parts)


def _explained(subject: Subject) -> list[Section]:
    explanation = subject.prediction.explanation
    if explanation is None:
        return []
    observed = subject.prediction.observed
    rows = [row("nothing observed", "", f"{explanation.nothing:+.2f}")]
    for modality in MODALITIES:
        share = f"{observed[modality]:.0%}"
        rows.append(row(NAMES[modality], share, f"{explanation.modalities[modality]:+.2f}"))
    rows.append(row("answer", "", f"{explanation.score:+.2f}"))
    note = (
        "Shares of words, voice and face add up to the answer: each is a mean of what the modality "
        "adds over all orders in which they may come (Shapley). "
    )
    if subject.prediction.prediction != explanation.score:
        note += "The answer is then limited to the range of the labels. "
    parts: list[Table | Folded] = [
        Table("What moved the answer", ["", "observed and read", "adds"], rows, note)
    ]
    if explanation.words:
        parts.append(
            Table(
                "Words",
                ["word", "from s", "to s", "moved the answer by"],
                [row(word.text, *_times(word), _moved(word)) for word in explanation.words],
                "The answer with the word minus the answer without it. Two words that say the same "
                "can each be spared, so that these need not add up to the share of all words.",
            )
        )
    parts += [Folded(title, [table]) for title, table in _stretches(explanation)]
    return [Section("moved", "What moved the answer", parts)]


def _stretches(explanation: Explanation) -> list[tuple[str, Table]]:
    return [
        (
            f"Every half second of the {NAMES[modality]}",
            Table(
                f"Half seconds of the {NAMES[modality]}",
                ["from s", "to s", "moved the answer by"],
                [row(*_times(part), _moved(part)) for part in parts],
            ),
        )
        for modality, parts in (("audio", explanation.audio), ("vision", explanation.vision))
        if parts
    ]


def _face(subject: Subject) -> Section:
    face = subject.face
    if not face.seen.any():
        return Section("face", "The face", [Text(["No face was seen."])])
    told = (
        f"Seen in {face.seen.mean():.0%} of {len(face.seen)} frames, {1 / face.step_s:g} a second."
    )
    if face.faces > 1:
        how = {"speech": "the mouth moves with the sound", "size": "it is large and central"}
        told += f" Of {face.faces} people it was chosen because {how.get(face.chosen_by, 'alone')}."
    rows = []
    for name in face.strongest(8):
        values = face.movements[name][face.seen]
        at_s = float(np.nanargmax(face.movements[name])) * face.step_s
        rows.append(row(name, f"{np.median(values):.2f}", f"{values.max():.2f}", f"{at_s:.1f}"))
    table = Table(
        "Movements that range most",
        ["movement", "median", "strongest", "at s"],
        rows,
        "From 0, not at all, to 1, as far as faces can, by MediaPipe's blendshapes.",
    )
    return Section("face", "The face", [Text([told]), table])


def _times(part: Part) -> tuple[str, str]:
    begin, end = ("" if time is None else f"{time:.2f}" for time in (part.start_s, part.end_s))
    return begin, end


def _moved(part: Part) -> str:
    return f"{part.contribution:+.2f}" if part.observed else "not observed"
