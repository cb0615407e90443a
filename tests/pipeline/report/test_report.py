import json
from io import StringIO

import pytest
from rich.console import Console

from contracts.quarantine import Rejected
from lnln.prediction import Prediction
from pipeline.report.tables import (
    failures,
    modalities_table,
    prediction_table,
    predictions_json,
    results_table,
    word,
)

ALL = {"text": 1.0, "audio": 0.5, "vision": 0.0}


def printed(table: object, width: int = 200) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_sentiment_is_named_on_the_scale_of_the_labels() -> None:
    assert [word(s, (-3, 3)) for s in (-0.6, -0.4, 0.0, 0.4, 0.6)] == [
        *("negative", "neutral", "neutral", "neutral", "positive")
    ]
    assert word(0.4, (-1, 1)) == "positive"


def test_table_shows_score_words_shares_and_w() -> None:
    text = printed(prediction_table([Prediction("a.mp4", -1.5, 0.25, ALL, "no")], (-3, 3)))
    for part in ("a.mp4", "-1.50 negative", "no", "100%", "50%", "0%", "0.25"):
        assert part in text


def test_table_says_which_words_were_given() -> None:
    given = Prediction("a.mp4", 1.0, 0.25, ALL, "yes", text_source="given")
    heard = Prediction("b.mp4", 1.0, 0.25, ALL, "no", text_source="asr")
    text = printed(prediction_table([given, heard], (-3, 3)))
    assert "yes (given)" in text and "no (given)" not in text
    assert "said: recognised, unless it is (given)." in text
    assert "(given)" not in printed(prediction_table([heard], (-3, 3)))


def test_brackets_in_names_and_words_are_shown_as_they_are() -> None:
    row = Prediction("clip [bold].mp4", 1.0, 0.5, ALL, "[/music] :car:", ["[red]"])
    text = printed(prediction_table([row], (-3, 3)))
    for part in ("clip [bold].mp4", "[/music] :car:", "[red]"):
        assert part in text


def test_clip_without_observations_has_no_score_in_the_table() -> None:
    nothing = dict.fromkeys(ALL, 0.0)
    assert "none" in printed(prediction_table([Prediction("a", None, None, nothing)], (-3, 3)))


@pytest.mark.parametrize("width", [80, 100])
def test_nothing_is_cut_on_a_narrow_terminal(width: int) -> None:
    nothing = dict.fromkeys(ALL, 0.0)
    rows = [
        Prediction(
            "i.mp4",
            -1.5,
            0.25,
            dict.fromkeys(ALL, 1.0),
            "What a day.",
            ["no face observed"],
            low=-2.75,
            high=-0.25,
            confidence=0.58,
        ),
        Prediction("b.mp4", None, None, nothing, "", ["nothing was observed: no score"]),
    ]
    text = printed(prediction_table(rows, (-3, 3), "says nothing about people", 0.9), width)
    assert max(map(len, text.splitlines())) <= width
    words = text.split()
    shown = ("-1.50", "negative", "-2.75", "100%", "0.58", "0.25")
    for part in (*shown, "observed", "observed:", "score", "people."):
        assert part in words


def test_interval_stands_below_the_prediction_and_says_what_it_promises() -> None:
    row = Prediction("a.mp4", 1.25, None, ALL, "yes", low=-0.5, high=3.0, confidence=0.416)
    text = printed(prediction_table([row], (-3, 3), level=0.9))
    for part in ("+1.25 positive", "-0.50 … +3.00", "conf.", "0.42", "holds the label of 90%"):
        assert part in text
    without = printed(prediction_table([Prediction("a.mp4", 1.25, None, ALL)], (-3, 3)))
    assert "conf." not in without and "-0.50" not in without


def test_withheld_is_told_from_nothing_observed() -> None:
    rows = [
        Prediction("a", None, None, ALL, "", ["withheld: its ..."], confidence=0.1),
        Prediction("b", None, None, dict.fromkeys(ALL, 0.0)),
    ]
    text = printed(prediction_table(rows, (-3, 3), level=0.9))
    assert text.count("withheld") == 2 and text.count("none") == 1 and "0.10" in text


