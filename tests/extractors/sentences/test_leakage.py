"""The same sentence where a model learns and where it is judged."""

import pyarrow as pa
import pytest

from contracts.schemas import SENTENCES
from extractors.sentences.leakage import same_words, without_leaks


def table(*rows: tuple[str, str]) -> pa.Table:
    """Sentences `(text, split)`."""
    return pa.Table.from_pylist(
        [
            {"sentence_id": str(i), "source": "s", "text": text, "label": 1.0, "split": split}
            for i, (text, split) in enumerate(rows)
        ],
        schema=SENTENCES,
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Well, DONE!", "well   done", True),
        ("It's good.", "it’s good", True),
        ("STRASSE", "straße", True),
        ("ﬁne", "fine", True),
        ("非常好!", "非常好", True),
        ("not good", "good", False),
        (":)", ":(", False),
        ("...", "!", False),
    ],
)
def test_words_are_compared_and_nothing_else(one: str, other: str, same: bool) -> None:
    assert (same_words(one) == same_words(other)) is same


def test_what_judging_splits_say_is_not_trained_with() -> None:
    sentences = table(
        ("So good!", "train"),
        ("so GOOD", "train"),
        ("kept", "train"),
        ("Said in a clip", "train"),
        ("so, good", "test"),
        ("both", "valid"),
        ("Both", "test"),
    )
    checked = without_leaks(sentences, {"valid": [], "test": ["said in a clip.", ""]})
    assert checked.table["text"].to_pylist() == ["kept", "so, good", "both", "Both"]
    assert checked.left_out == 3
    of_sentences, of_clips, between = checked.messages
    assert of_sentences.startswith("leakage: 1 sentences are in the train split of the sentences")
    assert "in their test split; not trained with (such as 'so good')" in of_sentences
    assert "in clips of the dataset's test split; not trained with" in of_clips
    assert "the valid and in the test split of the sentences (such as 'both')" in between


def test_without_leaks_nothing_is_said_or_left_out() -> None:
    sentences = table(("a", "train"), ("a", "train"), ("b", "test"))
    checked = without_leaks(sentences, {"test": ["c"]})
    assert checked.table.equals(sentences)
    assert (checked.messages, checked.left_out) == ([], 0)


def test_a_clip_without_words_is_no_sentence() -> None:
    assert without_leaks(table((" ", "train")), {"test": ["", "  "]}).left_out == 0
