"""The picture and the page of a clip: whole, the same every time, and safe whatever its words."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from lnln.explaining.explanation import Part
from pipeline.picture.figure import headline, write_picture
from pipeline.picture.page import build
from pipeline.picture.subject import Subject, spans
from pipeline.picture.words import placed
from tests.pipeline.elements import Page

Make = Callable[..., Subject]
EVIL = ("<script>alert(1)</script>", "$\\frac{1}{0}$", "\x1b[2J\u202e", "{% raw %}&amp;")
NAME = "<img src=x onerror=alert(2)>\x1b]0;owned.mp4"


def texts(svg: Path) -> str:
    return " ".join(ElementTree.parse(svg).getroot().itertext())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "clip.svg", tmp_path / "clip.png"


def test_picture_tells_answer_words_shares_and_movements(
    make_subject: Make, files: tuple[Path, Path]
) -> None:
    write_picture(make_subject(), *files)
    told = texts(files[0])
    for part in ("a.mp4", "+1.25 positive, -1.00 … +3.00 (90%)", "good", "not read", "smile"):
        assert part in told
    for part in ("voice 80%", "+1.50", "-0.75", "0.5 s", "1.5 s, no face seen", "toy"):
        assert part in told
    assert files[1].read_bytes().startswith(b"\x89PNG")


def test_hostile_names_and_words_are_shown_as_they_are(
    make_subject: Make, files: tuple[Path, Path]
) -> None:
    write_picture(make_subject(NAME, EVIL), *files)
    first = [file.read_bytes() for file in files]
    told = texts(files[0])
    for part in (EVIL[0], EVIL[1], r"\x1b[2J\u202e", EVIL[3], r"\x1b]0;owned.mp4"):
        assert part in told
    write_picture(make_subject(NAME, EVIL), *files)
    assert [file.read_bytes() for file in files] == first


def test_page_needs_no_other_file_and_runs_nothing_whatever_the_words_say(
    make_subject: Make,
) -> None:
    written = build(make_subject(NAME, EVIL))
    page = Page(written)
    assert not {"script", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href"):
                assert value and value.startswith(("#", "data:")), (tag, name, value)
    for part in (EVIL[0], EVIL[1], r"\x1b[2J\u202e", EVIL[3], NAME[:20]):
        assert part in page.text
    assert "\x1b" not in written and "\u202e" not in written
    assert re.search(r"default-src 'none'", written) and "color-scheme" in written
    # Colours that the style sheet makes lighter where it is dark.
    assert "var(--series-0)" in written and "currentColor" in written


def test_page_tells_in_tables_what_the_picture_shows(make_subject: Make) -> None:
    text = " ".join(Page(build(make_subject())).text.split())
    for part in ("good 0.00 0.30 +0.50", "day 0.20 0.50 -0.50", "voice 80% -0.75"):
        assert part in text
    for part in ("nothing observed +0.25", "answer +1.25", "1.00 1.50 not observed"):
        assert part in text
    for part in ("smile", "Of 2 people", "The words were recognised. “good day”", "toy"):
        assert part in text


def test_clip_in_which_nothing_was_observed_is_shown_with_the_reason(
    nothing: Subject, files: tuple[Path, Path]
) -> None:
    write_picture(nothing, *files)
    told = texts(files[0])
    for part in ("no prediction", "nothing was observed", "no picture", "no words", "no pitch"):
        assert part in told
    assert "No face was seen." in Page(build(nothing)).text


def test_words_that_are_not_believed_are_shown_apart(
    make_subject: Make, files: tuple[Path, Path]
) -> None:
    subject = make_subject()
    subject = replace(
        subject,
        doubted=(Part("thanks", 1.2, 1.5, False, 0.0),),
        prediction=replace(subject.prediction, doubted="thanks"),
    )
    write_picture(subject, *files)
    (drawn,) = re.findall(r"<text[^>]*>thanks</text>", files[0].read_text("utf-8"))
    assert "italic" in drawn
    assert "Recognised, but not believed, and not read: “thanks”" in Page(build(subject)).text


def test_headline_does_without_an_interval_that_is_not_known(make_subject: Make) -> None:
    subject = make_subject()
    plain = replace(subject, prediction=replace(subject.prediction, low=None, high=None))
    assert headline(plain) == "+1.25 positive"


def test_rows_that_follow_each_other_are_one_span_which_ends_with_the_clip() -> None:
    flags = np.array([True, True, False, True])
    assert spans(flags, 0.5, 1.8) == [(0.0, 1.0), (1.5, 1.8)]
    assert spans(np.zeros(0, bool), 0.5, 1.8) == []


def test_words_that_overlap_stand_on_lines_of_their_own() -> None:
    words = [Part("incomprehensibilities", i / 40, i / 40 + 0.02, True, 0.0) for i in range(5)]
    words[4] = replace(words[4], contribution=1.0)
    rows = placed(words, 1.0)
    assert [row.line for row in rows[:3]] == [0, 1, 2]
    # The fourth finds no room; the fifth, which moved the answer, is written all the same.
    assert [bool(row.text) for row in rows] == [True, True, True, False, True]


def test_words_without_times_are_spread_over_the_clip_in_order() -> None:
    words = [Part(text, None, None, True, 0.0) for text in ("a", "bbb", "")]
    rows = placed(words, 7.0)
    assert [(row.begin_s, row.end_s) for row in rows] == [(0, 2), (2, 6), (6, 7)]


def test_what_the_strongest_words_did_stands_beside_them() -> None:
    words = [Part(c, i, i + 1, True, i - 2.0) for i, c in enumerate("abcd")]
    marked = [row.text for row in placed(words, 9.0)]
    assert [text.replace("\u200e", "") for text in marked] == ["a -2.00", "b -1.00", "c", "d +1.00"]
