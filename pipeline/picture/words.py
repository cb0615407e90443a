"""Panel: words in time, each with what it did to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from contracts.printable import printable
from lnln.explaining.explanation import Part, strongest
from pipeline.picture.colours import QUIET, of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pipeline.picture.subject import Subject

LINES = 3  # words that overlap stand on lines of their own
_LETTER = 0.0085  # width of a letter, in widths of the panel
_NAMED = 3  # words that moved the answer most have it written beside them
_PALE, _FULL = 0.12, 0.75  # opacity of the weakest and of the strongest word


class Placed(NamedTuple):
    """A word, what is written of it, and where."""

    word: Part
    text: str
    begin_s: float
    end_s: float
    line: int


def placed(words: Sequence[Part], duration_s: float) -> list[Placed]:
    """Place words in time, on lines so that none covers another's letters.

    Of a word for which there is no room nothing is written, unless it is among the strongest.
    Words of which one has no time are spread over the clip by their number of letters.
    """
    times: list[tuple[float, float]] = []
    if timed(words):
        times = [(word.start_s or 0.0, word.end_s or 0.0) for word in words]
    else:
        letters = [len(word.text) + 1 for word in words]
        each_s = duration_s / max(sum(letters), 1)
        begins = [sum(letters[:i]) * each_s for i in range(len(words))]
        times = [(b, b + count * each_s) for b, count in zip(begins, letters, strict=True)]
    named = {id(word) for word in strongest(words, _NAMED)}
    free_s = [0.0] * LINES  # from when on a line has room
    rows = []
    for word, (begin_s, end_s) in zip(words, times, strict=True):
        line = next((i for i in range(LINES) if free_s[i] <= begin_s + 1e-6), None)
        text = printable(word.text)
        if line is None:
            line = free_s.index(min(free_s))
            text = text if id(word) in named else ""  # there is no room
        if id(word) in named:  # behind a mark of direction: the number is no part of the word
            text += f"\u200e {word.contribution:+.2f}"
        width_s = (cell_len(text) + 1) * _LETTER * duration_s
        free_s[line] = max(end_s, begin_s + width_s)
        rows.append(Placed(word, text, begin_s, end_s, line))
    return rows


def timed(words: Sequence[Part]) -> bool:
    """Say whether every word has a time."""
    return all(word.start_s is not None and word.end_s is not None for word in words)


def draw_words(axes: Axes, subject: Subject) -> None:
    """Draw words as boxes, the fuller the more they moved the answer.

    Words that the model does not read are in grey: beyond what it reads, or not believed.
    """
    from matplotlib.patches import Rectangle

    duration_s, words = subject.duration_s, [*subject.words]
    if timed(words):
        words = sorted([*words, *subject.doubted], key=lambda word: word.start_s or 0.0)
    axes.set(yticks=[], ylim=(2, 0))
    if not words:
        axes.text(duration_s / 2, 1, "no words", ha="center", va="center", fontsize=8)
        return
    most = max(abs(word.contribution) for word in words) or 1.0
    rows = placed(words, duration_s)
    axes.set_ylim(max(2, *(row.line + 1 for row in rows)), 0)
    for word, text, begin_s, end_s, line in rows:
        share = abs(word.contribution) / most
        colour = of(word.contribution) if word.observed else "none"
        alpha = _PALE + (_FULL - _PALE) * share
        axes.add_patch(
            Rectangle(
                (begin_s, line + 0.08),
                max(end_s - begin_s, 0.01 * duration_s),
                0.84,
                facecolor=colour,
                edgecolor=QUIET,
                linewidth=0.5,
                alpha=alpha if word.observed else 0.6,
            )
        )
        # What would not fit before the end of the clip ends there.
        fits = begin_s + cell_len(text) * _LETTER * duration_s <= duration_s
        written = axes.text(
            begin_s + 0.004 * duration_s if fits else duration_s,
            line + 0.54,
            text,
            parse_math=False,
            ha="left" if fits else "right",
            va="center",
            fontsize=8,
            clip_on=True,
        )
        if not word.observed:
            written.set(color=QUIET, style="italic")
