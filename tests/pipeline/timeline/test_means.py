import pytest

from pipeline.timeline.means import as_prediction, described, mean_of

FOUR = ((0.0, 1.0, 3.0, "good"), (1.0, 4.0, -1.0, "bad"), (4.0, 5.0, None, ""))


def test_the_mean_is_weighted_by_seconds_and_the_spread_is_around_it(scored):
    mean = mean_of("talk.mp4", 60.0, scored(*FOUR).predictions)
    assert (mean.prediction, mean.scored_s, mean.scored, mean.utterances) == (0.0, 4.0, 2, 3)
    assert mean.spread == pytest.approx(3**0.5)
    assert (mean.least, mean.greatest) == (-1.0, 3.0)
    assert described(mean) == (
        "talk.mp4: +0.00, the mean of 2 of 3 utterances over 4 of 60 s, with a spread of 1.73 "
        "(-1.00 to +3.00)"
    )


def test_where_nothing_has_a_score_there_is_no_mean(scored):
    mean = mean_of("talk.mp4", 60.0, scored((0.0, 1.0, None, "")).predictions)
    assert (mean.prediction, mean.spread, mean.least) == (None, None, None)
    assert "no score in 1 utterances" in described(mean)


def test_the_answer_for_a_recording_says_that_it_was_cut(scored):
    parts = scored(*FOUR, warnings=("no face observed", "notice")).predictions
    mean = mean_of("talk.mp4", 60.0, parts)
    answer = as_prediction(mean, "in/talk.mp4", parts, (-3.0, 3.0), ["notice"])
    assert (answer.clip_id, answer.path, answer.prediction) == ("talk.mp4", "in/talk.mp4", 0.0)
    assert (answer.low, answer.high) == (-1.0, 1.0)
    assert answer.confidence == pytest.approx(2 / 3)
    assert answer.observed == {"text": pytest.approx(0.8), "audio": 1.0, "vision": 0.5}
    assert answer.text == "good bad"
    cut, counted, notice = answer.warnings
    assert "longer than the model reads: cut into 3 utterances; this is the mean of 2" in cut
    assert counted == "in 3 of 3 utterances: no face observed"
    assert notice == "notice"
