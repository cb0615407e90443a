"""All settings of the extractors, with their types, limits and meaning.

The settings of text, audio, vision and speech decide what features are, and enter their
fingerprints. `RunSettings` decides only how the work is done, and never changes a result.
"""

import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Split = Literal["train", "valid", "test"]
Unspoken = Literal["clips", "gaps"]  # what stretches of a recording without speech become

NO_SPEECH = "none"  # instead of a speech model: no words are recognised


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextSettings(_Settings):
    """Text features: word pieces and their hidden states in a language encoder."""

    model: str = Field(
        default="minilm",
        min_length=1,
        description="asset name, path of a model folder, or Hugging Face hub id of a BERT or MPNet "
        "encoder",
    )
    max_tokens: int = Field(
        default=50, ge=3, le=512, description="tokens kept per sentence, [CLS] and [SEP] included"
    )


class AudioSettings(_Settings):
    """Audio features: prosody and timbre at 16 kHz, one row every 40 ms."""

    pitch_min_hz: float = Field(
        default=65.0, ge=32.0, le=1000.0, description="lowest F0 looked for, Hz"
    )
    pitch_max_hz: float = Field(
        default=500.0, ge=50.0, le=4000.0, description="highest F0 looked for, Hz"
    )
    silence_dbfs: float = Field(
        default=-60.0,
        ge=-120.0,
        le=0.0,
        description="level at or below which a row counts as unobserved, dB re full scale (RMS)",
    )

    @model_validator(mode="after")
    def _pitches_are_a_range(self) -> Self:
        if self.pitch_min_hz >= self.pitch_max_hz:
            raise ValueError(
                f"pitch_min_hz={self.pitch_min_hz:g} is not below "
                f"pitch_max_hz={self.pitch_max_hz:g}: no pitch lies between them"
            )
        return self


class VisionSettings(_Settings):
    """Vision features: expression and head pose from the MediaPipe Face Landmarker."""

    model: str = Field(
        default="face_landmarker",
        min_length=1,
        description="asset name, or path of a face landmarker .task file",
    )
    fps: float = Field(default=10.0, gt=0.0, le=60.0, description="rows per second")
    landmarks: bool = Field(
        default=False, description="add the 478 landmarks (x, y, z) to each row"
    )
    max_faces: int = Field(
        default=4, ge=1, le=10, description="faces looked for in a frame; one person is followed"
    )
    max_side: int = Field(
        default=1280,
        ge=128,
        le=8192,
        description="longer frames are scaled down to this side, pixels",
    )


class SpeechSettings(_Settings):
    """Speech recognition, for clips without a transcript."""

    model: str = Field(
        default="whisper-tiny.en",
        min_length=1,
        description="asset name, path of a CTranslate2 folder, or faster-whisper hub id; none: no "
        "words are recognised",
    )
    beam_size: int = Field(default=1, ge=1, le=10, description="beams of the decoder")


class SentenceSettings(_Settings):
    """A corpus of rated sentences: where it is, its scale, and what it is used for."""

    label_range: tuple[float, float] = Field(description="least and greatest rating")
    language: str = Field(pattern=r"^[a-z]{2,3}$", description="ISO 639 code")
    archive: str | None = Field(
        description="asset it is read from; null: what `lnln import-sentences` wrote"
    )
    splits: dict[Split, list[str]] | None = Field(
        description="sources of each split; null: as the table says, which only an import has"
    )

    @field_validator("label_range")
    @classmethod
    def _the_least_comes_first(cls, ends: tuple[float, float]) -> tuple[float, float]:
        if not -math.inf < ends[0] < ends[1] < math.inf:
            raise ValueError(f"{list(ends)} is no range: the least rating comes first")
        return ends

    @model_validator(mode="after")
    def _splits_divide_the_sources(self) -> Self:
        if self.splits is None:
            if self.archive is not None:
                raise ValueError("an archive has no splits of its own: name the sources of each")
            return self
        named = [source for sources in self.splits.values() for source in sources]
        twice = sorted({source for source in named if named.count(source) > 1})
        if twice:
            raise ValueError(f"the source {twice[0]!r} stands in splits twice")
        return self


class RunSettings(_Settings):
    """How the work is done; nothing here changes a result."""

    executor: Literal["local", "ray"] = Field(
        default="local", description="where the workers are: on this machine, or on a Ray cluster"
    )
    address: str = Field(
        default="",
        pattern=r"^([^/\s]+:\d+)?$",
        description="of the Ray cluster (host:port); empty: that of RAY_ADDRESS, else the one "
        "running on this machine, else one started for the run",
    )
    workers: int = Field(
        default=0,
        ge=0,
        description="worker processes; 0: one per available core of the machine or cluster",
    )
    timeout_s: float = Field(default=60.0, gt=0.0, description="time any clip may take, s")
    timeout_factor: float = Field(
        default=20.0, ge=0.0, description="time a clip may take on top, per second of its duration"
    )
    memory_mb: int = Field(
        default=4000,
        gt=0,
        description="resident memory at which a worker is stopped, MB; usually it has under 1000",
    )
    offline: bool = Field(default=False, description="never download an asset")
    cache: str = Field(
        default="",
        description="folder or fsspec URL where each clip's features are kept; empty: nowhere",
    )


class ExtractorSettings(_Settings):
    """All settings that `extractors.extract` takes."""

    language: str = Field(
        default="en", pattern=r"^[a-z]{2,3}$", description="spoken in the clips, ISO 639 code"
    )
    text: TextSettings = TextSettings()
    audio: AudioSettings = AudioSettings()
    vision: VisionSettings = VisionSettings()
    speech: SpeechSettings = SpeechSettings()
    run: RunSettings = RunSettings()
