"""Subtitles as programs write them: words and their times, and nothing else."""

from pathlib import Path

import pytest

from extractors.datasets.transcripts.reading import read_transcript
from extractors.words import Word

SRT = "1\n00:00:00,500 --> 00:00:01,500\nHello there.\n\n2\n00:00:01,500 --> 00:00:02,000\nBye.\n"


def read(path: Path, content: str | bytes = SRT) -> tuple[str, list[Word]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_transcript(path)


def test_words_of_subtitles_have_the_times_of_their_cue(tmp_path: Path) -> None:
    text, words = read(tmp_path / "a.srt")
    assert text == "Hello there. Bye."
    assert words == [
        Word("Hello", 0.5, 1.5, None),
        Word("there.", 0.5, 1.5, None),
        Word("Bye.", 1.5, 2.0, None),
    ]


@pytest.mark.parametrize(
    "content",
    [
        SRT.encode("utf-8-sig"),
        SRT.replace("\n", "\r\n").encode("utf-8-sig"),
        SRT.replace("\n", "\r").encode(),
        SRT.encode("utf-16"),
        SRT.rstrip().encode(),
        ("\n\n" + SRT.replace("\n\n", "\n \n\n") + "\n\n").encode(),
        SRT.replace("1\n", "", 1).replace(",", ".").encode(),  # no number, other points
        SRT.replace("01,500\n", "01,500  X1:10 Y1:20\n").encode(),
    ],
    ids=["bom", "bom-crlf", "cr", "utf-16", "no-end", "blank-lines", "no-number", "coordinates"],
)
def test_subtitles_are_read_however_they_were_saved(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path / "a.srt", content)[0] == "Hello there. Bye."


def test_tags_are_no_words_and_comparisons_are(tmp_path: Path) -> None:
    said = "<i>He</i> said {\\an8}<font color='red'>a < b</font> and b > a"
    text, _ = read(tmp_path / "a.srt", SRT.replace("Hello there.", said))
    assert text == "He said a < b and b > a Bye."


def test_webvtt_is_read_with_its_voices_notes_styles_and_entities(tmp_path: Path) -> None:
    content = (
        "WEBVTT - a talk\nKind: captions\n\nNOTE not said\n\nSTYLE\n::cue { color: red }\n\n"
        "first\n00:01.000 --> 00:02.000 align:start\n<v Ann>Tea &amp; <00:01.500><c>cake</c></v>\n"
        "or both\n\n00:00:00.000 --> 00:00:01.000\n- Well,\n"
    )
    text, words = read(tmp_path / "a.vtt", content)
    assert text == "- Well, Tea & cake or both"  # by time, not by place in the file
    assert (words[-1].start_s, words[-1].end_s) == (1.0, 2.0)


def test_overlapping_cues_follow_each_other_by_their_begin(tmp_path: Path) -> None:
    content = "00:00:01,000 --> 00:00:03,000\nlater\n\n00:00:00,000 --> 00:00:02,000\nearlier\n"
    assert read(tmp_path / "a.srt", content)[0] == "earlier later"


def test_entity_beyond_all_characters_is_no_character(tmp_path: Path) -> None:
    file = tmp_path / "a.vtt"
    file.write_text(f"WEBVTT\n\n00:01.000 --> 00:02.000\n&lt; &#65; &#{'9' * 5000};\n", "utf-8")
    assert read_transcript(file)[0] == "< A \ufffd"
