"""One modality's feature table from a manifest: every clip through one extractor."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ValidationError

from contracts.features import FeatureInfo, feature_row, feature_schema
from contracts.messages import message
from contracts.parquet import sorted_rows
from contracts.schemas import Modality
from extractors import audio, text, vision
from extractors.assets.libraries import require_libraries
from extractors.datasets.precomputed import is_precomputed
from extractors.fingerprint import fingerprint
from extractors.settings import AudioSettings, TextSettings, VisionSettings
from extractors.words import Word
from extractors.workers.cached_map import Collected, Collection
from extractors.workers.keys import clip_key, text_key
from extractors.workers.serving import Extractor, Task
from extractors.workers.session import Session
from extractors.workers.work import Job, Source, Work, clip_of

# So many are encoded in the calling process: loading the encoder takes as long as 300 of them
# (4 s and 14 ms), and a worker would load it once more where the caller has torch anyway.
FEW_SENTENCES = 200

_SENTENCES = 200  # looked at to tell a vocabulary
_INFO = "info.json"

ModalitySettings = TextSettings | AudioSettings | VisionSettings


def extract_modality(
    modality: Modality,
    manifest: pa.Table,
    transcripts: pa.Table,
    settings: ModalitySettings,
    session: Session,
) -> Collected:
    """Extract the features of one modality, of the clips that both tables name.

    Parameters
    ----------
    modality : {"text", "audio", "vision"}
    manifest : pa.Table
        As `contracts.schemas.MANIFEST`.
    transcripts : pa.Table
        As `contracts.schemas.TRANSCRIPTS`; a clip that it leaves out is left out here.
    settings : TextSettings, AudioSettings or VisionSettings
        The modality's own.
    session : Session

    Returns
    -------
    Collected
        Table as `contracts.features.feature_schema`, sorted by clip_id. A clip that fails is in
        the quarantine.

    Raises
    ------
    SetupError
        Something that the extractor needs is not installed.
    """
    return Extraction(modality, manifest, transcripts, settings, session).finish()


class Extraction:
    """The extraction of one modality, begun; workers go on with it in the background.

    Parameters and errors are those of `extract_modality`.
    """

    def __init__(
        self,
        modality: Modality,
        manifest: pa.Table,
        transcripts: pa.Table,
        settings: ModalitySettings,
        session: Session,
    ) -> None:
        match modality, settings:
            case "text", TextSettings():
                work = _work(modality, partial(text.build, settings), settings, session)
            case "audio", AudioSettings():
                work = _work(modality, partial(audio.build, settings), settings, session)
            case "vision", VisionSettings():
                require_libraries()
                work = _work(modality, partial(vision.build, settings), settings, session)
            case _:
                raise TypeError(
                    f"{modality} features cannot be made with {type(settings).__name__}"
                )
        self._made_by = fingerprint(modality, settings, offline=session.run.offline)
        self._work = work
        if modality != "text":
            jobs = list(_clip_jobs(manifest, transcripts))
        else:
            tokens = known_tokens(work, manifest, session) if is_precomputed(manifest) else {}
            jobs = list(_text_jobs(manifest, transcripts, tokens))
        self._info = self._known_info()
        # Asked for first: an answer would have to wait until the clips are done.
        self._question = None if self._info else work.question(session, len(jobs), "info")
        self._collection = Collection(work, jobs, session, f"extract@{modality}")

    def finish(self) -> Collected:
        """Wait for the features."""
        info = self._info
        if info is None:
            assert self._question is not None
            info = self._question()
            self._work.cache.write_note(self._work.group, _INFO, info.model_dump_json().encode())
        return self._collection.finish(feature_schema(info))

    def _known_info(self) -> FeatureInfo | None:
        """What the extractor says of its columns, where it was asked before."""
        note = self._work.cache.read_note(self._work.group, _INFO)
        with suppress(ValidationError):  # none, or damaged
            info = FeatureInfo.model_validate_json(note or b"")
            # The same model may have been found by another name.
            made_by = self._made_by
            return info.model_copy(update={"settings": made_by.settings, "assets": made_by.assets})
        return None


def _work(
    modality: Modality, build: "partial[Extractor]", settings: BaseModel, session: Session
) -> Work:
    few = FEW_SENTENCES if modality == "text" else 0
    return Work(build, _entry, partial(_group, modality, settings), session.cache, few)


def _group(modality: Modality, settings: BaseModel) -> str:
    return f"{modality}-{fingerprint(modality, settings, offline=True).value}"


def known_tokens(work: Work, manifest: pa.Table, session: Session) -> dict[str, list[int]]:
    """Token ids that a dataset of features came with, by clip; none if the text has to do."""
    rows = manifest.select(["clip_id", "text", "token_ids"]).to_pylist()
    tokens = {row["clip_id"]: row["token_ids"] for row in rows if row["token_ids"]}
    spoken = [(row["text"], row["token_ids"]) for row in rows if row["text"] and row["token_ids"]]
    source = message("token ids of text_bert, as they came")
    if not tokens:
        source = message("raw_text, tokenised here: no text_bert came with it")
    elif not spoken:
        source += message("; there is no raw_text to compare them with")
    elif not _shares_vocabulary(work, spoken, session):
        source = message("raw_text, tokenised anew: text_bert is of another vocabulary")
        tokens = {}
    print(f"words: {source}", file=sys.stderr, flush=True)
    return tokens


def _shares_vocabulary(work: Work, spoken: list[tuple[str, list[int]]], session: Session) -> bool:
    """Whether the tokens that came with the sentences are of the text model."""
    sentences = spoken[:: max(1, len(spoken) // _SENTENCES)][:_SENTENCES]
    return bool(work.question(session, len(spoken), "shares_vocabulary", sentences)())


def _clip_jobs(manifest: pa.Table, transcripts: pa.Table) -> Iterator[Job]:
    named = set(transcripts["clip_id"].to_pylist())
    for row in sorted_rows(manifest):
        if row["clip_id"] in named:
            clip = clip_of(row)
            source = Source(clip.path, row["sha256"])
            yield Job(row, clip_key(row), Task((clip,), clip.duration_s), source)


def _text_jobs(
    manifest: pa.Table, transcripts: pa.Table, token_ids: Mapping[str, list[int]]
) -> Iterator[Job]:
    transcript_of = {row["clip_id"]: row for row in transcripts.to_pylist()}
    for row in sorted_rows(manifest):
        transcript = transcript_of.get(row["clip_id"])
        if transcript is not None:
            words = [Word(**word) for word in transcript["words"]]
            made_from = (transcript["text"], words, token_ids.get(row["clip_id"]))
            yield Job(row, text_key(*made_from), Task(made_from, row["duration_s"]))


def _entry(extractor: Extractor, result: Any) -> pa.Table:
    return feature_row(extractor.info(), result)
