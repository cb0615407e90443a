"""What models say when words are corrected and parts of a video are left out."""

import gc
import itertools
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contracts.recordings import RECOGNITION
from extractors.words import Word
from lnln.missing.dropping import SentenceCache
from lnln.prediction import predict
from pipeline.serve.answers import Change, Span, SpokenWord
from pipeline.serve.downloads.timelines import timeline_of
from pipeline.serve.video.analysis import Analysis, joined
from pipeline.serve.video.changes import masks_under, stretches
from pipeline.serve.video.finding import bands_under, found_in, words_of
from pipeline.serve.video.scoring import Scorer
from pipeline.serve.video.sides import Side

Analyse = Callable[..., Analysis]
FILE = Path("video")


def test_nothing_left_out_is_what_predict_says(analyse: Analyse, side: Side) -> None:
    analysis = analyse(FILE)
    (expected,) = predict(analysis.features[0][1], side.checkpoint)
    (score,) = Scorer([side]).score(analysis, Change(), None)
    assert score.prediction == pytest.approx(expected.prediction, abs=1e-6)
    assert score.clips[0].observed == pytest.approx(expected.observed)
    assert score.clips[0].read_s == {"audio": 3.0, "vision": 3.0}
    assert (score.spread, score.contributions) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        Change(without=["text"]),
        Change(without=["audio"]),
        Change(without=["vision"]),
        Change(spans=[Span(start_s=0, end_s=2)]),
        Change(missing_rate=0.6),
    ],
)
def test_what_is_left_out_moves_the_score(analyse: Analyse, side: Side, change: Change) -> None:
    scorer, analysis = Scorer([side]), analyse(FILE)
    (whole,), (part,) = (scorer.score(analysis, c, None) for c in (Change(), change))
    assert part.prediction != whole.prediction
    for modality in change.without:
        assert part.clips[0].observed[modality] == 0
    assert sum(part.clips[0].observed.values()) < sum(whole.clips[0].observed.values())


def test_nothing_left_is_no_score(analyse: Analyse, side: Side) -> None:
    everything = Change(without=["text", "audio", "vision"])
    (score,) = Scorer([side]).score(analyse(FILE), everything, 0)
    assert (score.prediction, score.clips[0].prediction, score.contributions) == (None, None, None)


def test_contributions_add_up_to_what_is_left(analyse: Analyse, side: Side) -> None:
    change = Change(without=["vision"])
    (score,) = Scorer([side]).score(analyse(FILE), change, 0)
    parts = score.contributions
    assert parts.nothing + sum(parts.modalities.values()) == pytest.approx(parts.score, abs=1e-5)
    assert parts.modalities["vision"] == 0
    assert [part.text for part in parts.words] == ["What", "a", "good"]


def test_models_answer_side_by_side(analyse: Analyse, side: Side, other: Side) -> None:
    analysis = analyse(FILE)
    both = Scorer([side, other]).score(analysis, Change(missing_rate=0.3), 0)
    assert [score.model for score in both] == ["toy (robust)", "other"]
    assert both[0].prediction != both[1].prediction
    for score, model in zip(both, (side, other), strict=True):
        (alone,) = Scorer([model]).score(analysis, Change(missing_rate=0.3), 0)
        assert score == alone


def test_corrected_words_change_words_alone(analyse: Analyse, side: Side) -> None:
    scorer, analysis = Scorer([side]), analyse(FILE)
    before = analysis.features[0][1]
    (was,) = scorer.score(analysis, Change(), None)
    words = [*analysis.heard("video#0")[:2], Word("bad", 0.6, 1.0, 0.4)]
    analysis.correct("video#0", words, [side])
    after = analysis.features[0][1]
    assert after.audio is before.audio and after.vision is before.vision
    assert after.transcripts["text"].to_pylist() == ["What a bad"]
    assert after.transcripts["source"].to_pylist() == ["given"]
    (now,) = scorer.score(analysis, Change(), 0)
    assert now.prediction != was.prediction
    assert [part.text for part in now.contributions.words] == ["What", "a", "bad"]
    analysis.correct("video#0", analysis.heard("video#0"), [side])
    assert analysis.features[0][1].text == before.text  # as it was recognised
    assert scorer.score(analysis, Change(), None)[0].prediction == was.prediction


