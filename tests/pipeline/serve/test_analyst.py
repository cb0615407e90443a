"""Real files through the one session: what cannot be read is told, and nothing of it is kept."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from extractors import Session
from extractors.settings import RunSettings
from pipeline.serve.limits import Limits
from pipeline.serve.refusals import Refusal
from pipeline.serve.video.analyst import Analyst
from pipeline.serve.video.sides import Side


def write_long(path: Path, hours: float) -> None:
    """Write a small video of hours, with a frame every eight seconds."""
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for stamp in range(0, round(hours * 36000) + 1, 80):  # longer gaps would be closed up
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            frame.pts = stamp
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    cache = tmp_path_factory.mktemp("analyst") / "features"
    with (
        pytest.MonkeyPatch.context() as environment,
        Session(RunSettings(workers=1, offline=True, cache=str(cache))) as session,
    ):
        environment.delenv("LNLN_CACHE", raising=False)
        yield session


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("text", "not a readable video or sound file"),
        ("four hours", "240 minutes long; this server takes up to 30 minutes"),
    ],
)
def test_file_that_is_not_taken_is_told_why_and_nothing_is_kept(
    session: Session, side: Side, tmp_path: Path, kind: str, reason: str
) -> None:
    file = tmp_path / "video"
    if kind == "text":
        file.write_text("This is no video, whatever it is called.\n" * 50, "utf-8")
    else:
        write_long(file, 4)
    cache = Path(session.cache.url)
    told: set[str] = set()
    with pytest.raises(Refusal, match=reason):
        Analyst(session, cache, [side], Limits()).analyse(file, lambda step, _=None: told.add(step))
    assert told == {"opening the file"}
    assert list(cache.glob("*")) == []
