"""A tiny archive in the layout of vaderSentiment's."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
FILES = {
    "tweets_GroundTruth.txt": "1\t2.5\tSo &amp; good :)\r\n2\t-1.25\tNo.\r\n3\t0.5\tMaybe\x85",
    "tweets_anonDataRatings.txt": "1\t2.5\t0.5\t[3, 2]\r\n2\t3.0\t1.5\t[-1]\r\n3\t0.501\t0.25\t[0]",
    "movieReviewSnippets_GroundTruth.txt": "1\t-3.9\tDreadful   film by Truffaut’s cousin",
    "movieReviewSnippets_anonDataRatings.txt": "1\t-3.9\t0.1\t[-4]\r\n",
    "amazonReviewSnippets_GroundTruth.txt": "1_1\t0.25\tit works\r\n1_2\t1.5\tWell done!\r\n",
    "amazonReviewSnippets_anonDataRatings.txt": "\ufeff1_1\t0.25\t0.75\t[0]\r\n1_2\t1.5\t0.1\t[1]",
    "nytEditorialSnippets_GroundTruth.txt": "1_1\t-0.5\tIt works.\r\n1_2\t1\twell, DONE\r\n",
    "nytEditorialSnippets_anonDataRatings.txt": "1_1\t-0.5\t0\t[0]\r\n1_2\t1\t0.3\t[1]\r\n",
}
WriteArchive = Callable[..., Path]


@pytest.fixture
def write_archive(tmp_path: Path) -> WriteArchive:
    """Write the archive: `write_archive(changes={name: content or None}, inner=bytes or None)`."""

    def write(changes: dict[str, bytes | None] | None = None, packed: bytes | None = None) -> Path:
        contents = {name: text.encode() for name, text in FILES.items()} | (changes or {})
        if packed is None:
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w:gz") as tape:
                for name, content in contents.items():
                    if content is not None:
                        member = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}")
                        member.size = len(content)
                        tape.addfile(member, io.BytesIO(content))
            packed = buffer.getvalue()
        path = tmp_path / "vaderSentiment-0.5.zip"
        with zipfile.ZipFile(path, "w") as outer:
            outer.writestr("vaderSentiment-0.5/setup.py", "raise SystemExit('it was run')")
            outer.writestr(f"vaderSentiment-0.5/{INNER}", packed)
        return path

    return write