def test_doubted_word_that_is_believed_is_not_doubted(analyse: Analyse, side: Side) -> None:
    clip = "video#1"
    doubts = [Word(" day", 1.3, 1.7, 0.1), Word("was", 1.8, 2.1, 0.1)]
    analysis = analyse(FILE, clips=2, doubted=doubts)

    def shown() -> tuple[list[str], list[str]]:
        found = found_in(analysis, "original", side, []).clips[1]
        return [word.word for word in found.words], [word.word for word in found.doubted]

    found = found_in(analysis, "original", side, []).clips[1]
    assert shown() == (["What", "a", "good"], ["day", "was"])
    analysis.correct(clip, words_of([*found.words, found.doubted[0]], found.start_s), [side])
    assert shown() == (["What", "a", "good", "day"], ["was"])
    row = analysis.features[0][1].recognition.to_pylist()[1]
    assert [word["word"] for word in row["doubted"]] == ["was"]  # in downloads alike
    analysis.correct("video#0", [], [side])  # another clip's words are not its own
    assert shown()[1] == ["was"]
    analysis.correct(clip, analysis.heard(clip), [side])
    assert shown() == (["What", "a", "good"], ["day", "was"])


def test_language_that_is_not_the_models_is_told_in_every_answer(
    analyse: Analyse, side: Side
) -> None:
    said = "the speech sounds like 'de' (95% sure), not like 'en': its words are not believed"
    settings, features = analyse(FILE, doubted=[Word("Ja", 0.2, 0.5, 0.9)]).features[0]
    (row,) = features.recognition.to_pylist()
    row |= {"language": "de", "language_probability": 0.95, "warnings": [said]}
    recognition = pa.Table.from_pylist([row], schema=RECOGNITION)
    features = replace(features, recognition=recognition, warnings=[f"video#0: {said}"])
    analysis = Analysis(FILE, [(settings, features)])
    (answer,) = predict(features, side.checkpoint)
    assert (answer.language, answer.doubted) == ("de", "Ja") and said in answer.warnings
    timeline = timeline_of(analysis, side)
    assert timeline.table["language"].to_pylist() == ["de"] and said in timeline.warnings
    assert found_in(analysis, "original", side, []).warnings == [said]


def test_sentences_of_a_video_are_gone_with_it(
    analyse: Analyse, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[SentenceCache]] = []

    class Watched(SentenceCache):
        def __init__(self, megabytes: float) -> None:
            super().__init__(megabytes)
            made.append(weakref.ref(self))

    monkeypatch.setattr("pipeline.serve.video.analysis.SentenceCache", Watched)
    scorer, analysis = Scorer([side]), analyse(FILE)
    for rate in (0.6, 0.9):
        scorer.score(analysis, Change(missing_rate=rate), None)
    (cache,) = made
    held = cache()
    assert held is not None and held.states
    del held, analysis
    gc.collect()
    assert cache() is None
    assert scorer.score(analyse(FILE), Change(), None)


def test_no_words_at_all_is_silence(analyse: Analyse, side: Side) -> None:
    analysis = analyse(FILE)
    analysis.correct("video#0", [], [side])
    (score,) = Scorer([side]).score(analysis, Change(), 0)
    assert score.clips[0].observed["text"] == 0
    assert score.prediction is not None
    assert found_in(analysis, "original", side, []).clips[0].text_source == "none"


