import numpy as np
import pyarrow as pa
import pytest

from contracts.schemas import MANIFEST, TRANSCRIPTS
from extractors.observation import gaps, observe, summary


def manifest(**clips: tuple[bool, bool]) -> pa.Table:
    """Clips by name, with (has_audio, has_video)."""
    rows = [
        {
            "clip_id": name, "path": name, "sha256": "", "duration_s": 1.0, "has_audio": audio,
            "has_video": video, "language": "en", "group": "g", "split": "train", "text": "",
        }
        for name, (audio, video) in clips.items()
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=MANIFEST)


def transcripts(**sources: str) -> pa.Table:
    rows = [{"clip_id": n, "text": "", "source": s, "words": []} for n, s in sources.items()]
    return pa.Table.from_pylist(rows, schema=TRANSCRIPTS)


def rows(**clips: list[bool]) -> pa.Table:
    return pa.table(
        {
            "clip_id": list(clips),
            "observed": list(clips.values()),
            "special": [[False] * len(flags) for flags in clips.values()],
            "start_s": [0.0] * len(clips),
            "step_s": [0.5] * len(clips),
        }
    )


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([1, 1], []),
        ([0, 0], [(0.0, 1.0)]),
        ([0, 1, 0, 0, 1], [(0.0, 0.5), (1.0, 2.0)]),
        ([1, 0], [(0.5, 1.0)]),
        ([], []),
    ],
)
def test_gaps_are_where_nothing_was_observed(flags, expected):
    spans = gaps(np.array(flags, bool), 0.0, 0.5)
    assert [(gap["start_s"], gap["end_s"]) for gap in spans] == expected


def test_reasons_are_told_apart():
    table = observe(
        manifest(deaf=(False, True), quiet=(True, True), blind=(True, False), good=(True, True)),
        transcripts(deaf="none", quiet="none", blind="given", good="asr"),
        {
            "text": rows(deaf=[], quiet=[], blind=[True], good=[True, True]),
            "audio": rows(deaf=[False], quiet=[False], blind=[True], good=[True, False]),
            "vision": rows(deaf=[True], quiet=[False], blind=[False], good=[True, True]),
        },
    )
    by_clip = {row["clip_id"]: row for row in table.to_pylist()}
    missing = {
        name: tuple(by_clip[name][f"observed_{m}"]["missing"] for m in ("text", "audio", "vision"))
        for name in by_clip
    }
    assert missing == {
        "deaf": ("no transcript", "no audio track", ""),
        "quiet": ("no speech", "silence", "no face"),
        "blind": ("", "", "no picture"),
        "good": ("", "", ""),
    }
    assert by_clip["good"]["observed_audio"]["share"] == 0.5
    assert by_clip["good"]["observed_audio"]["gaps"] == [{"start_s": 0.5, "end_s": 1.0}]
    assert table.select(MANIFEST.names).equals(manifest(
        blind=(True, False), deaf=(False, True), good=(True, True), quiet=(True, True)
    ))  # fmt: skip


def test_clip_that_failed_is_null_and_not_counted():
    table = observe(
        manifest(a=(True, True), b=(True, True)),
        transcripts(a="none", b="none"),
        {"audio": rows(a=[True, True])},
    )
    assert table["observed_audio"].to_pylist()[1] is None
    assert summary(table) == {
        "audio": {
            "clips": 1, "share": 1.0, "complete": 1, "missing": {}, "gaps": 0,
            "longest_gap_s": 0.0,
        }
    }  # fmt: skip


def test_summary_counts_reasons_and_gaps():
    table = observe(
        manifest(a=(True, True), b=(False, True), c=(True, True)),
        transcripts(a="given", b="given", c="given"),
        {"audio": rows(a=[True, False, False, True], b=[False, False], c=[False])},
    )
    assert summary(table)["audio"] == {
        "clips": 3,
        "share": pytest.approx(0.5 / 3, abs=1e-4),
        "complete": 0,
        "missing": {"no audio track": 1, "silence": 1},
        "gaps": 3,
        "longest_gap_s": 1.0,
    }


def test_marks_of_a_sentence_are_not_counted_as_words():
    words = pa.table(
        {
            "clip_id": ["a", "b"],
            "observed": [[False, True, False], [False, False]],
            "special": [[True, False, True], [True, True]],
        }
    )
    clips = manifest(a=(True, True), b=(True, True))
    table = observe(clips, transcripts(a="asr", b="none"), {"text": words})
    counts = summary(table)["text"]
    assert (counts["share"], counts["complete"], counts["missing"]) == (0.5, 1, {"no speech": 1})
