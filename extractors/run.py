"""Whole tables from a manifest: every clip through one extractor, in worker processes."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from extractors.assets import resolve
from extractors.audio import AudioExtractor
from extractors.errors import SetupError
from extractors.media import Clip
from extractors.pool import Extractor, Outcome, Task, run_tasks
from extractors.settings import (
    AudioSettings,
    RunSettings,
    SpeechSettings,
    TextSettings,
    VisionSettings,
)
from extractors.speech import SpeechRecognizer, Transcript, Word
from extractors.system import require_libraries
from extractors.tables import TRANSCRIPTS, FeatureInfo, Modality, Rejected, feature_schema, ragged
from extractors.text import TextExtractor
from extractors.vision import VisionExtractor


class Result(NamedTuple):
    """A table sorted by clip_id, the clips that failed, and what else the user should know."""

    table: pa.Table
    quarantine: list[Rejected]
    warnings: list[str]


def transcribe(
    manifest: pa.Table, settings: SpeechSettings, run: RunSettings | None = None
) -> Result:
    """Words of every clip: as given in the manifest, else recognised, else none.

    No model is loaded where every clip with sound has its text.

    Parameters
    ----------
    manifest : pa.Table
        As `extractors.tables.MANIFEST`.
    settings : SpeechSettings
    run : RunSettings, optional

    Returns
    -------
    Result
        Table as `extractors.tables.TRANSCRIPTS`. A clip that fails is in the quarantine.

    Raises
    ------
    SetupError
        The speech model is missing, or does not know the language of a clip.
    """
    run = run or RunSettings()
    rows = _sorted_rows(manifest)
    unheard = [row for row in rows if not row["text"].strip() and row["has_audio"]]
    outcomes: dict[str, Outcome] = {}
    if unheard:
        resolve(settings.model, offline=run.offline)
        tasks = [Task((_clip(row), row["language"]), row["duration_s"]) for row in unheard]
        build = partial(SpeechRecognizer, settings, offline=True)
        done = run_tasks(build, tasks, run, "transcribing")
        outcomes = {row["clip_id"]: out for row, out in zip(unheard, done, strict=True)}
    transcripts = []
    rejected = []
    warnings = []
    for row in rows:
        outcome = outcomes.get(row["clip_id"])
        if outcome is None:
            text = row["text"].strip()
            transcript = Transcript(text, "given" if text else "none", [], [])
        elif outcome.reason is not None:
            rejected.append(Rejected(row["clip_id"], row["path"], "transcribe", outcome.reason))
            continue
        else:
            transcript = outcome.value
        transcripts.append(
            {
                "clip_id": row["clip_id"],
                "text": transcript.text,
                "source": transcript.source,
                "words": [word._asdict() for word in transcript.words],
            }
        )
        warnings += [f"{row['clip_id']}: {warning}" for warning in transcript.warnings]
    return Result(pa.Table.from_pylist(transcripts, schema=TRANSCRIPTS), rejected, warnings)


def wordless_sound(manifest: pa.Table, transcripts: pa.Table) -> list[Rejected]:
    """Clips that are sound only, and sound without words: nothing to learn a sentiment from.

    A dataset's run puts these in its quarantine; a new recording of that kind still gets an
    answer.
    """
    words = dict(
        zip(transcripts["clip_id"].to_pylist(), transcripts["text"].to_pylist(), strict=True)
    )
    return [
        Rejected(row["clip_id"], row["path"], "transcribe", "sound only, and no words in it")
        for row in _sorted_rows(manifest)
        if not row["has_video"] and words.get(row["clip_id"]) == ""
    ]


def extract_text(
    manifest: pa.Table,
    transcripts: pa.Table,
    settings: TextSettings,
    run: RunSettings | None = None,
) -> Result:
    """Tokens and hidden states of every clip that has a transcript, be it an empty one.

    Raises
    ------
    SetupError
        The language model is missing or unfit.
    """
    run = run or RunSettings()
    resolve(settings.model, offline=run.offline)
    rows = _transcribed(manifest, transcripts)
    spoken = {row["clip_id"]: row for row in transcripts.to_pylist()}
    tasks = []
    for row in rows:
        said = spoken[row["clip_id"]]
        words = [Word(**word) for word in said["words"]]
        tasks.append(Task((said["text"], words), row["duration_s"]))
    build = partial(TextExtractor, settings, offline=True)
    info, outcomes = _described(build, tasks, run, "text")
    done, rejected = _sort_out(rows, outcomes, "extract@text")
    schema = feature_schema(info)
    columns = [
        pa.array([row["clip_id"] for row, _ in done], pa.string()),
        *(
            ragged([getattr(tokens, name) for _, tokens in done], schema.field(name).type)
            for name in schema.names[1:]
        ),
    ]
    cut = sum(tokens.cut for _, tokens in done)
    warnings = [f"{cut} transcripts are longer than {settings.max_tokens} tokens and were cut"]
    return Result(pa.Table.from_arrays(columns, schema=schema), rejected, warnings if cut else [])


def extract_audio(
    manifest: pa.Table,
    transcripts: pa.Table,
    settings: AudioSettings,
    run: RunSettings | None = None,
) -> Result:
    """Prosody and timbre of every clip that has a transcript, be it an empty one."""
    build = partial(AudioExtractor, settings)
    return _regular(build, manifest, transcripts, run or RunSettings(), "audio")


def extract_vision(
    manifest: pa.Table,
    transcripts: pa.Table,
    settings: VisionSettings,
    run: RunSettings | None = None,
) -> Result:
    """Expression and head pose in every clip that has a transcript, be it an empty one.

    Raises
    ------
    SetupError
        System libraries or the face model are missing.
    """
    run = run or RunSettings()
    require_libraries()
    resolve(settings.model, offline=run.offline)
    build = partial(VisionExtractor, settings, offline=True)
    return _regular(build, manifest, transcripts, run, "vision")


def extract_modality(
    modality: Modality,
    manifest: pa.Table,
    transcripts: pa.Table,
    settings: TextSettings | AudioSettings | VisionSettings,
    run: RunSettings | None = None,
) -> Result:
    """Feature table of one modality, over the clips that both tables name.

    Parameters
    ----------
    modality : {"text", "audio", "vision"}
    manifest : pa.Table
        As `extractors.tables.MANIFEST`.
    transcripts : pa.Table
        As `extractors.tables.TRANSCRIPTS`; a clip that it leaves out is left out here.
    settings : TextSettings, AudioSettings or VisionSettings
        The modality's own.
    run : RunSettings, optional

    Returns
    -------
    Result
        Table as `extractors.tables.feature_schema`. A clip that fails is in the quarantine.

    Raises
    ------
    SetupError
        Something that the extractor needs is not installed.
    """
    match modality, settings:
        case "text", TextSettings():
            return extract_text(manifest, transcripts, settings, run)
        case "audio", AudioSettings():
            return extract_audio(manifest, transcripts, settings, run)
        case "vision", VisionSettings():
            return extract_vision(manifest, transcripts, settings, run)
    raise TypeError(f"{modality} features cannot be made with {type(settings).__name__}")


def _regular(
    build: Callable[[], Extractor],
    manifest: pa.Table,
    transcripts: pa.Table,
    run: RunSettings,
    modality: Modality,
) -> Result:
    """Table of a modality whose rows come in regular steps."""
    rows = _transcribed(manifest, transcripts)
    tasks = [Task((_clip(row),), row["duration_s"]) for row in rows]
    info, outcomes = _described(build, tasks, run, modality)
    done, rejected = _sort_out(rows, outcomes, f"extract@{modality}")
    schema = feature_schema(info)
    columns = [
        pa.array([row["clip_id"] for row, _ in done], pa.string()),
        ragged([features.values for _, features in done], schema.field("values").type),
        ragged([features.observed for _, features in done], schema.field("observed").type),
        pa.array([row["start_s"] or 0.0 for row, _ in done], pa.float64()),
        pa.array([features.step_s for _, features in done], pa.float64()),
    ]
    warnings = [f"{row['clip_id']}: {text}" for row, rows_ in done for text in rows_.warnings]
    return Result(pa.Table.from_arrays(columns, schema=schema), rejected, warnings)


def _described(
    build: Callable[[], Extractor], tasks: Sequence[Task], run: RunSettings, title: str
) -> tuple[FeatureInfo, Iterator[Outcome]]:
    """What the extractor says of itself, and what became of each task.

    The extractor is built in the workers only: its libraries never reach this process.
    """
    outcomes = run_tasks(build, [Task((), 0.0, method="info"), *tasks], run, title)
    description = next(outcomes)
    if description.reason is not None:
        raise SetupError(f"the {title} extractor cannot be set up: {description.reason}")
    return description.value, outcomes


def _sort_out(
    rows: Sequence[dict[str, Any]], outcomes: Iterator[Outcome], stage: str
) -> tuple[list[tuple[dict[str, Any], Any]], list[Rejected]]:
    done = []
    rejected = []
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome.reason is None:
            done.append((row, outcome.value))
        else:
            rejected.append(Rejected(row["clip_id"], row["path"], stage, outcome.reason))
    return done, rejected


def _sorted_rows(manifest: pa.Table) -> list[dict[str, Any]]:
    return sorted(manifest.to_pylist(), key=lambda row: row["clip_id"])


def _transcribed(manifest: pa.Table, transcripts: pa.Table) -> list[dict[str, Any]]:
    named = set(transcripts["clip_id"].to_pylist())
    return [row for row in _sorted_rows(manifest) if row["clip_id"] in named]


def _clip(row: dict[str, Any]) -> Clip:
    return Clip(row["path"], row["start_s"] or 0.0, row["duration_s"])
