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
from extractors.assets.libraries import require_libraries
from extractors.audio.extractor import AudioExtractor
from extractors.datasets.precomputed import is_precomputed
from extractors.errors import SetupError
from extractors.fingerprint import Fingerprint, fingerprint
from extractors.settings import AudioSettings, RunSettings, TextSettings, VisionSettings
from extractors.text.extractor import TextExtractor
from extractors.vision.extractor import VisionExtractor
from extractors.words import Word
from extractors.workers.cache import Cache, key_of
from extractors.workers.cached_map import Collected, Job, Source, Work, clip_of, collect
from extractors.workers.pool import Extractor, Task, run_tasks

_SENTENCES = 200  # looked at to tell a vocabulary


def extract_modality(
    modality: Modality,
    manifest: pa.Table,
    transcripts: pa.Table,
    settings: TextSettings | AudioSettings | VisionSettings,
    run: RunSettings,
    cache: Cache,
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
    run : RunSettings
    cache : Cache

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
    build: partial[Extractor]
    match modality, settings:
        case "text", TextSettings():
            build = partial(TextExtractor, settings, offline=True)
        case "audio", AudioSettings():
            build = partial(AudioExtractor, settings)
        case "vision", VisionSettings():
            require_libraries()
            build = partial(VisionExtractor, settings, offline=True)
        case _:
            raise TypeError(f"{modality} features cannot be made with {type(settings).__name__}")
    made_by = fingerprint(modality, settings, offline=run.offline)
    work = Work(build, _entry, partial(_group, modality, settings), cache)
    schema = feature_schema(_described(work, made_by, run, modality))
    if modality != "text":
        jobs = list(_clip_jobs(manifest, transcripts))
    else:
        tokens = _given_tokens(work, manifest, run) if is_precomputed(manifest) else {}
        jobs = list(_text_jobs(manifest, transcripts, tokens))
    return collect(work, schema, jobs, run, f"extract@{modality}")


def _group(modality: Modality, settings: BaseModel) -> str:
    return f"{modality}-{fingerprint(modality, settings, offline=True).value}"


def _described(work: Work, made_by: Fingerprint, run: RunSettings, modality: str) -> FeatureInfo:
    """What the extractor says of its columns, without building it where that is known."""
    note = work.cache.read_note(work.group, "info.json")
    with suppress(ValidationError):  # none, or damaged: asked for
        info = FeatureInfo.model_validate_json(note or b"")
        # The same model may have been found by another name.
        return info.model_copy(update={"settings": made_by.settings, "assets": made_by.assets})
    found = _ask(work, Task((), 0.0, method="info"), run, modality)
    work.cache.write_note(work.group, "info.json", found.model_dump_json().encode())
    return found


def _ask(work: Work, task: Task, run: RunSettings, modality: str) -> Any:
    """An answer of the extractor, built in a worker: its libraries never reach this process."""
    one = run.model_copy(update={"workers": 1, "executor": "local"})
    (answer,) = run_tasks(work.build, [task], one, modality)
    if answer.reason is not None:
        raise SetupError(f"the {modality} extractor cannot be set up: {answer.reason}")
    return answer.value


def _given_tokens(work: Work, manifest: pa.Table, run: RunSettings) -> dict[str, list[int]]:
    """Token ids that a dataset of features came with, by clip; none if the text has to do."""
    rows = manifest.select(["clip_id", "text", "token_ids"]).to_pylist()
    tokens = {row["clip_id"]: row["token_ids"] for row in rows if row["token_ids"]}
    spoken = [(row["text"], row["token_ids"]) for row in rows if row["text"] and row["token_ids"]]
    source = message("token ids of text_bert, as they came")
    if not tokens:
        source = message("raw_text, tokenised here: no text_bert came with it")
    elif not spoken:
        source += message("; there is no raw_text to compare them with")
    elif not _shares_vocabulary(work, spoken, run):
        source = message("raw_text, tokenised anew: text_bert is of another vocabulary")
        tokens = {}
    print(f"words: {source}", file=sys.stderr, flush=True)
    return tokens


def _shares_vocabulary(work: Work, spoken: list[tuple[str, list[int]]], run: RunSettings) -> bool:
    """Whether the tokens that came with the sentences are of the text model."""
    sentences = spoken[:: max(1, len(spoken) // _SENTENCES)][:_SENTENCES]
    task = Task((sentences,), 0.0, method="shares_vocabulary")
    return bool(_ask(work, task, run, "text"))


def _clip_jobs(manifest: pa.Table, transcripts: pa.Table) -> Iterator[Job]:
    named = set(transcripts["clip_id"].to_pylist())
    for row in sorted_rows(manifest):
        if row["clip_id"] in named:
            clip = clip_of(row)
            key = key_of(row["sha256"], clip.start_s, clip.duration_s)
            source = Source(clip.path, row["sha256"])
            yield Job(row, key, Task((clip,), clip.duration_s), source)


def _text_jobs(
    manifest: pa.Table, transcripts: pa.Table, token_ids: Mapping[str, list[int]]
) -> Iterator[Job]:
    spoken = {row["clip_id"]: row for row in transcripts.to_pylist()}
    for row in sorted_rows(manifest):
        said = spoken.get(row["clip_id"])
        if said is not None:
            words = [Word(**word) for word in said["words"]]
            made_from = (said["text"], words)
            given = token_ids.get(row["clip_id"])
            task = Task((*made_from, given), row["duration_s"])
            yield Job(row, key_of(*made_from, *([given] if given else [])), task)


def _entry(extractor: Extractor, result: Any) -> pa.Table:
    return feature_row(extractor.info(), result)
