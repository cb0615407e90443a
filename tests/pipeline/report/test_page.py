"""The report is computed from tables, claims no more than the tests allow, and needs nothing."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contracts.files import DamagedFile
from pipeline.report.page.build import build
from pipeline.report.page.drawing import style
from pipeline.report.page.markdown import tables
from pipeline.report.page.parts import Cell, Table
from pipeline.report.page.run import Run
from pipeline.report.page.sections.completeness import completeness
from pipeline.report.page.sections.confidence import confidence
from pipeline.report.page.sections.confusion import confusion
from pipeline.report.page.sections.cost import parameters
from pipeline.report.page.sections.robustness import robustness
from pipeline.report.page.sections.studies import studies
from pipeline.report.page.sections.worst import worst
from pipeline.report.page.standings import standings
from tests.pipeline.elements import Page

MakeRun = Callable[..., Run]
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def alike() -> dict:
    """Two models that are as good as each other, and a constant."""
    noise = np.random.default_rng(1).normal(0, 0.5, 24)
    return {
        "lnln": lambda labels, r: labels + noise,
        "ridge": lambda labels, r: labels + noise[::-1],
        "constant": lambda labels, r: np.full(len(labels), 0.3),
    }


def test_page_needs_no_other_file_no_network_and_no_script(make_run: MakeRun) -> None:
    page = Page(build(make_run()))
    assert not {"script", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href"):
                assert value and value.startswith(("#", "data:")), (tag, name, value)
    (policy,) = (
        a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy and policy.startswith("default-src 'none'")


def test_same_run_gives_the_same_bytes(make_run: MakeRun) -> None:
    run = make_run()
    assert build(run) == build(Run(run.about, run.studies, run.benchmarks))


def test_ids_are_unique_and_every_drawing_is_told_in_words(make_run: MakeRun) -> None:
    page = Page(build(make_run(patterns=("random", "bursts"))))
    ids = Counter(a["id"] for _, a in page.elements if "id" in a)
    assert [name for name, count in ids.items() if count > 1] == []
    drawings = [a for tag, a in page.elements if tag == "svg"]
    assert drawings
    for drawing in drawings:
        assert set(str(drawing["aria-labelledby"]).split()) <= ids.keys()


def test_every_table_has_a_caption_and_names_its_rows_and_columns(make_run: MakeRun) -> None:
    page = Page(build(make_run()))
    counts = Counter(tag for tag, _ in page.elements)
    assert counts["table"] == counts["caption"] > 0
    assert all(a.get("scope") in ("row", "col") for tag, a in page.elements if tag == "th")


def test_what_comes_from_outside_is_text_and_never_an_element(make_run: MakeRun) -> None:
    names = [f"{EVIL}/{number}" for number in range(24)]
    built = build(make_run(names=names, words=EVIL, path=EVIL))
    page = Page(built)
    assert "<script" not in built and "<img" not in built
    assert f"{EVIL}/" in page.text


def test_what_is_not_printable_is_escaped(make_run: MakeRun) -> None:
    evil = "\x1b]0;owned\u202egpj"
    built = build(make_run(names=[f"{evil}{i}" for i in range(24)], words=evil, path=evil))
    assert r"\x1b]0;owned\u202egpj" in built
    assert "\x1b" not in built and "\u202e" not in built


def cells_of(run: Run, metric: str) -> dict[str, Cell]:
    """What the table of means over the rates says of a metric, by model."""
    caption = "Test split, mean over the missing rates"
    (table,) = (
        part for part in robustness(run).parts if part.kind == "table" and part.caption == caption
    )
    place = list(table.columns).index(metric)
    return {cells[0].text: cells[place] for cells in table.rows}


def test_best_is_marked_where_the_test_tells_it_from_every_other(make_run: MakeRun) -> None:
    cells = cells_of(make_run(), "MAE ↓")
    assert [name for name, cell in cells.items() if cell.marked] == ["lnln"]


def test_best_is_not_marked_where_chance_may_have_made_it(make_run: MakeRun) -> None:
    run = make_run(said=alike())
    assert not any(cell.marked for cell in cells_of(run, "MAE ↓").values())
    # Though it is told from the constant.
    found = standings(run.answers("random", [0.0, 0.5]), run.about, ["mean"], at_rates=False)
    told = {frozenset((d.a, d.b)): d.p_holm for d in found.differences["mae", "mean"]}
    assert told[frozenset(("lnln", "constant"))] < 0.05 < told[frozenset(("lnln", "ridge"))]


def test_undefined_metrics_are_shown_as_undefined_and_win_nothing(make_run: MakeRun) -> None:
    cell = cells_of(make_run(), "Corr ↑")["constant"]
    assert (cell.text, cell.below, cell.marked) == ("undefined", "", False)


def test_models_that_answer_a_constant_are_marked(make_run: MakeRun) -> None:
    (table,) = (
        part
        for part in robustness(make_run()).parts
        if part.kind == "table" and part.caption.startswith("Does a model answer")
    )
    assert {cells[0].text: cells[1].text for cells in table.rows} == {
        "lnln": "–",
        "ridge": "–",
        "constant": "0, 0.5",
    }


def test_several_seeds_stand_with_their_deviation(make_run: MakeRun) -> None:
    assert "± 0.000" in build(make_run(seeds=(1, 2)))


def test_a_run_of_one_model_has_a_report(make_run: MakeRun) -> None:
    only = {"lnln": lambda labels, r: labels}
    assert 'class="best"' not in build(make_run(said=only, names=["a/1", "b/1"]))


def test_studies_are_shown_where_they_are_there(make_run: MakeRun) -> None:
    run = make_run()
    assert studies(run) is None
    folder = run.studies / "tables"
    folder.mkdir(parents=True)
    (folder / "ablations.md").write_text(
        "| model | MAE |\n|---|---|\n| <b>x</b> | 1.2 |\n", "utf-8"
    )
    (folder / "habit-sample.md").write_text("| model | MAE |\n|---|---|\n| y | 1.3 |\n", "utf-8")
    (folder / "notes.md").write_text("nothing of the studies\n", "utf-8")
    pair = {"a": "proxy", "b": "lnln", "metric": "mae", "difference": 0.1}
    pair |= {"low": 0.02, "high": 0.2, "p_holm": 0.01}
    about = {"lnln": {"seconds_per_epoch": 12.34}}
    findings = {"ablations": {"pairs": [pair]}, "compare-sample": {"about": about}}
    (run.studies / "findings.json").write_text(json.dumps(findings), "utf-8")
    page = build(Run(run.about, run.studies, run.benchmarks))
    assert "Parts left out" in page and "proxy: +0.100, told apart" in page
    assert "corpus sample" in page and "wrong as a result" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "12.3" in page


def test_clips_that_are_gone_are_told_without_a_picture(make_run: MakeRun) -> None:
    page = build(make_run(path="gone.mp4"))
    assert page.count("no picture here") == 10
    assert "<img" not in page


def test_clips_that_are_here_have_a_picture(make_run: MakeRun, root: Path) -> None:
    run = make_run(path="here.mp4")
    shutil.copyfile(root / "data" / "sample" / "Raw" / "adam" / "001.mp4", "here.mp4")
    clips = worst(run).parts[1].clips
    assert len(clips) == 10
    assert all(clip.picture.startswith("data:image/jpeg;base64,/9j/") for clip in clips)


@pytest.mark.parametrize("content", [b"", b"no clip"])
def test_clips_that_were_damaged_since_are_told_without_a_picture(
    make_run: MakeRun, content: bytes
) -> None:
    run = make_run(path="here.mp4")
    Path("here.mp4").write_bytes(content)
    assert {clip.picture for clip in worst(run).parts[1].clips} == {None}


def test_the_worst_clips_come_first(make_run: MakeRun) -> None:
    said = {"lnln": lambda labels, r: np.where(np.arange(len(labels)) == 7, labels + 5, labels)}
    clips = worst(make_run(said=said)).parts[1].clips
    assert clips[0].name == "b/1"
    assert ("error", "5.00") in clips[0].facts


def test_confusion_has_the_true_classes_as_rows(make_run: MakeRun) -> None:
    said = {"lnln": lambda labels, r: np.full(len(labels), 2.0)}
    for table in confusion(make_run(said=said)).parts:
        assert table.columns == ["true", "−3", "−2", "−1", "0", "1", "2", "3"]
        for cells in table.rows:
            assert [cell.share for cell in cells[1:]] == [0, 0, 0, 0, 0, 1, 0]


def test_intervals_are_compared_with_what_they_promise(make_run: MakeRun) -> None:
    def said(labels: np.ndarray, r: float) -> np.ndarray:
        return labels + np.where(np.arange(len(labels)) < 24 * r / 2, 2.0, 0.0)

    parts = confidence(make_run(said={"lnln": said}, patterns=("random", "block"))).parts
    by_rate, kept, patterns = (part for part in parts if isinstance(part, Table))
    assert [cells[1].text for cells in by_rate.rows] == ["100%", "75%"]  # none, 6 of 24 outside
    assert [cells[2].text for cells in by_rate.rows] == ["3.00", "3.00"]
    assert by_rate.rows[1][1].below.endswith("%")
    assert kept.rows[0][0].text == "100%" and kept.rows[0][3].text == "0.50"
    assert [cells[0].text for cells in patterns.rows] == ["block"]


def test_run_without_intervals_says_so(make_run: MakeRun) -> None:
    (part,) = confidence(make_run(half=None)).parts
    assert "knows intervals" in part.paragraphs[0]


def test_report_says_whether_people_are_shown_w(make_run: MakeRun) -> None:
    run = make_run()
    (table,) = [part for part in completeness(run).parts if isinstance(part, Table)]
    assert table.columns[-1] == "shown to people" and table.rows[0][-1].text == "no"
    logged = Path("metrics/train/lnln-1/plots/metrics/valid")
    for term, value in (("w_mae", 0.05), ("w_corr", 0.9)):  # at epoch 2, the chosen one
        rows = [f"step\t{term}", "0\t0.5", f"1\t{value}", "2\t0.5"]
        (logged / f"{term}.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    (table,) = [part for part in completeness(run).parts if isinstance(part, Table)]
    assert table.rows[0][-1].text == "yes"


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 20, b"\2\0\0\0\0\0\0\0[]", b"\7\0\0\0\0\0\0\0" + b'{"a":1}']
)
def test_torn_weights_are_told_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(DamagedFile, match=r"model\.safetensors is no file of weights, or torn"):
        parameters(tmp_path / "model.safetensors")


def test_parameters_are_counted_apart_from_a_language_model(make_run: MakeRun) -> None:
    weights = make_run().checkpoints()["lnln"]
    assert parameters(weights) == {"head.weight": 12, "language.embedding": 7}


def test_models_differ_in_colour_or_line() -> None:
    assert len({style(place) for place in range(14)}) == 14
    assert len({style(place)[1] for place in range(14)}) == 14  # without colours, too


def test_tables_of_markdown_are_read_with_their_headings(tmp_path: Path) -> None:
    path = tmp_path / "kept.md"
    path.write_text(
        "# Title\n\n## First\n\n| a | b |\n|---|---|\n| **1** | x \\| y |\n\n"
        "| no | rows |\n|---|---|\n",
        "utf-8",
    )
    (table,) = tables(path, "Kept")
    assert table.caption == "Kept: First"
    assert [[cell.text for cell in cells] for cells in table.rows] == [["1", "x | y"]]
