"""Results for a person to read, and for a program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Group
from rich.table import Table
from rich.text import Text

from contracts.printable import printable, printable_json
from contracts.quarantine import Rejected

if TYPE_CHECKING:  # tables need no torch
    from lnln.explaining.explanation import Explanation
    from lnln.prediction import Prediction

# A sentiment within this share of the label range around 0 is called neutral: half a class of
# the seven on MOSI's scale of -3 to 3.
NEUTRAL = 1 / 12

_OVER_RATES = {"mae": "MAE", "corr": "Corr"}
NAMES = {"text": "words", "audio": "voice", "vision": "face"}  # of modalities, to people
PLAIN: dict[str, Any] = {"box": SIMPLE_HEAD, "pad_edge": False, "padding": (0, 1, 0, 0)}


def word(prediction: float, label_range: tuple[float, float]) -> str:
    """Call a prediction negative, neutral or positive."""
    low, high = label_range
    if abs(prediction) < NEUTRAL * (high - low):
        return "neutral"
    return "positive" if prediction > 0 else "negative"


def prediction_table(
    predictions: Iterable[Prediction],
    label_range: tuple[float, float],
    notice: str | None = None,
    level: float | None = None,
    w_withheld: str | None = None,
) -> Group:
    """Lay predictions out for the terminal, one row per clip; what holds for all stands below.

    Parameters
    ----------
    predictions : iterable of Prediction
    label_range : tuple of float
    notice : str, optional
        What the model was trained on.
    level : float, optional
        Share of the labels that the intervals are to hold.
    w_withheld : str, optional
        Why w is not shown.
    """
    predictions = list(predictions)
    low, high = label_range
    # The least widths fit into 80 columns, with nothing cut.
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("clip", overflow="fold", min_width=10)
    table.add_column(f"prediction\n{low:g} … {high:g}", min_width=10)
    table.add_column("said", overflow="fold", max_width=48, min_width=8)
    for name in NAMES.values():
        table.add_column(name, justify="right", no_wrap=True)
    confident = any(row.confidence is not None for row in predictions)
    complete = any(row.w is not None for row in predictions)
    if confident:
        table.add_column("conf.", justify="right", no_wrap=True)
    if complete:
        table.add_column("w", justify="right", no_wrap=True)
    table.add_column("warnings", overflow="fold", max_width=40, min_width=12)
    for row in predictions:
        score = _called(row, label_range)
        if row.prediction is not None:
            score = f"{row.prediction:+.2f} {score}"
        if row.low is not None and row.high is not None:
            score += f"\n{row.low:+.2f} … {row.high:+.2f}"
        cells, said = [f"{row.observed[m]:.0%}" for m in NAMES], printable(_said(row))
        if row.explanation is not None:
            shares = row.explanation.modalities
            cells = [f"{cell}\n{shares[m]:+.2f}" for cell, m in zip(cells, NAMES, strict=True)]
            said = "\n".join([said, *(f"({w})" for w in _strongest(row.explanation))])
        if confident:
            cells.append("" if row.confidence is None else f"{row.confidence:.2f}")
        if complete:
            cells.append("" if row.w is None else f"{row.w:.2f}")
        own = [warning for warning in row.warnings if warning not in (notice, w_withheld)]
        notes = "\n".join(map(printable, own))
        # As they are: "[...]" in a file name is no markup.
        table.add_row(Text(printable(row.clip_id)), score, Text(said), *cells, Text(notes))
    places = ("Below a prediction", "conf.: confidence,", "Below the shares observed")
    below = _below(predictions, places, notice, level, w_withheld)
    return Group(table, *(Text(line) for line in below))


def prediction_lines(
    predictions: Iterable[Prediction],
    label_range: tuple[float, float],
    notice: str | None = None,
    level: float | None = None,
    w_withheld: str | None = None,
) -> str:
    """Lay predictions out where no person looks at a terminal: a line per clip, however wide.

    Columns are two spaces apart or more, and `-` stands where there is nothing. Parameters are
    those of `prediction_table`.
    """
    predictions = list(predictions)
    below = _below(
        predictions,
        ("low, high", "confidence:", "by words, by sound, by face"),
        notice,
        level,
        w_withheld,
    )
    if not predictions:
        return "\n".join(["no prediction: none of the files could be read", "", *below])
    explained = any(row.explanation is not None for row in predictions)
    told_below = (notice, w_withheld)
    rows = [_line(row, label_range, told_below, explained=explained) for row in predictions]
    cells = [[*rows[0]], *([printable(cell) or "-" for cell in row.values()] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )
    return "\n".join([*(line.rstrip() for line in lines), "", *below])


def _line(
    row: Prediction,
    label_range: tuple[float, float],
    told_below: tuple[str | None, ...],
    *,
    explained: bool,
) -> dict[str, str]:
    folder, _, name = row.path.rpartition("/")
    numbers: dict[str, tuple[float | None, str]] = {
        "seconds": (row.duration_s, ".1f"),
        "prediction": (row.prediction, "+.2f"),
        "low": (row.low, "+.2f"),
        "high": (row.high, "+.2f"),
        "confidence": (row.confidence, ".2f"),
        "w": (row.w, ".2f"),
        **{NAMES[m]: (row.observed[m], ".2f") for m in NAMES},
    }
    moved = row.explanation.modalities if row.explanation is not None else {}
    if explained:
        numbers |= {f"by {NAMES[m]}": (moved.get(m), "+.2f") for m in NAMES}
    strongest = {
        "strongest": "" if row.explanation is None else ", ".join(_strongest(row.explanation))
    }
    return (
        {"folder": folder, "clip": name or row.clip_id}
        | {
            key: "" if value is None else f"{value:{form}}"
            for key, (value, form) in numbers.items()
        }
        | (strongest if explained else {})
        | {
            "sentiment": _called(row, label_range),
            "said": _said(row),
            "warnings": "; ".join(w for w in row.warnings if w not in told_below),
        }
    )


def _below(
    predictions: list[Prediction],
    places: tuple[str, str, str],
    notice: str | None,
    level: float | None,
    w_withheld: str | None,
) -> list[str]:
    """Say what holds for all answers, and what the columns are."""
    legend = "words, voice, face: share observed."
    if any(row.duration_s is not None for row in predictions):
        legend = "words, voice, face: share observed and read, of the whole clip."
    if any(row.w is not None for row in predictions):
        legend += " w: completeness of the words, estimated."
    if any(row.text_source == "given" for row in predictions):
        legend += " said: recognised, unless it is (given)."
    below = [legend]
    if level is not None and any(row.confidence is not None for row in predictions):
        below.append(
            f"{places[0]}: interval that holds the label of {level:.0%} of clips like those of "
            f"validation. {places[1]} how much of the scale it rules out, 0 to 1."
        )
    nothing = {f"{e.nothing:+.2f}" for row in predictions if (e := row.explanation) is not None}
    if nothing:
        below.append(
            f"{places[2]}: what words, voice and face add to the answer where nothing is observed, "
            f"{' or '.join(sorted(nothing))}; and the words that moved the answer most, each found "
            "by taking it away."
        )
    if w_withheld and any(w_withheld in row.warnings for row in predictions):
        below.append(f"{w_withheld}.")
    if notice:
        below.append(f"This model was {printable(notice)}.")
    return below


def _strongest(explanation: Explanation) -> list[str]:
    words = explanation.strongest_words()
    return [f"{printable(word.text)} {word.contribution:+.2f}" for word in words]


def _called(row: Prediction, label_range: tuple[float, float]) -> str:
    if row.prediction is not None:
        return word(row.prediction, label_range)
    return "none" if row.confidence is None else "withheld"


def _said(row: Prediction) -> str:
    return f"{row.text} (given)" if row.text and row.text_source == "given" else row.text or "-"


def predictions_json(
    predictions: Iterable[Prediction], rejected: Iterable[Rejected], **about: Any
) -> str:
    """Return predictions and failures as one JSON object."""
    content = about | {
        "predictions": [asdict(row) for row in predictions],
        "failed": [
            {"clip_id": clip_id, "path": str(PurePath(path)), "reason": reason}
            for clip_id, path, reason in failures(rejected)
        ],
    }
    return printable_json(content)


def failures(rejected: Iterable[Rejected]) -> list[tuple[str, str, str]]:
    """Return (clip_id, path, reasons) once per clip, in however many stages it failed."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for row in rejected:
        reasons.setdefault((row.clip_id, row.path), {})[row.reason] = None
    return [(*clip, "; ".join(several)) for clip, several in reasons.items()]


