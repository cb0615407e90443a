"""The committed carrier corpus keeps what its README promises (no speech synthesis needed)."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import av
import numpy as np
import pytest

from extractors.datasets.labels import read_labels
from pipeline.params import Dataset, load_datasets

CORPUS = Path(__file__).resolve().parents[2] / "data" / "carrier"
LEVELS = range(-3, 4)
TURNS = {"train": 2, "valid": 1, "test": 1}

Clip = dict[str, str]


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    with (CORPUS / "label.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def preset() -> Dataset:
    return load_datasets()["carrier"]


def path_of(clip: Clip) -> Path:
    return CORPUS / "Raw" / clip["video_id"] / f"{clip['clip_id']}.mp4"


def of(clips: list[Clip], split: str) -> list[Clip]:
    return [clip for clip in clips if clip["mode"] == split]


def labels(clips: list[Clip]) -> np.ndarray:
    return np.array([float(clip["label"]) for clip in clips])


def guesses(clips: list[Clip], *columns: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the test split, and the mean training label of clips alike in some columns."""
    alike = defaultdict(list)
    for clip in of(clips, "train"):
        alike[tuple(clip[c] for c in columns)].append(float(clip["label"]))
    test = of(clips, "test")
    means = [np.mean(alike[tuple(clip[c] for c in columns)] or 0.0) for clip in test]
    return labels(test), np.array(means)


def test_corpus_is_at_most_5_megabytes() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) <= 5_000_000


def test_label_csv_and_files_name_the_same_clips(clips: list[Clip]) -> None:
    listed = [path_of(clip) for clip in clips]
    assert sorted(listed) == sorted((CORPUS / "Raw").rglob("*.*"))
    assert len({path.read_bytes() for path in listed}) == len(listed)


def test_every_sentence_has_every_label_equally_often_in_every_split(clips: list[Clip]) -> None:
    sentences = {clip["text"] for clip in clips}
    assert len(sentences) == 12
    for split, turns in TURNS.items():
        counts = Counter((clip["text"], float(clip["label"])) for clip in of(clips, split))
        assert counts == {(s, level): turns for s in sentences for level in LEVELS}


def test_every_speaker_means_every_label_equally_often(clips: list[Clip]) -> None:
    counts: dict[str, Counter[float]] = defaultdict(Counter)
    for clip in clips:
        counts[clip["video_id"]][float(clip["label"])] += 1
    for said in counts.values():
        assert set(said) == set(LEVELS) and len(set(said.values())) == 1


def test_words_alone_cannot_beat_a_constant(clips: list[Clip]) -> None:
    test, told = guesses(clips, "text")
    assert np.ptp(told) == 0
    best = {
        text: np.median(labels([c for c in clips if c["text"] == text]))
        for text in {clip["text"] for clip in clips}
    }
    assert set(best.values()) == {np.median(test)}


def test_words_and_cue_together_do_not_tell_the_label(clips: list[Clip]) -> None:
    for split in TURNS:
        alike = defaultdict(list)
        for clip in of(clips, split):
            alike[clip["text"], clip["cue"]].append(float(clip["label"]))
        assert all(sum(same) == 0 for same in alike.values())


def test_numbers_of_clips_do_not_tell_the_label(clips: list[Clip]) -> None:
    test, told = guesses(clips, "clip_id")
    assert abs(np.corrcoef(test, told)[0, 1]) < 0.25  # chance: 0.11


def test_neither_voice_nor_face_suffices(clips: list[Clip]) -> None:
    for split in TURNS:
        for level in LEVELS:
            cues = Counter(c["cue"] for c in of(clips, split) if float(c["label"]) == level)
            assert cues["both"] == 2 * cues["voice"] == 2 * cues["face"] == 6 * TURNS[split]


def test_labels_of_single_modalities_are_what_each_expresses(clips: list[Clip]) -> None:
    for clip in clips:
        lost = clip["incomplete"]
        heard = "0" if clip["cue"] == "face" else clip["label"]
        seen = "0" if clip["cue"] == "voice" else clip["label"]
        assert clip["label_T"] == "0"
        assert clip["label_A"] == ("" if lost in ("no_audio", "silence") else heard)
        assert clip["label_V"] == ("" if lost == "no_face" else seen)
        assert not lost or clip["cue"] == "both"


def test_no_voice_is_in_two_splits(clips: list[Clip]) -> None:
    for column in ("video_id", "voice"):
        pairs = {(clip[column], clip["mode"]) for clip in clips}
        assert len(pairs) == len({value for value, _ in pairs}) == 14
        assert min(Counter(split for _, split in pairs).values()) >= 3


def test_voices_of_both_corpora_are_in_the_same_splits(clips: list[Clip]) -> None:
    with (CORPUS.parent / "sample" / "label.csv").open(newline="", encoding="utf-8") as lines:
        sample = {row["voice"]: row["mode"] for row in csv.DictReader(lines) if row["voice"]}
    assert all(sample.get(clip["voice"], clip["mode"]) == clip["mode"] for clip in clips)


def test_a_few_clips_of_every_split_have_gaps(clips: list[Clip]) -> None:
    for split, turns in TURNS.items():
        gaps = Counter(clip["incomplete"] for clip in of(clips, split) if clip["incomplete"])
        assert gaps == dict.fromkeys(("no_audio", "silence", "no_face", "face_leaves"), turns)


def test_clips_are_short_and_have_the_streams_they_should(
    clips: list[Clip], preset: Dataset
) -> None:
    for clip in clips:
        with av.open(str(path_of(clip))) as container:
            (picture,) = container.streams.video
            assert picture.codec_context.name == "h264"
            assert (picture.width, picture.height, picture.average_rate) == (160, 160, 25)
            assert 1.0 <= picture.frames / 25 <= preset.lengths.audio * 0.04
            assert len(container.streams.audio) == (clip["incomplete"] != "no_audio")


def test_only_silent_clips_are_silent(clips: list[Clip]) -> None:
    silent = [clip for clip in clips if clip["incomplete"] == "silence"]
    spoken = [clip for clip in clips if not clip["incomplete"]][::20]
    for clip in silent + spoken:
        with av.open(str(path_of(clip))) as container:
            loudest = max(np.abs(frame.to_ndarray()).max() for frame in container.decode(audio=0))
        assert (loudest == 0) == (clip["incomplete"] == "silence")


def test_the_preset_reads_all_of_it(clips: list[Clip], preset: Dataset) -> None:
    rows, rejected, _ = read_labels(CORPUS, preset.language)
    assert rejected == []
    assert [row["group"] for row in rows] == [clip["video_id"] for clip in clips]
    assert all(preset.label_range[0] <= row["label"] <= preset.label_range[1] for row in rows)
    assert preset.clips is not None
    assert Counter(row["split"] for row in rows) == preset.clips.model_dump()
