"""Memory does not grow with the length of a recording."""

import subprocess
import sys
from pathlib import Path

import pytest

from extractors.workers.worker import environment

MEASURE = """
import sys
from benchmarks.kept import peak_mb
from extractors.media.container import Clip, probe

kind, path = sys.argv[1:]
clip = Clip(path, 0.0, probe(path).duration_s)
if kind == "probe":
    from extractors.datasets.probing import Prober

    assert Prober().extract(path)[1].duration_s == clip.duration_s
elif kind == "audio":
    from extractors.audio.extractor import AudioExtractor
    from extractors.settings import AudioSettings

    found = AudioExtractor(AudioSettings()).extract(clip)
    assert len(found.values) > 24 * clip.duration_s and found.observed.mean() > 0.5
elif kind == "speech":
    from extractors.listening import parts_of
    from extractors.settings import SpeechSettings
    from extractors.speech.activity import VoiceActivity
    from extractors.speech.recognizer import SpeechRecognizer

    spans = parts_of(VoiceActivity().extract(clip).probabilities, clip.duration_s)
    recognizer = SpeechRecognizer(SpeechSettings(), offline=True)
    words = []
    for start_s, end_s in spans:  # as they are given to workers
        found = recognizer.extract(Clip(path, start_s, end_s - start_s), "en")
        words += [start_s + word.end_s for word in found.words]
    assert len(words) > clip.duration_s and words[-1] > clip.duration_s - 20
print(peak_mb())
"""


def peak_mb(kind: str, path: Path) -> float:
    """Peak resident memory of a fresh process that does one clip, MB."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kind, str(path)],
        env=environment(),
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "short_min", "long_min", "limit_mb"),
    [("probe", 10, 60, 300), ("audio", 2, 12, 600), ("speech", 2, 12, 1000)],
)
def test_six_times_the_length_takes_the_same_memory(
    long_video, kind, short_min, long_min, limit_mb
):
    short, long = (peak_mb(kind, long_video(minutes)) for minutes in (short_min, long_min))
    assert long < 1.1 * short
    assert long < limit_mb