def results_table(by_rate: list[dict[str, Any]], models: list[str]) -> Group:
    """Lay out MAE and Corr over the missing rate, a table each, a model beside its floors.

    A model whose metric is nowhere defined, as the correlation of a constant, has no column.
    """
    return Group(
        *(_over_rates(by_rate, models, metric, name) for metric, name in _OVER_RATES.items())
    )


def _over_rates(by_rate: list[dict[str, Any]], models: list[str], metric: str, name: str) -> Table:
    table = Table(title=f"{name} over the missing rate r, test split", **PLAIN)
    table.add_column("r", justify="right")
    shown = [m for m in models if any(r["model"] == m and r[metric] is not None for r in by_rate)]
    for model in shown:
        table.add_column(model, justify="right", no_wrap=True)
    for rate in dict.fromkeys(row["rate"] for row in by_rate):
        rows = {row["model"]: row for row in by_rate if row["rate"] == rate}
        table.add_row(f"{rate:g}", *(with_deviation(rows[model], metric) for model in shown))
    return table


def modalities_table(modalities: dict[str, dict[str, dict[str, Any]]]) -> Table:
    """Lay out `lnln.evaluation.summary.by_modality`: a row per modality and model."""
    answers = ("only", "all")
    table = Table(
        title="labels of single modalities, given that modality only and given all", **PLAIN
    )
    for name in ("modality", "model"):
        table.add_column(name)
    table.add_column("clips", justify="right")
    for metric in ("MAE", "Corr"):
        for answer in answers:
            table.add_column(f"{metric}\n{answer}", justify="right")
    for modality, by_model in modalities.items():
        for model, row in by_model.items():
            cells = (with_deviation(row[a], metric) for metric in ("mae", "corr") for a in answers)
            table.add_row(modality, model, str(row["clips"]), *cells)
    return table


def with_deviation(row: dict[str, Any], metric: str) -> str:
    """Write a metric of `over_seeds` with its deviation, where there is one."""
    if row[metric] is None:
        return "-"
    deviation = row.get(f"{metric}_deviation")
    return f"{row[metric]:.3f}" + (f" ± {deviation:.3f}" if deviation else "")