def test_utterances_of_a_recording_have_its_times(analyse: Analyse, side: Side) -> None:
    analysis = analyse(FILE, clips=3)
    found = found_in(analysis, "original", side, [])
    assert [(clip.start_s, clip.end_s) for clip in found.clips] == [(0, 4), (4, 8), (8, 12)]
    assert found.clips[2].words[0].start_s == pytest.approx(8.2)
    (score,) = Scorer([side]).score(analysis, Change(), 1)
    each = [answer.prediction for answer in score.clips]
    assert score.prediction == pytest.approx(np.mean(each))
    assert score.spread == pytest.approx(np.std(each))
    assert min(part.start_s for part in score.contributions.audio) == pytest.approx(4)
    change = Change(spans=[Span(start_s=4, end_s=8)])
    (without,) = Scorer([side]).score(analysis, change, None)
    changed = [a.prediction != b for a, b in zip(without.clips, each, strict=True)]
    assert changed == [False, True, False]
    assert without.clips[1].prediction is None


def test_greater_missing_rates_take_the_same_rows_and_more(analyse: Analyse, side: Side) -> None:
    _, clips = analyse(FILE).of(side)
    kept = [
        masks_under(Change(missing_rate=rate), clips, [0.0])["video#0"] for rate in (0.2, 0.5, 0.9)
    ]
    for less, more in itertools.pairwise(kept):
        for a, b in zip(less, more, strict=True):
            assert not (b & ~a).any()
    assert kept[0].text[[0, -1]].all()  # [CLS] and [SEP] stay


def test_words_without_times_stay_when_a_stretch_is_left_out(analyse: Analyse, side: Side) -> None:
    analysis = analyse(FILE)
    analysis.correct("video#0", [Word("good", None, None, None)], [side])
    _, clips = analysis.of(side)
    masks = masks_under(Change(spans=[Span(start_s=0, end_s=4)]), clips, [0.0])["video#0"]
    assert masks.text.all() and not masks.audio.any()


def test_bands_say_what_was_observed_missing_and_left_out(analyse: Analyse, side: Side) -> None:
    analysis = analyse(FILE)
    change = Change(spans=[Span(start_s=2, end_s=3, modalities=["vision"])])
    bands = bands_under(change, analysis, side)
    shown = [(band.start_s, band.end_s, band.what) for band in bands["vision"]]
    assert shown == [
        (0, 1, "missing"),
        (1, 2, "observed"),
        (2, 3, "left_out"),
        (3, 4, "observed"),
    ]
    assert [(b.start_s, b.end_s, b.what) for b in bands["audio"]] == [(0, 4, "observed")]
    assert [(b.start_s, b.what) for b in bands["text"]] == [
        (0.2, "observed"),
        (0.5, "observed"),
        (0.6, "observed"),
    ]


def test_no_rows_are_no_stretches() -> None:
    assert stretches(np.array([], bool), np.array([], bool), 0.0, 0.1, 4.0) == []


def test_no_stretch_ends_after_its_clip() -> None:
    seen = np.array([False, True, True])
    found = stretches(seen, np.full(3, True), 1.0, 0.5, 2.2)
    assert [(each.start_s, each.end_s, each.what) for each in found] == [
        (1.0, 1.5, "missing"),
        (1.5, 2.2, "observed"),
    ]


def test_words_typed_in_one_place_share_its_time() -> None:
    given = [
        SpokenWord(word="not  bad", start_s=5.0, end_s=6.0),
        SpokenWord(word=" "),
        SpokenWord(word="day"),
    ]
    assert words_of(given, 4.0) == [
        Word("not", 1.0, 1.5, None),
        Word("bad", 1.5, 2.0, None),
        Word("day", None, None, None),
    ]


@pytest.mark.parametrize(
    ("words", "like", "text"),
    [
        (["Not", "bad"], "So bad", "Not bad"),
        (["", "bad "], "So bad", "bad"),
        (["很", "好"], "不好", "很好"),
        (["Not", "bad"], "", "Not bad"),
        ([], "So bad", ""),
    ],
)
def test_words_are_joined_as_the_language_does(words: list[str], like: str, text: str) -> None:
    assert joined(words, like) == text
