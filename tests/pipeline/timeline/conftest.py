"""Timelines of made-up predictions."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from contracts.recordings import RECOGNITION, UTTERANCES
from contracts.schemas import TRANSCRIPTS
from extractors.clips import Clips
from lnln.prediction import Prediction
from pipeline.timeline.means import mean_of
from pipeline.timeline.recording import Timeline, by_recording, to_table
from pipeline.timeline.scoring import Scored

MakeScored = Callable[..., Scored]
Spoken = tuple[float, float, float | None, str]  # start and end, s; score; text


def utterance(number: int, spoken: Spoken, **more: Any) -> Prediction:
    start_s, end_s, score, text = spoken
    return Prediction(
        clip_id=f"talk.mp4/{number:04d}",
        prediction=score,
        low=None if score is None else score - 1,
        high=None if score is None else score + 1,
        w=None,
        observed={"text": float(bool(text)), "audio": 1.0, "vision": 0.5},
        text=text,
        text_source="asr" if text else "none",
        duration_s=end_s - start_s,
        **more,
    )


@pytest.fixture
def scored() -> MakeScored:
    """Makes what is said of one recording: `scored((0.0, 2.0, 1.5, "text"), ...)`."""

    def make(*spoken: Spoken, warnings: tuple[str, ...] = ()) -> Scored:
        predictions = [
            utterance(number, each, warnings=list(warnings))
            for number, each in enumerate(spoken, start=1)
        ]
        rows = [
            {
                "clip_id": prediction.clip_id,
                "recording_id": "talk.mp4",
                "path": "talk.mp4",
                "sha256": "0",
                "start_s": each[0],
                "end_s": each[1],
                "duration_s": each[1] - each[0],
                "has_audio": True,
                "has_video": True,
                "language": "en",
                "group": "talk.mp4",
                "split": "new",
                "text": "",
            }
            for prediction, each in zip(predictions, spoken, strict=True)
        ]
        said = [
            {
                "clip_id": prediction.clip_id,
                "text": prediction.text,
                "source": prediction.text_source,
                "words": [
                    {"word": word, "start_s": 0.25, "end_s": 0.5, "probability": 0.9}
                    for word in prediction.text.split()
                ],
            }
            for prediction in predictions
        ]
        clips = Clips(
            pa.Table.from_pylist(rows, schema=UTTERANCES),
            pa.Table.from_pylist(said, schema=TRANSCRIPTS),
            RECOGNITION.empty_table(),
            [],
            [],
        )
        return Scored(clips, {"talk.mp4"}, predictions, [], [])

    return make


@pytest.fixture
def made(scored: MakeScored) -> Callable[..., Timeline]:
    """Makes a timeline of what `scored` takes."""

    def make(*spoken: Spoken) -> Timeline:
        result = scored(*spoken)
        of_recording = by_recording(result)
        means = [mean_of(name, 60.0, parts) for name, parts in of_recording.items()]
        about = {"label_range": (-3.0, 3.0), "interval_level": 0.8, "notice": "trained <here> -->"}
        return Timeline(to_table(result, ()), means, about, [], ["odd"], result.clips)

    return make
