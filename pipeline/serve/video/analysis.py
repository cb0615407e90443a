"""What was found in one version of a video, and the words that a person corrected in it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from contracts.features import feature_row, feature_schema
from contracts.schemas import TRANSCRIPTS
from extractors.api import Features
from extractors.settings import ExtractorSettings, TextSettings
from extractors.words import Word
from lnln.data.features import FeatureSet
from lnln.data.reading import from_tables
from lnln.missing.dropping import SentenceCache
from pipeline.picture.subject import Subject
from pipeline.serve.video.faces import FaceTrack
from pipeline.serve.video.sides import Side

_SENTENCES_MB = 32  # of hidden states of a video's sentences
_SAME_S = 1e-3  # between the times of one word


@dataclass
class Analysis:
    """One version of a video: as it came, or damaged.

    Attributes
    ----------
    file : Path
        The version itself.
    features : list of (ExtractorSettings, Features)
        One entry for each kind of features that a model reads, of the same clips.
    face : FaceTrack or None
        Where the face is in the picture; None without a picture.
    subject : Subject or None
        What a drawing of a single clip shows; None of a recording in utterances.
    """

    file: Path
    features: list[tuple[ExtractorSettings, Features]]
    face: FaceTrack | None = None
    subject: Subject | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._sets: dict[int, FeatureSet] = {}
        self._heard = self.transcripts
        self._recognition = self.features[0][1].recognition
        self._encoding = threading.Lock()
        self._sentences: dict[TextSettings, SentenceCache] = defaultdict(
            lambda: SentenceCache(_SENTENCES_MB)
        )

    @property
    def manifest(self) -> pa.Table:
        """Its clips: one, or the utterances of a longer recording."""
        return self.features[0][1].manifest

    @property
    def clip_ids(self) -> list[str]:
        """Its clips, in the order of time."""
        rows = self.manifest.select(["clip_id", "start_s"]).to_pylist()
        return [row["clip_id"] for row in sorted(rows, key=lambda row: row["start_s"] or 0.0)]

    def times(self) -> list[tuple[float, float]]:
        """Where each of `clip_ids` begins and ends, s from the beginning of the video."""
        rows = {row["clip_id"]: row for row in self.manifest.to_pylist()}
        begins = [(rows[c]["start_s"] or 0.0, rows[c]["duration_s"]) for c in self.clip_ids]
        return [(begin_s, begin_s + duration_s) for begin_s, duration_s in begins]

    def said(self, clip_id: str) -> tuple[dict[str, Any], bool]:
        """Return the row of `transcripts` of a clip, and whether a person changed it."""
        row = _row(self.transcripts, clip_id)
        return row, row != _row(self._heard, clip_id)

    def heard(self, clip_id: str) -> list[Word]:
        """The words that were recognised in a clip."""
        return [Word(**word) for word in _row(self._heard, clip_id)["words"]]

    @property
    def transcripts(self) -> pa.Table:
        """What is said in each clip, corrected where it was."""
        return self.features[0][1].transcripts

    @property
    def warnings(self) -> list[str]:
        """What was odd about the video, without the names of our own files."""
        names = {*self.clip_ids, *(name.partition("/")[0] for name in self.clip_ids)}
        texts = []
        for text in (text for _, features in self.features for text in features.warnings):
            name, _, rest = text.partition(": ")
            texts.append(rest if name in names else text)
        return list(dict.fromkeys(texts))

    def doubted(self, clip_id: str) -> list[Word]:
        """Words that were recognised in a clip and are not believed, by a person neither."""
        recognition = self.features[0][1].recognition
        if clip_id not in recognition["clip_id"].to_pylist():
            return []
        return [Word(**word) for word in _row(recognition, clip_id)["doubted"]]

    def of(self, side: Side) -> tuple[Features, FeatureSet]:
        """Features as a model reads them: the tables, and all clips in memory."""
        with self._lock:
            for number, (settings, features) in enumerate(self.features):
                if kind_of(settings) == kind_of(side.settings):
                    if number not in self._sets:
                        self._sets[number] = from_tables(
                            features.text, features.audio, features.vision, self.clip_ids
                        )
                    clips = self._sets[number]
                    return features, replace(clips, groups=("person",) * len(clips))
        raise KeyError(side.name)

    @contextmanager
    def sentences(self, side: Side) -> Iterator[SentenceCache]:
        """Hidden states of this video's sentences, for one thread at a time.

        They are kept here because they are gone with the video then.
        """
        with self._encoding:
            yield self._sentences[side.settings.text]

    def correct(self, clip_id: str, words: Sequence[Word], sides: Sequence[Side]) -> None:
        """Replace the words of one clip; sound and picture stay as they were measured.

        Parameters
        ----------
        clip_id : str
        words : sequence of Word
            None at all: as if nothing had been said. Those among them that were doubted are
            believed from then on, as long as they stay.
        sides : sequence of Side
            All models.
        """
        heard = _row(self._heard, clip_id)
        text = joined([word.word for word in words], heard["text"])
        same = text == heard["text"] and [w._asdict() for w in words] == heard["words"]
        source = heard["source"] if same else "given" if text else "none"
        said = {
            "clip_id": clip_id,
            "text": text,
            "source": source,
            "words": [word._asdict() for word in words],
        }
        row = pa.Table.from_pylist([said], schema=TRANSCRIPTS)
        with self._lock:
            for number, (settings, features) in enumerate(self.features):
                side = next(s for s in sides if kind_of(s.settings) == kind_of(settings))
                tokens = feature_row(side.words.info(), side.words.extract(text, list(words)))
                tokens = tokens.add_column(
                    0, feature_schema(side.words.info()).field("clip_id"), [[clip_id]]
                )
                changed = replace(
                    features,
                    text=_replaced(features.text, tokens),
                    transcripts=_replaced(features.transcripts, row),
                    recognition=_believing(self._recognition, features.recognition, clip_id, words),
                )
                self.features[number] = settings, changed
            self._sets.clear()


def kind_of(settings: ExtractorSettings) -> ExtractorSettings:
    """What decides features: settings, but for how the work is done."""
    return settings.model_copy(update={"run": ExtractorSettings().run})


def joined(words: Sequence[str], like: str) -> str:
    """Put words together as they stood in a text: with spaces, where it has any.

    Of a language that is written without spaces the recognizer names parts that follow each other.
    """
    parts = [word.strip() for word in words if word.strip()]
    spaced = not like or " " in like.strip() or len(parts) < 2 or like.isascii()
    return (" " if spaced else "").join(parts)


def _row(table: pa.Table, clip_id: str) -> dict[str, Any]:
    place = table["clip_id"].to_pylist().index(clip_id)
    row: dict[str, Any] = table.slice(place, 1).to_pylist()[0]
    return row


def _believing(heard: pa.Table, now: pa.Table, clip_id: str, words: Sequence[Word]) -> pa.Table:
    """Recognition in which a clip doubts what it did when it was heard, but for some words."""
    if clip_id not in now["clip_id"].to_pylist():
        return now
    row = _row(heard, clip_id)
    row["doubted"] = [
        doubted
        for doubted in row["doubted"]
        if not any(_same(Word(**doubted), word) for word in words)
    ]
    return _replaced(now, pa.Table.from_pylist([row], schema=now.schema))


def _same(one: Word, other: Word) -> bool:
    """Whether two words are one, which the page may have stripped and moved in time and back."""
    if one.word.strip() != other.word.strip():
        return False
    if one.start_s is None or other.start_s is None:
        return one.start_s is other.start_s
    return abs(one.start_s - other.start_s) < _SAME_S


def _replaced(table: pa.Table, row: pa.Table) -> pa.Table:
    """A table with one clip's row in the place of the one it had."""
    place = table["clip_id"].to_pylist().index(row["clip_id"][0].as_py())
    row = row.select(table.column_names).cast(table.schema)
    parts = [table.slice(0, place), row, table.slice(place + 1)]
    return pa.concat_tables(parts).combine_chunks()
