import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from pipeline.timeline.captions import srt, webvtt
from pipeline.timeline.picture import clock
from pipeline.timeline.recording import TIMELINE
from pipeline.timeline.writing import NAMES, write

SPOKEN = (
    (0.5, 2.25, 1.5, "I <love> it & you --> yes"),
    (2.25, 6.0, None, ""),
    (3599.9996, 3601.0, -0.1, "well"),
)


def test_a_timeline_is_written_in_all_its_forms(made, tmp_path):
    write(made(*SPOKEN), tmp_path, model="m")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    table = pq.read_table(tmp_path / "timeline.parquet")
    assert table.schema.equals(TIMELINE)
    assert table["words"].to_pylist()[0][0]["start_s"] == 0.75  # of the recording
    rows = list(csv.DictReader(io.StringIO((tmp_path / "timeline.csv").read_text("utf-8"))))
    assert [(row["start_s"], row["prediction"]) for row in rows] == [
        ("0.5", "1.5"),
        ("2.25", ""),
        ("3600.0", "-0.1"),
    ]
    content = json.loads((tmp_path / "timeline.json").read_text("utf-8"))
    assert content["model"] == "m"
    assert content["means"][0]["utterances"] == len(content["utterances"]) == 3
    assert content["warnings"] == ["odd"]


def test_the_same_timeline_gives_the_same_bytes(made, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(made(*SPOKEN), tmp_path / name)
    for name in NAMES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_webvtt_keeps_what_is_said_from_being_markup(made):
    assert webvtt(made(*SPOKEN)).split("\n\n") == [
        "WEBVTT",
        "NOTE\nThis model was trained <here> ->.",
        "1\n00:00:00.500 --> 00:00:02.250\n"
        "<c.positive>+1.50 positive</c> I &lt;love&gt; it &amp; you --&gt; yes",
        "2\n00:00:02.250 --> 00:00:06.000\n<c.none>- none</c>",
        "3\n01:00:00.000 --> 01:00:01.000\n<c.neutral>-0.10 neutral</c> well\n",
    ]


def test_srt_has_commas_in_its_times_and_the_score_in_brackets(made):
    assert srt(made(*SPOKEN)).split("\n\n")[0] == (
        "1\n00:00:00,500 --> 00:00:02,250\n[+1.50 positive] I <love> it & you -> yes"
    )


def test_a_recording_without_utterances_is_an_empty_timeline(made, tmp_path):
    write(made(), tmp_path)
    assert pq.read_table(tmp_path / "timeline.parquet").num_rows == 0
    assert (tmp_path / "timeline.srt").read_text() == ""


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (75.4, "1:15"), (3723, "1:02:03")])
def test_times_are_minutes_and_hours(seconds, shown):
    assert clock(seconds) == shown
