"""`lnln import-mmsa` and `lnln export-mmsa`, through the stages between them."""

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner, Result

from contracts.features import feature_info, read_modality
from contracts.parquet import read_table
from pipeline.commands.main import app
from pipeline.stages import dataset, extract, incomplete, ingest, observe, segment, transcribe

WORDS = ("good", "bad", "film", "the")
Change = Callable[..., None]
Stages = Callable[[], None]


def lnln(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def stages(
    change: Change, make_bert: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Stages:
    """Run the stages before `train` on the dataset mosi, with a tiny BERT."""
    change("dataset", "mosi")
    change("run.workers", 1)
    change("mosi.text.model", str(make_bert(WORDS)), file="datasets.yaml")

    def run() -> None:
        for stage in (dataset, ingest, transcribe, segment):
            stage.main()
        for modality in ("text", "audio", "vision"):
            monkeypatch.setattr(sys, "argv", ["extract", modality])
            extract.main()
        observe.main()
        incomplete.main()

    return run


@pytest.mark.slow
def test_pickle_comes_out_as_it_went_in(
    project: Path, stages: Stages, mmsa: Any, write_pickle: Callable[..., Path]
) -> None:
    content = mmsa(WORDS)
    for split in content.values():
        for letter in "TAV":
            split[f"regression_labels_{letter}"] = split["regression_labels"] / 3
        split["regression_labels_V"][:2] = np.nan  # not judged by itself
    content["train"]["audio"][1, 0] = 0  # a row that was not observed
    result = lnln("import-mmsa", str(write_pickle(content)), "--dataset", "mosi")
    assert result.exit_code == 0, result.output
    assert "clips: 6 train, 3 valid, 3 test" in result.output
    stages()
    assert lnln("export-mmsa", "out.pkl").exit_code == 0
    with Path("out.pkl").open("rb") as file:
        found = pickle.load(file)
    for name, split in content.items():
        assert found[name].keys() == split.keys()
        order = np.argsort(split["id"])
        for field, values in split.items():
            if field != "text":  # hidden states are this model's own
                given = np.asarray(values)[order]
                kept = np.asarray(found[name][field])
                cut = tuple(slice(min(a, b)) for a, b in zip(given.shape, kept.shape, strict=True))
                np.testing.assert_array_equal(kept[cut], given[cut], err_msg=field)
                if (
                    given.dtype.kind in "fi" and field != "regression_labels_V"
                ):  # what is beyond is padding
                    assert np.abs(kept).sum() == pytest.approx(np.abs(given).sum(), rel=1e-5)
    first = {m: read_modality(Path("outputs/features") / m) for m in ("text", "audio", "vision")}
    manifest = read_table("outputs/manifest.parquet")
    assert lnln("import-mmsa", "out.pkl", "--dataset", "mosi").exit_code == 0
    stages()
    again = read_table("outputs/manifest.parquet")
    for column in set(manifest.column_names):
        assert again[column].equals(manifest[column]), column
    for modality, table in first.items():
        other = read_modality(Path("outputs/features") / modality).sort_by("clip_id")
        assert other.equals(table.sort_by("clip_id")), modality


@pytest.mark.slow
def test_export_is_read_as_the_published_loaders_read_it(
    project: Path, stages: Stages, mmsa: Any, write_pickle: Callable[..., Path]
) -> None:
    content = mmsa(WORDS)
    content["train"]["vision_lengths"] = [4] * 6
    content["train"]["vision"][:, 4:] = 0
    lnln("import-mmsa", str(write_pickle(content)), "--dataset", "mosi")
    stages()
    lnln("export-mmsa", "out.pkl")
    with Path("out.pkl").open("rb") as file:
        data = pickle.load(file)
    for mode, count in (("train", 6), ("valid", 3), ("test", 3)):
        text = data[mode]["text_bert"].astype(np.float32)
        vision = data[mode]["vision"].astype(np.float32)
        audio = data[mode]["audio"].astype(np.float32)
        labels = data[mode]["regression_labels"].astype(np.float32)
        assert (len(data[mode]["raw_text"]), len(data[mode]["id"]), len(labels)) == (count,) * 3
        assert data[mode]["text"].shape[:2] == (count, text.shape[2])
        for values, lengths in ((vision, "vision_lengths"), (audio, "audio_lengths")):
            mask = np.array(  # LNLN's: it fails where a length exceeds the padding
                [[1] * n + [0] * (values.shape[1] - n) for n in data[mode][lengths]]
            )
            assert mask.shape == values.shape[:2]
            assert not values[mask == 0].any()
        ends = text[:, 1].sum(axis=1).astype(int)
        assert (text[np.arange(count), 0, ends - 1] == 3).all()  # [SEP]
        assert labels[0].reshape(-1).shape == (1,)
    assert data["test"]["vision"].shape == (3, 4, 4)  # the padding of the training split
    assert max(data["test"]["vision_lengths"]) == 4


@pytest.mark.slow
def test_words_of_another_vocabulary_are_tokenised_anew(
    project: Path,
    stages: Stages,
    mmsa: Any,
    write_pickle: Callable[..., Path],
    change: Change,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = mmsa(WORDS)
    content["train"]["text_bert"][0, 0, 1] = 1  # [UNK], whatever the text says
    lnln("import-mmsa", str(write_pickle(content)), "--dataset", "mosi")
    stages()
    by_clip = read_modality("outputs/features/text")
    row = by_clip.filter(pc.equal(by_clip["clip_id"], "train0/0"))
    assert row["token_ids"][0].as_py()[1] == 1  # as text_bert says
    assert "words: token ids of text_bert, as they came" in capsys.readouterr().err
    vocabulary = tmp_path / "bert" / "vocab.txt"
    lines = vocabulary.read_text("utf-8").split()
    vocabulary.write_text("\n".join([*lines[:5], *reversed(lines[5:])]) + "\n", "utf-8")
    from transformers import BertTokenizerFast

    BertTokenizerFast(str(vocabulary)).save_pretrained(tmp_path / "bert")
    stages()
    text = read_modality("outputs/features/text")
    row = text.filter(pc.equal(text["clip_id"], "train0/0"))
    words = content["train"]["raw_text"][0].split()
    expected = [2, *(5 + WORDS[::-1].index(word) for word in words), 3]
    assert row["token_ids"][0].as_py() == expected
    assert feature_info(text).unk_id == 1
    assert "words: raw_text, tokenised anew" in capsys.readouterr().err
    for split in content.values():
        split["raw_text"] = [""] * len(split["id"])
    lnln("import-mmsa", str(write_pickle(content)), "--dataset", "mosi")
    stages()
    text = read_modality("outputs/features/text")
    row = text.filter(pc.equal(text["clip_id"], "train0/0"))
    ids, mask, _ = content["train"]["text_bert"][0]
    assert row["token_ids"][0].as_py() == ids[mask > 0].tolist()
    assert "there is no raw_text to compare them with" in capsys.readouterr().err


def test_hostile_pickle_is_one_message(project: Path) -> None:
    Path("bad.pkl").write_bytes(b"\x80\x04cposix\nsystem\n.")
    result = lnln("import-mmsa", "bad.pkl", "--dataset", "mosi")
    assert result.exit_code == 1
    assert "error: bad.pkl is refused: it holds posix.system" in result.output
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda split: split.pop("raw_text"), "valid: it has no raw_text"),
        (lambda split: split.update(audio=[np.ones((n, 5)) for n in (1, 2, 3)]), "valid: audio is"),
        (lambda split: split.update(audio_lengths=[-1, 2, 3]), "valid: audio_lengths holds -1"),
    ],
)
def test_odd_pickle_is_one_message(
    project: Path, mmsa: Any, write_pickle: Callable[..., Path], spoil: Any, told: str
) -> None:
    content = mmsa(WORDS)
    spoil(content["valid"])
    result = lnln("import-mmsa", str(write_pickle(content)), "--dataset", "mosi")
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert told in result.output
    assert not Path("data").exists()


def test_pickle_without_clips_and_folder_of_clips_are_one_message_each(
    project: Path, mmsa: Any, write_pickle: Callable[..., Path]
) -> None:
    empty = {
        name: {field: values[:0] for field, values in split.items()}
        for name, split in mmsa(WORDS).items()
    }
    result = lnln("import-mmsa", str(write_pickle(empty)), "--dataset", "mosi")
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "holds no clips" in result.output
    Path("data/mosi").mkdir(parents=True)
    Path("data/mosi/label.csv").touch()
    result = lnln("import-mmsa", str(write_pickle(mmsa(WORDS))), "--dataset", "mosi")
    assert "error: data/mosi holds label.csv already" in result.output
    result = lnln("import-mmsa", "gone.pkl", "--dataset", "sims")
    assert (result.exit_code, result.output) == (1, "error: gone.pkl is not there\n")


def test_unknown_dataset_lists_the_known_ones(project: Path) -> None:
    result = lnln("import-mmsa", "a.pkl", "--dataset", "mosy")
    assert "'mosy' is no section of datasets.yaml; known: sample, carrier, mosi" in result.output
