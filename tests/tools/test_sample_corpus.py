"""The committed sample corpus keeps what its README promises (no speech synthesis needed)."""

import csv
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest

CORPUS = Path(__file__).resolve().parents[2] / "data" / "sample"


@pytest.fixture(scope="module")
def entries() -> list[dict[str, str]]:
    with (CORPUS / "label.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def clips(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    return [entry for entry in entries if not entry["broken"]]


def path_of(entry: dict[str, str]) -> Path:
    return CORPUS / "Raw" / entry["video_id"] / f"{entry['clip_id']}.mp4"


def test_corpus_is_at_most_15_megabytes() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) <= 15_000_000


def test_label_csv_and_files_name_the_same_clips(entries: list[dict[str, str]]) -> None:
    listed = {path_of(entry) for entry in entries if entry["broken"] != "outside_root"}
    assert listed == set((CORPUS / "Raw").rglob("*.*"))


def test_no_voice_is_in_two_splits(clips: list[dict[str, str]]) -> None:
    for column in ("video_id", "voice"):
        pairs = {(clip[column], clip["mode"]) for clip in clips}
        assert len(pairs) == len({value for value, _ in pairs}) >= 8


def test_no_sentence_is_in_two_splits(entries: list[dict[str, str]]) -> None:
    pairs = {(entry["spoken"] or entry["text"], entry["mode"]) for entry in entries}
    assert len(pairs) == len({sentence for sentence, _ in pairs})


def test_sentences_are_many_and_each_said_at_most_twice(clips: list[dict[str, str]]) -> None:
    counts = Counter(clip["spoken"] for clip in clips)
    assert len(counts) >= 300
    assert max(counts.values()) <= 2


def test_a_sentence_said_twice_is_meant_once_and_sarcastic_once(
    clips: list[dict[str, str]],
) -> None:
    meant = Counter(clip["spoken"] for clip in clips if clip["sarcasm"] == "0")
    sarcastic = Counter(clip["spoken"] for clip in clips if clip["sarcasm"] == "1")
    assert max(meant.values()) == max(sarcastic.values()) == 1
    assert sarcastic.keys() <= meant.keys()


def test_every_split_has_clips_of_both_signs_and_all_strengths(clips: list[dict[str, str]]) -> None:
    for split, least in (("train", 240), ("valid", 52), ("test", 60)):
        labels = np.array([float(clip["label"]) for clip in clips if clip["mode"] == split])
        assert len(labels) >= least
        assert -3 <= labels.min() < -2.5 and 2.5 < labels.max() <= 3
        assert abs(labels.mean()) < 0.4


def test_modalities_disagree_in_every_split(clips: list[dict[str, str]]) -> None:
    for split in ("train", "valid", "test"):
        for way in ("sarcasm", "flat_voice", "still_face"):
            assert any(clip[way] == "1" for clip in clips if clip["mode"] == split)


def test_sarcasm_contradicts_the_words(clips: list[dict[str, str]]) -> None:
    sarcastic = [clip for clip in clips if clip["sarcasm"] == "1"]
    assert 0.06 <= len(sarcastic) / len(clips) <= 0.1
    assert all(int(clip["text_grade"]) > 0 > float(clip["label"]) for clip in sarcastic)


def test_every_kind_of_incompleteness_is_in_every_split(clips: list[dict[str, str]]) -> None:
    kinds = {"no_audio", "silence", "no_face", "face_leaves", "no_transcript"}
    for split in ("train", "valid", "test"):
        roles = {clip["incomplete"] for clip in clips if clip["mode"] == split}
        assert roles - {""} == kinds
    incomplete = sum(clip["incomplete"] != "" for clip in clips)
    assert 0.06 <= incomplete / len(clips) <= 0.1


def test_only_clips_without_transcript_have_no_text(clips: list[dict[str, str]]) -> None:
    for clip in clips:
        assert (clip["text"] == "") == (clip["incomplete"] == "no_transcript")


def test_clips_have_the_streams_they_should(clips: list[dict[str, str]]) -> None:
    for clip in clips:
        with av.open(str(path_of(clip))) as container:
            (picture,) = container.streams.video
            assert picture.codec_context.name == "h264"
            assert (picture.width, picture.height, picture.average_rate) == (256, 256, 25)
            assert 2.0 <= picture.frames / 25 <= 5.04
            assert len(container.streams.audio) == (clip["incomplete"] != "no_audio")


def test_silent_clips_hold_digital_silence_and_others_do_not(clips: list[dict[str, str]]) -> None:
    silent = [clip for clip in clips if clip["incomplete"] == "silence"]
    spoken = [clip for clip in clips if clip["incomplete"] == ""][::20]
    for clip in silent + spoken:
        with av.open(str(path_of(clip))) as container:
            loudest = max(np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0))
        assert (loudest == 0) == (clip["incomplete"] == "silence")


def test_broken_entries_are_broken_in_the_way_they_say(entries: list[dict[str, str]]) -> None:
    broken = {entry["broken"]: entry for entry in entries if entry["broken"]}
    assert len(broken) == sum(entry["broken"] != "" for entry in entries) == 5

    assert path_of(broken["empty"]).stat().st_size == 0
    for kind in ("truncated", "not_a_video", "empty"):
        with pytest.raises(av.error.FFmpegError):
            av.open(str(path_of(broken[kind])))
    assert b"moov" not in path_of(broken["truncated"]).read_bytes()
    with av.open(str(path_of(broken["nothing_observed"]))) as container:
        assert not container.streams.video and broken["nothing_observed"]["text"] == ""
        assert all(not frame.to_ndarray().any() for frame in container.decode(audio=0))
    assert ".." in Path(broken["outside_root"]["video_id"]).parts
