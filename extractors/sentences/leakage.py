"""The same sentence on both sides of what is learnt from and what is judged by."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa

from contracts.messages import message

SHOWN = 3  # examples in a message
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class Checked(NamedTuple):
    """What is left to train with.

    Attributes
    ----------
    table : pa.Table
        Without the sentences of the training split that leaked.
    messages : list of str
        One per pair of splits that share sentences.
    left_out : int
        Sentences of the training split that leaked.
    """

    table: pa.Table
    messages: list[str]
    left_out: int


def same_words(text: str) -> str:
    """Bring a sentence to the form in which it is compared: its words, in one case.

    Punctuation and white space tell nothing apart, but in a text that has nothing else.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _BETWEEN_WORDS.sub(" ", folded).strip() or folded.strip()


def without_leaks(sentences: pa.Table, said: Mapping[str, Iterable[str]]) -> Checked:
    """Leave out of the training split what a judging split says as well.

    Parameters
    ----------
    sentences : pa.Table
        With the columns of `contracts.schemas.SENTENCES`.
    said : mapping
        Of a judging split of a dataset (valid, test) to what is said in its clips.
    """
    keys = [same_words(text) for text in sentences["text"].to_pylist()]
    splits: dict[str, set[str]] = defaultdict(set)
    for key, split in zip(keys, sentences["split"].to_pylist(), strict=True):
        splits[split].add(key)
    judging = {f"their {split} split": splits[split] for split in ("valid", "test")}
    judging |= {
        f"clips of the dataset's {split} split": {same_words(t) for t in texts if t.strip()}
        for split, texts in said.items()
    }
    messages = []
    leaked = set()
    for where, others in judging.items():
        shared = splits["train"] & others
        leaked |= shared
        if shared:
            messages.append(
                _told(shared, f"the train split of the sentences and in {where}; not trained with")
            )
    shared = splits["valid"] & splits["test"]
    if shared:
        messages.append(_told(shared, "the valid and in the test split of the sentences"))
    kept = [
        split != "train" or key not in leaked
        for key, split in zip(keys, sentences["split"].to_pylist(), strict=True)
    ]
    return Checked(sentences.filter(pa.array(kept, pa.bool_())), messages, kept.count(False))


def _told(shared: set[str], where: str) -> str:
    examples = ", ".join(repr(text[:40]) for text in sorted(shared)[:SHOWN])
    return message(f"leakage: {len(shared)} sentences are in {where} (such as {examples})")
