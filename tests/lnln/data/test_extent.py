"""How much of a recording is read, where it is longer than the model's lengths."""

import numpy as np
import pytest

from contracts.features import FeatureInfo
from lnln.caveats import NOT_LISTENED, NOT_RECOGNISED, unobserved, unread
from lnln.data.extent import Extent, Spoken, extents, read_shares
from lnln.data.features import FeatureSet, Lengths, ModalityFeatures, TextFeatures

LENGTHS = Lengths(text=6, audio=150, vision=60)


def rows(modality: str, count: int, step_s: float, observed: np.ndarray | None = None) -> dict:
    return {
        "info": FeatureInfo(modality=modality, names=("x",)),  # type: ignore[arg-type]
        "offsets": np.array([0, count]),
        "values": np.ones((count, 1), np.float32),
        "observed": np.ones(count, bool) if observed is None else observed,
        "times": (np.arange(count) + 0.5) * step_s,
    }


def recording(seconds: float = 30.0, tokens: int = 4, times: tuple[float, ...] = ()) -> FeatureSet:
    """One clip with `tokens` words, [CLS] and [SEP] beside them."""
    special = np.array([True, *[False] * tokens, True])
    text = rows("text", tokens + 2, np.nan, ~special)
    text["times"] = np.array([np.nan, *times, np.nan]) if times else text["times"]
    ids = np.arange(tokens + 2)
    return FeatureSet(
        ("a",),
        TextFeatures(**text, token_ids=ids, special=special),
        ModalityFeatures(**rows("audio", round(seconds / 0.04), 0.04)),
        ModalityFeatures(**rows("vision", round(seconds / 0.1), 0.1)),
    )


def words(count: int, step_s: float = 1.0) -> list[dict]:
    return [{"start_s": i * step_s, "end_s": (i + 0.8) * step_s} for i in range(count)]


def test_rows_beyond_the_lengths_are_not_read_and_do_not_count_as_observed() -> None:
    clips = recording(30.0)
    read = extents(clips, LENGTHS, {})
    assert read["audio"] == [Extent(150 / 750, 150, pytest.approx(6.0))]
    assert read["vision"] == [Extent(60 / 300, 60, pytest.approx(6.0))]
    shares = read_shares(clips, LENGTHS, read)
    assert shares["audio"].tolist() == [pytest.approx(0.2)]
    assert shares["text"].tolist() == [1.0]


def test_a_clip_that_is_read_whole_is_as_observed_as_it_was() -> None:
    clips = recording(6.0)
    read = extents(clips, LENGTHS, {})
    assert all(each == [Extent()] for each in read.values())
    assert read_shares(clips, LENGTHS, read) == clips.observed_shares()


def test_words_that_the_extractor_left_out_are_known_by_their_times() -> None:
    clips = recording(tokens=4, times=(0.4, 1.4, 2.4, 3.4))
    (read,) = extents(clips, LENGTHS, {"a": Spoken("w " * 20, words(20), cut=True)})["text"]
    assert read == Extent(4 / 20, 4, pytest.approx(3.8))


def test_words_of_which_one_is_cut_in_two_are_not_all_read() -> None:
    clips = recording(tokens=4, times=(0.4, 1.4, 2.4, 2.4))
    (read,) = extents(clips, LENGTHS, {"a": Spoken("a b cccc", words(3), cut=True)})["text"]
    assert read == Extent(2 / 3, 4, pytest.approx(1.8))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("w " * 20, 4 / 20),
        ("今天天气很好啊", 4 / 7),
        ("well, no.", 4 / 5),
        ("incomprehensible", 4 / 5),
    ],
)
def test_words_without_times_are_counted(text: str, share: float) -> None:
    (read,) = extents(recording(tokens=4), LENGTHS, {"a": Spoken(text, (), cut=True)})["text"]
    assert (read.share, read.end_s) == (pytest.approx(share), None)


def test_sentences_of_features_from_elsewhere_are_cut_to_the_length() -> None:
    clips = recording(tokens=10)
    read = extents(clips, LENGTHS, {})
    assert read["text"] == [Extent(4 / 10, 4)]  # beside [CLS] and [SEP]
    kept = clips.cut(LENGTHS).text
    assert read["text"][0].rows == int((~kept.special).sum())
    assert read_shares(clips, LENGTHS, read)["text"].tolist() == [read["text"][0].share]


def test_warnings_say_seconds_and_share_where_they_are_known() -> None:
    told = {"text": Extent(0.25, 38), "audio": Extent(0.2, 150, 6.0), "vision": Extent()}
    assert list(unread(told, 30.0)) == [
        "only the first 38 word pieces of the words were read (25%)",
        "only the first 6.0 of 30.0 s of the sound were read (20%)",
    ]
    assert list(unread({"vision": Extent(0.2, 60, 6.0)}, None)) == [
        "only the first 6.0 s of the picture were read (20%)"
    ]


def test_sound_without_recognised_words_is_told_from_no_words() -> None:
    lacking = {"text": 0.0, "audio": 0.5, "vision": 1.0}
    assert list(unobserved(lacking, lacking, "none")) == [NOT_RECOGNISED]
    assert list(unobserved(lacking, lacking, "unknown")) == [NOT_LISTENED]
    silent = lacking | {"audio": 0.0}
    assert list(unobserved(silent, silent, "none")) == ["no words observed", "no sound observed"]


def test_what_was_there_and_not_read_is_told_from_what_was_not_there() -> None:
    there = {"text": 1.0, "audio": 0.5, "vision": 0.0}
    assert list(unobserved(there, there | {"audio": 0.0}, "asr")) == [
        "no sound observed in the part that is read",
        "no face observed",
    ]
    nothing = dict.fromkeys(there, 0.0)
    assert list(unobserved(there, nothing, "asr")) == [
        "nothing was observed in the part that is read: no prediction"
    ]
