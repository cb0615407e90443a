"""What the API takes and gives: the page uses nothing else."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.schemas import MODALITIES, Modality

What = Literal["observed", "missing", "left_out"]  # a stretch of time can be


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ModelAbout(BaseModel):
    """One of the models that are asked."""

    name: str
    kind: str = Field(description="of network, such as robust")
    label_range: tuple[float, float] = Field(description="least and greatest answer")
    interval_level: float | None = Field(description="share of labels that intervals are to hold")
    w_withheld: str | None = Field(description="why w is not shown")
    notice: str | None = Field(description="what it was trained on")
    language: str = Field(description="that it knows, ISO 639 code")
    reads_s: float = Field(description="most seconds of voice and face that it reads")


class DamageAbout(BaseModel):
    """A damage that can be done to a copy of a video."""

    name: str
    severity: str
    unit: str
    least: float
    most: float


class About(BaseModel):
    """What this server is, and what it takes."""

    version: str
    models: list[ModelAbout]
    damages: list[DamageAbout]
    file_bytes: int = Field(description="most of one file")
    duration_s: float = Field(description="most of one video")
    keep_s: float = Field(description="time after which an upload is deleted")


class Token(_Taken):
    """What the server printed when it was started."""

    token: str = Field(max_length=200)


class UploadState(BaseModel):
    """Where an upload is."""

    id: str
    state: Literal["receiving", "waiting", "working", "ready", "failed"]
    step: str = Field(description="what is being done, in words")
    step_s: float = Field(description="since when, s")
    share: float | None = Field(description="of the step that is done, 0 to 1; null: not known")
    before: int = Field(description="how many videos are done before this one")
    error: str
    expires_s: float = Field(description="it is deleted in so many seconds")
    damaging: bool = Field(description="whether a damaged copy is being made")
    versions: list[str] = Field(description="what can be asked for: original, damaged")


class SpokenWord(_Taken):
    """A word; times are s from the beginning of the video, null where not known."""

    word: str = Field(max_length=200)
    start_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    end_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    probability: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _begins_first(self) -> SpokenWord:
        if self.start_s is not None and self.end_s is not None and self.end_s < self.start_s:
            raise ValueError("end_s is before start_s")
        return self


class Stretch(BaseModel):
    """A stretch of time in which something was observed, was not, or is left out."""

    start_s: float
    end_s: float
    what: What


class ClipFound(BaseModel):
    """What was found in one clip of a video: all of it, or an utterance."""

    clip: int = Field(description="counted from 0")
    start_s: float
    end_s: float
    text: str
    text_source: str = Field(description="asr, given, none or unknown")
    words: list[SpokenWord]
    doubted: list[SpokenWord] = Field(
        description="recognised and not believed: no model reads them"
    )
    corrected: bool = Field(description="whether a person changed the words")
    movements: list[str] = Field(description="what the face does most")


class Found(BaseModel):
    """What was found in a video."""

    version: str
    duration_s: float
    width: int | None
    height: int | None
    fps: float | None
    has_audio: bool
    has_video: bool
    clips: list[ClipFound]
    bands: dict[Modality, list[Stretch]] = Field(description="observed and missing, by modality")
    warnings: list[str]
    downloads: list[str] = Field(description="what can be taken along: parts of this address")


class FaceRow(BaseModel):
    """The face at a time; places are in frame widths and heights."""

    time_s: float
    box: tuple[float, float, float, float] = Field(description="left, top, right, bottom")
    points: list[tuple[float, float]]


class FaceLines(BaseModel):
    """The face that was followed, in a stretch of a video."""

    step_s: float = Field(description="for so long a row holds")
    lines: list[tuple[int, int]] = Field(description="pairs of points to join")
    rows: list[FaceRow]


class Words(_Taken):
    """The words of one clip, as a person says they are."""

    version: str = Field(default="original", max_length=20)
    clip: int = Field(ge=0)
    words: list[SpokenWord] | None = Field(
        max_length=2000, description="null: those that were recognised"
    )


class Span(_Taken):
    """A stretch of time that is left out."""

    start_s: float = Field(
        ge=0, allow_inf_nan=False, description="s from the beginning of the video"
    )
    end_s: float = Field(ge=0, allow_inf_nan=False)
    modalities: list[Modality] = Field(default=list(MODALITIES), description="what is left out")

    @model_validator(mode="after")
    def _begins_first(self) -> Span:
        if not self.start_s < self.end_s:
            raise ValueError("start_s is not before end_s")
        return self


class Change(_Taken):
    """What is left out."""

    without: list[Modality] = Field(default=[], description="modalities left out as a whole")
    spans: list[Span] = Field(default=[], max_length=50)
    missing_rate: float = Field(
        default=0.0, ge=0, le=1, description="share of the rows of each modality left out by chance"
    )

    @property
    def anything(self) -> bool:
        """Whether it changes anything at all."""
        return bool(self.without or self.spans or self.missing_rate)


class Question(Change):
    """What is left out, and which answer is to be explained."""

    version: str = Field(default="original", max_length=20)
    explain: int | None = Field(default=None, ge=0, description="a clip, counted from 0")


class Damage(_Taken):
    """What is done to a copy of the video, and how much of it."""

    damages: dict[str, float] = Field(min_length=1, max_length=5)
    seed: int = Field(default=0, ge=0, lt=2**31)


class Part(BaseModel):
    """A word, or a stretch of voice or face, and what it contributed to the answer."""

    text: str
    start_s: float | None
    end_s: float | None
    observed: bool
    contribution: float


class Contributions(BaseModel):
    """What moved an answer; see `lnln.explaining.explanation.Explanation`."""

    score: float
    nothing: float = Field(description="the answer where nothing was observed")
    modalities: dict[Modality, float]
    words: list[Part]
    audio: list[Part]
    vision: list[Part]


class Answer(BaseModel):
    """What a model says of one clip; see `lnln.prediction.Prediction`."""

    start_s: float
    end_s: float
    prediction: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    w: float | None = None
    observed: dict[Modality, float] = Field(description="share observed, read and not left out")
    read_s: dict[Modality, float | None] = Field(
        description="up to where the model reads, of what it does not read whole"
    )


class Score(BaseModel):
    """What one model says of a video."""

    model: str
    prediction: float | None = Field(description="mean over the clips, weighted by duration")
    spread: float | None = Field(description="standard deviation over the clips; null of one")
    clips: list[Answer]
    contributions: Contributions | None


class Scores(BaseModel):
    """What all models say, and what they did not get to read."""

    scores: list[Score]
    bands: dict[Modality, list[Stretch]]


class Problem(BaseModel):
    """Why there is no answer."""

    error: str
