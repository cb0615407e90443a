"""A server whose extractors stand in for themselves: the models, words and scores are real."""

import copy
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

pytest.importorskip("fastapi", reason="pip install 'lnln[serve]'")

import uvicorn

from contracts.features import FeatureInfo, feature_row, feature_schema
from contracts.recordings import RECOGNITION, UTTERANCES
from contracts.schemas import MODALITIES, TRANSCRIPTS
from extractors import text
from extractors.api import Features
from extractors.audio.extractor import Rows
from extractors.settings import (
    AudioSettings,
    ExtractorSettings,
    SpeechSettings,
    TextSettings,
    VisionSettings,
)
from extractors.text.extractor import TextExtractor
from extractors.vision.extractor import FaceRows
from extractors.vision.faces import Face
from extractors.words import Word
from lnln.checkpoints.checkpoint import Checkpoint
from lnln.checkpoints.config import Config
from lnln.data.normalisation import Normalisation
from lnln.data.reading import from_tables
from lnln.explaining.reader import Reader
from lnln.models.registry import find
from lnln.settings import Shapes
from pipeline.serve.limits import Limits
from pipeline.serve.refusals import Refusal
from pipeline.serve.service import Service
from pipeline.serve.video.analysis import Analysis
from pipeline.serve.video.sides import Side
from pipeline.serve.web.app import create_app
from pipeline.serve.web.connections import Impatient
from pipeline.serve.web.security import Names
from tests.conftest import write_bert
from tests.pipeline.picture.made import blank
from tests.pipeline.serve.asking import VIDEO, Server

VOCABULARY = ("what", "a", "good", "bad", "day", "this", "was", "not")
DOUBTED = [Word("thanks", 1.3, 1.7, 0.1)]
HEARD = [Word("What", 0.2, 0.5, 0.9), Word("a", 0.5, 0.6, 0.9), Word("good", 0.6, 1.0, 0.4)]


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> TextExtractor:
    folder = write_bert(tmp_path_factory.mktemp("serve") / "bert", VOCABULARY)
    return text.build(TextSettings(model=str(folder), max_tokens=12))


def tables(words: TextExtractor, clips: Mapping[str, float], noise: int = 0) -> dict[str, pa.Table]:
    """Features of clips of 4 s: 25 rows of voice and 10 of face a second, the face seen late."""
    parts: dict[str, list[pa.Table]] = {m: [] for m in MODALITIES}
    infos = {
        "text": words.info(),
        "audio": FeatureInfo(
            modality="audio", names=("loud", "f0", "rms"), settings=AudioSettings().model_dump()
        ),
        "vision": FeatureInfo(
            modality="vision", names=("smile", "jaw"), settings=VisionSettings().model_dump()
        ),
    }
    for number, (clip_id, level) in enumerate(clips.items()):
        draw = np.random.default_rng([number, noise])
        voice = draw.normal(level, 1, (100, 3)).astype(np.float32)
        face = draw.normal(level, 1, (40, 2)).astype(np.float32)
        seen = np.arange(40) >= 10
        face[~seen] = 0
        rows = {
            "text": words.extract("What a good", HEARD),
            "audio": Rows(voice, np.full(100, True), 0.04, ["the sound is odd"]),
            "vision": FaceRows(face, seen, 0.1, [], Face("only", 1.0, 1)),
        }
        for m in MODALITIES:
            row = feature_row(infos[m], rows[m])
            parts[m].append(row.add_column(0, feature_schema(infos[m]).field(0), [[clip_id]]))
    return {m: pa.concat_tables(parts[m]).cast(feature_schema(infos[m])) for m in MODALITIES}


@pytest.fixture(scope="session")
def side(words: TextExtractor) -> Side:
    """A small network that was trained on nothing, which reads 3 s."""
    torch.manual_seed(0)
    clips = from_tables(**tables(words, {"a": 1.0, "b": -1.0}))
    kind = find("robust")
    shapes = Shapes(
        text_dim=8, audio_dim=3, vision_dim=2, text_length=12, audio_length=75, vision_length=30
    )
    network = kind.load()(kind.settings(width=4), shapes, None).eval()
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    settings = ExtractorSettings(text=words.settings, speech=SpeechSettings(model="none"))
    config = Config(
        model="robust",
        settings=kind.settings(width=4),
        shapes=shapes,
        normalisation=Normalisation.fit(clips),
        features={m: clips.modality(m).info for m in MODALITIES},
        transcription={"language": "en", "speech": settings.speech.model_dump()},
        metric_set="mosi",
        label_range=(-3, 3),
        dataset="toy",
    )
    checkpoint = Checkpoint(network, config)
    reader = Reader.from_folder(words.settings.model)
    return Side("toy (robust)", checkpoint, settings, words, reader)


