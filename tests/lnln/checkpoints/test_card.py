"""Model cards: data, parameters, metrics and limits, and nothing about the machine."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard

from lnln.checkpoints.card import model_card, write_card
from lnln.checkpoints.checkpoint import Checkpoint, save, weights_of
from lnln.checkpoints.intervals import Intervals
from lnln.data.features import FeatureSet
from lnln.data.language import LanguageEncoder
from lnln.data.normalisation import Normalisation

TRAINING = {
    "settings": {"learning_rate": 1e-4, "epochs": 3},
    "valid_rates": [0.0, 0.5],
    "best_epoch": 2,
    "clips": {"train": 8, "valid": 4},
    "validation": {"mae": 1.23456, "corr": None},
}


@pytest.fixture(scope="module")
def clips(make_set: Callable[..., FeatureSet]) -> FeatureSet:
    return make_set("train", 8)


@pytest.fixture
def checkpoint(make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet) -> Checkpoint:
    return make_checkpoint(
        clips,
        training=TRAINING,
        notice="trained on a toy",
        transcription={"language": "en", "speech": {"model": "/home/me/whisper", "beam_size": 1}},
    )


def card(checkpoint: Checkpoint) -> str:
    sizes = {name: weight.numel() for name, weight in weights_of(checkpoint.model).items()}
    return model_card(checkpoint.config, sizes)


def test_card_has_data_parameters_metrics_and_limits(checkpoint: Checkpoint) -> None:
    text = card(checkpoint)
    for heading in ("Use", "Data", "Parameters", "Metrics", "Limits"):
        assert f"\n## {heading}\n" in text
    assert "Dataset `toy`; clips: 8 train, 4 valid." in text
    assert "| audio | 4 | 20 | lnln extract | fps 10 | - |" in text
    assert "| settings.learning_rate | 0.0001 |" in text
    assert "| lnln.variant | paper |" in text
    assert "| best_epoch | 2 |" in text
    assert "validation split, means over the missing rates 0, 0.5.\n" in text
    assert "| mae | 1.2346 |" in text and "| corr | - |" in text
    assert "**This model was trained on a toy.**" in text
    for word in ("must not decide about people", "biometric", "flatter", "load(", "predict("):
        assert word in text


def test_card_says_whose_mean_is_taken_out(checkpoint: Checkpoint, clips: FeatureSet) -> None:
    assert "z-scored over the observed rows of the training split" in card(checkpoint)
    normalisation = Normalisation.fit(clips, "speaker")
    config = checkpoint.config.model_copy(update={"normalisation": normalisation})
    text = card(Checkpoint(checkpoint.model, config))
    assert "z-scored over the observed rows of each speaker" in text
    assert "--speaker-pattern" in text


def test_card_tells_intervals_and_why_w_is_not_shown(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet
) -> None:
    intervals = Intervals(level=0.9, edges=(0.4,), half_widths=(2.25, 1.1), clips=(31, 52))
    validation = {"mae": 1.0, "w_mae": 0.3, "w_corr": 0.1}
    text = card(make_checkpoint(clips, intervals=intervals, training={"validation": validation}))
    assert "holds the label of 90% of clips" in text
    assert "| 0% to 40% | ± 2.25 | 31 |\n| 40% to 100% | ± 1.10 | 52 |\n" in text
    assert "\n- w is not shown: on the validation split it does not follow" in text
    without = card(make_checkpoint(clips, training=TRAINING))
    assert "Intervals are not known" in without and "w is not shown" not in without


def test_card_tells_of_sentences_that_were_trained_with(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, checkpoint: Checkpoint
) -> None:
    assert "rated sentences" not in card(checkpoint)
    training = TRAINING | {"sentences": {"rated": 640, "mine": 12}}
    text = card(make_checkpoint(clips, training=training))
    told = (
        "Every epoch of training also read rated sentences, clips of which only words are\nknown: "
    )
    assert f"8 train, 4 valid. {told}640 of `rated`, 12 of `mine`.\n\n| modality" in text
    assert "| sentences." not in text


def test_hub_can_read_the_card(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save(tmp_path, checkpoint)
    write_card(tmp_path)
    assert (tmp_path / "README.md").read_text("utf-8") == card(checkpoint)
    found = ModelCard.load(tmp_path / "README.md").data
    assert (found.library_name, found.language) == ("lnln", "en")
    assert "arxiv:2409.20012" in found.tags
    _, front, _ = (tmp_path / "README.md").read_text("utf-8").split("---\n", 2)
    assert "lnln" in yaml.safe_load(front)["tags"]


def test_card_names_no_folder_of_the_machine(checkpoint: Checkpoint) -> None:
    settings = {"model": "/home/me/bert | base", "other": "C:\\models\\bert", "third": "~/bert"}
    info = checkpoint.config.features["text"].model_copy(update={"settings": settings})
    features = checkpoint.config.features | {"text": info}
    config = checkpoint.config.model_copy(update={"features": features})
    text = card(Checkpoint(checkpoint.model, config))
    assert "/home" not in text and "C:" not in text and "~" not in text
    assert "speech.model whisper," in text
    assert r"model bert \| base, other bert, third bert" in text


def test_card_tells_weights_of_a_finetuned_language_model(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet, bert: Path
) -> None:
    frozen = card(make_checkpoint(clips))
    assert "a frozen language model, which is not in these files" in frozen
    encoder = LanguageEncoder.from_folder(bert)
    count = sum(p.numel() for p in encoder.parameters())
    assert f"{count:,} in its language model" in card(make_checkpoint(clips, language=encoder))


def test_card_of_a_model_without_a_history_says_so(
    make_checkpoint: Callable[..., Checkpoint], clips: FeatureSet
) -> None:
    text = card(make_checkpoint(clips))
    assert "clips: not known." in text
    assert "None is known: evaluate it before you use it." in text
