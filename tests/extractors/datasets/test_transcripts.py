"""Words that come with new videos: whose they are, and what is wrong with those that are no use."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contracts.quarantine import Rejected
from contracts.schemas import MANIFEST
from extractors.datasets.listing import Listing
from extractors.datasets.transcripts.giving import Given, with_transcripts
from extractors.errors import TranscriptError
from extractors.words import Word

SRT = "1\n00:00:00,500 --> 00:00:01,500\nHello there.\n\n2\n00:00:01,500 --> 00:00:02,000\nBye.\n"
FILLED: dict[str, Any] = {
    "sha256": "",
    "duration_s": 3.0,
    "has_audio": True,
    "has_video": True,
    "language": "en",
    "split": "new",
    "text": "",
}


def listing(*paths: str, unreadable: tuple[str, ...] = ()) -> Listing:
    """Videos that nobody opened, named by their last two components."""
    rows = [
        FILLED | {"clip_id": "/".join(Path(path).parts[-2:]), "path": path, "group": path}
        for path in paths
    ]
    rejected = [Rejected(path, path, "ingest", "the file is empty") for path in unreadable]
    return Listing(pa.Table.from_pylist(rows, schema=MANIFEST), rejected, [])


def texts(given: Given) -> dict[str, str]:
    rows = given.listing.manifest.select(["clip_id", "text"]).to_pylist()
    return {row["clip_id"]: row["text"] for row in rows}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, content: str | bytes = SRT) -> str:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.srt", "1\nHello there.\n", "a.srt, line 2: 'Hello there.' is not the times of a cue"),
        ("a.srt", f"{SRT}\nlost words\n", "a.srt, line 9: 'lost words' is not the times"),
        ("a.srt", SRT.replace("00:00:01,500 -->", "00:01.5x -->"), "a.srt, line 6: "),
        ("a.srt", SRT.replace("00:00:02,000", "00:00:01,000"), "line 6: the cue ends at 1 s, befo"),
        ("a.srt", SRT.replace("\n\n", "\n"), "line 5: times in the midst of a cue"),
        ("a.srt", SRT.replace("00:00:00,500", "00:75:00,500"), "line 2: '00:75:00,500"),
        (
            "a.srt",
            SRT.replace("00:00:02,000", "9" * 5000 + ":00:02,000"),
            "line 6: '00:00:01,500 --> 9999",
        ),
        ("a.vtt", SRT, "a.vtt, line 1: a WebVTT file begins with WEBVTT"),
        ("a.srt", SRT.encode() + "caf\xe9".encode("latin-1"), "line 8 is not UTF-8; save it as UT"),
        ("a.txt", b"words\n\0\0", "a.txt, line 2 is no text"),
        ("a.srt", b"\xff\xfeH\0e", "a.srt, line 1 is not UTF-16"),
    ],
)
def test_malformed_transcript_costs_its_video_and_names_file_and_line(
    folder: Path, name: str, content: str | bytes, told: str
) -> None:
    write(name, content)
    write("b.txt", "fine")
    given = with_transcripts(listing("a.mp4", "b.mp4"), "beside", "en")
    assert texts(given) == {"b.mp4": "fine"}
    ((clip_id, path, stage, reason),) = given.listing.quarantine
    assert (clip_id, path, stage) == ("a.mp4", "a.mp4", "transcribe")
    assert told in reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.srt", ""),
        ("a.vtt", "WEBVTT\n"),
        ("a.txt", " \n"),
        ("a.vtt", ""),
        ("a.srt", b"\xef\xbb\xbf"),
    ],
)
def test_transcript_without_words_counts_as_none_and_is_told_of(
    folder: Path, name: str, content: str | bytes
) -> None:
    write(name, content)
    given = with_transcripts(listing("a.mp4"), "beside", "en")
    assert texts(given) == {"a.mp4": ""}
    assert given.listing.warnings == [
        f"{name} has no words: it counts as no transcript",
        "1 of 1 videos have no transcript (beside): a.mp4",
    ]


def test_files_beside_the_videos_are_theirs_alone(folder: Path) -> None:
    write("in/ann/001.srt")
    write("in/bob/001.txt", "of  bob,\nplainly")
    write("in/talk.en.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nin English\n")
    write("in/talk.de.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nauf Deutsch\n")
    videos = ("in/ann/001.mp4", "in/bob/001.mp4", "in/talk.mp4", "in/ann/002.mp4")
    given = with_transcripts(listing(*videos), "beside", "en")
    assert texts(given) == {
        "ann/001.mp4": "Hello there. Bye.",
        "bob/001.mp4": "of bob, plainly",
        "in/talk.mp4": "in English",
        "ann/002.mp4": "",
    }
    assert given.listing.warnings == ["1 of 4 videos have no transcript (beside): ann/002.mp4"]
    assert given.words["ann/001.mp4"][0] == Word("Hello", 0.5, 1.5, None)
    assert given.words["bob/001.mp4"] == []


def test_folder_has_the_files_of_its_videos_and_may_have_others(folder: Path) -> None:
    write("words/ann/001.srt")
    write("words/bob/001.txt", "of bob")
    write("words/eve/001.txt", "of a video that is not asked for")
    given = with_transcripts(listing("in/ann/001.mp4", "in/bob/001.mp4"), Path("words"), "en")
    assert texts(given) == {"ann/001.mp4": "Hello there. Bye.", "bob/001.mp4": "of bob"}
    assert given.listing.warnings == []


def test_single_file_is_that_of_the_single_video_whatever_its_name(folder: Path) -> None:
    write("words.srt")
    assert texts(with_transcripts(listing("in/a.mp4"), "words.srt", "en")) == {
        "in/a.mp4": "Hello there. Bye."
    }
    with pytest.raises(TranscriptError, match=r"words\.srt is the transcript of one video.*are 2"):
        with_transcripts(listing("in/a.mp4", "in/b.mp4"), "words.srt", "en")


def test_table_names_videos_by_as_much_as_tells_them_apart(folder: Path) -> None:
    write(
        "t.csv",
        b"\xef\xbb\xbffile,text,mood\r\n"
        b'ann/001.mp4,"Well, ""this""\r\nis  it",good\r\n'
        b"bob\\001,Mine,\r\n"
        b"two.mp4,,\r\n"
        + f"{folder}/in/three.mp4,By its path,\r\n".encode()
        + "caf\u00e9,Composed,\r\n".encode(),
    )
    videos = ("in/ann/001.mp4", "in/bob/001.mp4", "two.mp4", "in/three.mp4", "cafe\u0301.mp4")
    given = with_transcripts(listing(*videos), "t.csv", "en")
    assert list(texts(given).values()) == [
        'Well, "this" is it',
        "Mine",
        "",
        "By its path",
        "Composed",
    ]
    assert given.listing.warnings == ["1 of 5 videos have no transcript (t.csv): two.mp4"]


def test_label_csv_of_a_dataset_is_such_a_table(folder: Path) -> None:
    write("label.csv", "video_id,clip_id,text,label,mode\nann,001,Hello,1,test\n")
    given = with_transcripts(listing("Raw/ann/001.mp4"), "label.csv", "en")
    assert texts(given) == {"ann/001.mp4": "Hello"}


def test_line_of_a_video_that_is_not_there_is_told_of(folder: Path) -> None:
    write("t.csv", "file,text\na.mp4,Hello\nb.mp4,Bye\nc.mp4,Again\n")
    given = with_transcripts(listing("a.mp4", unreadable=("c.mp4",)), "t.csv", "en")
    assert texts(given) == {"a.mp4": "Hello"}
    assert given.listing.warnings == [
        "1 of 3 texts in t.csv are of none of the videos, the first of b.mp4 (t.csv, line 3)"
    ]


def test_two_transcripts_of_a_video_are_refused(folder: Path) -> None:
    write("a.srt")
    write("a.vtt", "WEBVTT\n")
    given = with_transcripts(listing("a.mp4", "b.mp4"), "beside", "en")
    assert [row.reason for row in given.listing.quarantine] == [
        "2 transcripts: a.srt and a.vtt; keep one of them"
    ]
    assert list(texts(given)) == ["b.mp4"]
    write("t.csv", "file,text\na.mp4,Hello\na,Bye\n")
    given = with_transcripts(listing("a.mp4"), "t.csv", "en")
    assert "t.csv, line 2 and t.csv, line 3" in given.listing.quarantine[0].reason
    assert given.listing.warnings == []


def test_transcript_that_fits_two_videos_is_refused(folder: Path) -> None:
    write("words/001.srt")
    given = with_transcripts(listing("in/ann/001.mp4", "in/bob/001.mp4"), "words", "en")
    assert given.listing.manifest.num_rows == 0
    assert {row.reason for row in given.listing.quarantine} == {
        "words/001.srt fits 2 videos by its name: name their folders, too"
    }


def test_words_after_the_end_of_the_video_are_told_of(folder: Path) -> None:
    write("a.srt", SRT.replace("00:00:0", "00:10:0"))
    given = with_transcripts(listing("a.mp4"), "beside", "en")
    assert given.listing.warnings == [
        "a.srt has words at 601.5 s, but a.mp4 lasts 3.0 s: is it of another video?"
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "t.csv lacks the column file, text"),
        ("name,text\na,b\n", "t.csv lacks the column file"),
        ("file,text,text\na,b,c\n", "t.csv has 2 columns 'text'"),
        ('file,text\na,"b\nc,d\n', "t.csv, line 2: a double quote opens here, and none closes"),
        ("file,text\na.mp4,Well, this is it\n", "t.csv, line 2: more fields than columns"),
        ("file,text\n,Hello\n", "t.csv, line 2: file is empty"),
        ("file,text\na.mp4,caf\xe9\n".encode("latin-1"), "t.csv is not UTF-8"),
    ],
)
def test_table_that_cannot_be_read_stops_the_work(
    folder: Path, content: str | bytes, told: str
) -> None:
    write("t.csv", content)
    with pytest.raises(TranscriptError, match=told):
        with_transcripts(listing("a.mp4"), "t.csv", "en")


def test_what_is_no_transcript_stops_the_work(folder: Path) -> None:
    write("a.docx", b"")
    with pytest.raises(TranscriptError, match=r"a\.docx is no transcript.*\.srt, \.vtt, \.txt"):
        with_transcripts(listing("a.mp4"), "a.docx", "en")
    with pytest.raises(TranscriptError, match=r"b\.srt: no such file or folder"):
        with_transcripts(listing("a.mp4"), "b.srt", "en")


def test_videos_at_urls_have_theirs_in_a_folder_or_a_table(folder: Path) -> None:
    write("t.csv", "file,text\nann/a.mp4,Hello\n")
    videos = listing("s3://bucket/ann/a.mp4")
    assert list(texts(with_transcripts(videos, "t.csv", "en")).values()) == ["Hello"]
    with pytest.raises(TranscriptError, match="'beside' is for videos on this machine"):
        with_transcripts(videos, "beside", "en")


def test_placeholders_of_a_table_are_no_transcripts_and_are_counted(folder: Path) -> None:
    write("t.csv", "file,text\na.mp4,nan\nb.mp4,None\nc.mp4,none\n,\n")
    given = with_transcripts(listing("a.mp4", "b.mp4", "c.mp4"), "t.csv", "en")
    assert texts(given) == {"a.mp4": "", "b.mp4": "", "c.mp4": "none"}
    assert given.listing.warnings == [
        "2 transcripts have no words and count as none, the first: t.csv, line 2",
        "2 of 3 videos have no transcript (t.csv): a.mp4, b.mp4",
    ]
