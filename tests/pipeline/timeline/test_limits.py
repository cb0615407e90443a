from pipeline.timeline.limits import limits_of


def test_no_utterance_is_longer_than_what_the_model_reads_of_any_modality():
    assert limits_of(40, 150, 60, 10.0).seconds == 6.0
    assert limits_of(40, 500, 60, 20.0).seconds == 3.0
    assert limits_of(40, 100, 900, 10.0).seconds == 4.0
    assert limits_of(50, 1, 1, 10.0).words == 34
    assert limits_of(3, 1, 1, 10.0).words == 1