@pytest.fixture(scope="session")
def analyse(words: TextExtractor, side: Side) -> Callable[..., Analysis]:
    """Makes the analysis of a video of one clip or of several: `analyse(file, clips, noise)`."""

    def make(
        file: Path, clips: int = 1, noise: int = 0, doubted: Sequence[Word] = (), **more: Any
    ) -> Analysis:
        names = {f"video#{number}": 1.0 - number for number in range(clips)}
        rows = [
            {
                "clip_id": name,
                "path": str(file),
                "sha256": "0",
                "start_s": 4.0 * number if clips > 1 else None,
                "end_s": 4.0 * number + 4 if clips > 1 else None,
                "duration_s": 4.0,
                "width": 320,
                "height": 240,
                "fps": 25.0,
                "has_audio": True,
                "has_video": True,
                "language": "en",
                "group": "video",
                "split": "new",
                "text": "",
                "recording_id": "video",
            }
            for number, name in enumerate(names)
        ]
        said = [
            {
                "clip_id": name,
                "text": "What a good",
                "source": "asr",
                "words": [word._asdict() for word in HEARD],
            }
            for name in names
        ]
        features = Features(
            pa.Table.from_pylist(rows, schema=UTTERANCES),
            pa.Table.from_pylist(said, schema=TRANSCRIPTS),
            **tables(words, names, noise),
            quarantine=[],
            warnings=[f"{next(iter(names))}: the sound is odd"],
            recognition=pa.Table.from_pylist(
                [
                    {"clip_id": name, "doubted": [w._asdict() for w in doubted], "warnings": []}
                    for name in names
                ],
                schema=RECOGNITION,
            ),
        )
        return Analysis(file, [(side.settings, features)], **more)

    return make


class Pretends:
    """Does what an `Analyst` does, by what the file says.

    A file with ``bad`` in it is refused; one with ``wait`` waits until `go` is set, or until it is
    given up; one with ``bug`` raises an error that nobody expected. In one with ``doubt`` a word
    is not believed; of one with ``drawing`` there is a picture.
    """

    def __init__(self, analyse: Callable[..., Analysis]) -> None:
        self.go = threading.Event()
        self.given_up = threading.Event()
        self.done = 0
        self._analyse = analyse

    def analyse(self, file: Path, tell: Callable[..., None]) -> Analysis:
        content = file.read_bytes()
        tell("measuring")
        if b"bad" in content:
            raise Refusal("This file cannot be used: not a readable video.")
        if b"bug" in content:
            raise KeyError("a bug")
        if b"wait" in content:
            while not self.go.wait(0.02):
                if self.given_up.is_set():
                    raise RuntimeError("given up")
        self.done += 1
        return self._analyse(
            file,
            doubted=DOUBTED if b"doubt" in content else (),
            subject=blank() if b"drawing" in content else None,
        )

    def damage(
        self, file: Path, damages: dict[str, float], seed: int, tell: Callable[..., None]
    ) -> Analysis:
        copy = file.with_name("damaged.mp4")
        copy.write_bytes(VIDEO)
        return self._analyse(copy, noise=5)

    def give_up(self) -> None:
        self.given_up.set()

    def tidy(self) -> None:
        pass


@contextmanager
def running(
    service: Service, folder: Path, analyst: Any, token: str | None = None, host: str = "127.0.0.1"
) -> Iterator[Server]:
    """Run a server in a thread, at a free port."""
    app = create_app(service, Names(host), token)
    config = uvicorn.Config(
        app,
        port=0,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
        http=Impatient,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Server(port, folder, analyst, service)
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def other(side: Side) -> Side:
    """A second model: the first one's opposite."""
    network = copy.deepcopy(side.checkpoint.model)
    with torch.no_grad():
        for weights in network.parameters():
            weights.neg_()
    return replace(side, name="other", checkpoint=replace(side.checkpoint, model=network))


@pytest.fixture
def serve(
    tmp_path: Path, analyse: Callable[..., Analysis], side: Side, other: Side
) -> Iterator[Callable[..., Server]]:
    """Starts a server: `serve(token=None, host="127.0.0.1", models=1, **limits)`."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(
            token: str | None = None, host: str = "127.0.0.1", models: int = 1, **limits: Any
        ) -> Server:
            folder = tmp_path / "uploads"
            folder.mkdir(mode=0o700)
            analyst = Pretends(analyse)
            bounds = replace(Limits(spare_bytes=0), **limits)
            service = Service(folder, analyst, [side, other][:models], bounds)
            return stack.enter_context(running(service, folder, analyst, token, host))

        yield start
