"""Chapter: what happened while the models learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from markupsafe import Markup

from pipeline.report.page.drawing import axes, ends, legend_below, style
from pipeline.report.page.names import TITLES
from pipeline.report.page.parts import Figures, Part, Section, Text
from pipeline.report.page.run import Run, Training

_LOSS = "train/loss_"


def training(run: Run) -> Section:
    """Draw the curves of every model that learns by epochs, seeds together."""
    trained = [t for t in run.trainings() if any(len(c) > 1 for c in t.curves.values())]
    return Section("training", "Training", list(_parts(run, trained)))


def _parts(run: Run, trained: list[Training]) -> Iterator[Part]:
    if not trained:
        yield Text(["No model of this run learned over several epochs."])
        return
    selection = f"valid/{run.about.selection}"
    drawings = [
        _by_model(
            run,
            trained,
            selection,
            f"{TITLES.get(run.about.selection, run.about.selection)}, validation split",
        ),
        _by_model(run, trained, "train/total", "total loss, training split"),
    ]
    main = [t for t in trained if t.model == run.about.model]
    terms = sorted({term for t in main for term in t.curves if term.startswith(_LOSS)})
    if terms:
        drawings.append(_terms(main, terms))
    yield Figures(
        "One line per seed. A ring marks the epoch that was kept, which is chosen on the "
        "validation split.",
        [drawing for drawing in drawings if drawing],
    )


def _by_model(run: Run, trained: Sequence[Training], term: str, title: str) -> Markup | None:
    if not any(term in t.curves for t in trained):
        return None
    told = []
    with axes(f"training-{term.replace('/', '-')}", height=3.1) as drawn:
        for model, several in groupby(trained, key=lambda t: t.model):
            colour, line = style(list(run.about.models).index(model))
            label: str | None = model
            for one in several:
                curve = dict(one.curves.get(term, ()))
                if not curve:
                    continue
                epochs, values = list(curve), list(curve.values())
                drawn.axes.plot(epochs, values, line, color=colour, ms=3, lw=1.3, label=label)
                label = None
                if one.best_epoch in curve:
                    drawn.axes.plot(
                        one.best_epoch,
                        curve[one.best_epoch],
                        "o",
                        color=colour,
                        mfc="none",
                        ms=10,
                        mew=1.6,
                    )
                told.append(ends(f"{model}, seed {one.seed}", epochs, values))
        drawn.axes.set(xlabel="epoch", title=title)
        drawn.axes.grid(lw=0.6)
        legend_below(drawn)
        return drawn.svg(f"{title}, over the epochs", " ".join(told))


def _terms(trained: Sequence[Training], terms: Sequence[str]) -> Markup:
    told = []
    name = trained[0].model
    with axes("training-terms", height=3.1) as drawn:
        for place, term in enumerate(terms):
            colour, line = style(place)
            short = term.removeprefix(_LOSS)
            for number, one in enumerate(trained):
                curve = one.curves.get(term, [])
                epochs, values = [e for e, _ in curve], [v for _, v in curve]
                drawn.axes.plot(
                    epochs,
                    values,
                    line,
                    color=colour,
                    ms=3,
                    lw=1.3,
                    label=None if number else short,
                )
                told.append(ends(f"{short}, seed {one.seed}", epochs, values))
        drawn.axes.set(xlabel="epoch", title=f"losses of {name}", yscale="log")
        drawn.axes.grid(lw=0.6)
        legend_below(drawn)
        return drawn.svg(f"The losses of {name} over the epochs", " ".join(told))