def test_w_that_nobody_is_shown_has_no_column_and_its_reason_stands_once() -> None:
    reason = "w is not shown: never compared"
    rows = [Prediction(name, 1.0, None, ALL, "", [reason]) for name in ("a", "b")]
    text = printed(prediction_table(rows, (-3, 3), w_withheld=reason))
    assert " w " not in text.splitlines()[1] + text.splitlines()[2]
    assert text.count(reason) == 1
    assert reason not in printed(
        prediction_table([Prediction("a", 1.0, None, ALL)], (-3, 3), w_withheld=reason)
    )


def test_json_holds_answers_failures_and_the_notice() -> None:
    content = json.loads(
        predictions_json(
            [Prediction("é.mp4", None, None, ALL, confidence=0.2)],
            [Rejected("b.mp4", "x/b.mp4", "ingest", "empty")],
            notice="synthetic",
        )
    )
    assert content["notice"] == "synthetic"
    assert (
        content["predictions"][0] | {"clip_id": "é.mp4", "prediction": None, "w": None}
        == (content["predictions"][0])
    )
    assert content["predictions"][0]["low"] is None
    assert content["predictions"][0]["confidence"] == 0.2
    assert content["failed"] == [{"clip_id": "b.mp4", "path": "x/b.mp4", "reason": "empty"}]


def test_a_score_that_is_no_number_never_reaches_json() -> None:
    with pytest.raises(ValueError, match="JSON"):
        predictions_json([Prediction("a", float("nan"), 0.5, ALL)], [])


def test_results_leave_undefined_values_open() -> None:
    rows = [{"rate": 0.5, "model": "constant", "mae": 1.0, "corr": None}]
    text = printed(results_table(rows, ["constant"]))
    mae, corr = text.split("Corr")
    assert mae.split()[-2:] == ["0.5", "1.000"]
    assert "constant" in mae and "constant" not in corr  # no column where nothing is defined


def test_results_show_the_deviation_over_seeds_and_the_models_in_their_order() -> None:
    rows = [
        {"rate": rate, "model": model, "mae": mae, "corr": 0.5, "mae_deviation": deviation}
        for rate in (0.0, 0.5)
        for model, mae, deviation in (("ridge", 2.0, None), ("lnln", 1.0, 0.25))
    ]
    text = printed(results_table(rows, ["lnln", "ridge"]))
    assert text.index("lnln") < text.index("ridge")
    mae = text.split("Corr")[0]
    assert mae.split("0.5 ")[-1].split()[:4] == ["1.000", "±", "0.250", "2.000"]


def test_single_modalities_stand_beside_everything_and_the_floor() -> None:
    def scores(mae: float) -> dict[str, float | None]:
        return {"mae": mae, "corr": None}

    found = {
        "lnln": {"clips": 7, "only": scores(0.4), "all": scores(0.3)},
        "constant": {"clips": 7, "only": scores(0.5), "all": scores(0.6)},
    }
    text = printed(modalities_table({"audio": found}))
    for part in ("audio", "7", "0.400", "0.300", "0.500", "0.600", "only", "all", "constant"):
        assert part in text


def test_what_every_clip_is_told_stands_once_below_the_table() -> None:
    rows = [Prediction(name, 1.0, 0.5, ALL, "", ["made up"]) for name in ("a", "b")]
    assert printed(prediction_table(rows, (-3, 3), "made up")).count("made up") == 1


def test_clip_that_failed_in_two_stages_is_told_of_once() -> None:
    rejected = [
        Rejected("a.mp4", "x/a.mp4", "extract@audio", "died"),
        Rejected("b.mp4", "x/b.mp4", "ingest", "empty"),
        Rejected("a.mp4", "x/a.mp4", "extract@vision", "took longer than 60 s"),
    ]
    assert failures(rejected) == [
        ("a.mp4", "x/a.mp4", "died; took longer than 60 s"),
        ("b.mp4", "x/b.mp4", "empty"),
    ]
