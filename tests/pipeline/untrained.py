"""A network that learned nothing, for features of real clips: what it answers means nothing."""

from pathlib import Path

import torch

CLIP = Path(__file__).parents[2] / "data" / "sample" / "Raw" / "adam" / "004.mp4"


def write_untrained(folder: Path) -> Path:
    """Write it as a checkpoint that reads 6 s."""
    from contracts.schemas import MODALITIES
    from extractors import extract
    from extractors.settings import ExtractorSettings, RunSettings
    from lnln.checkpoints.checkpoint import Checkpoint
    from lnln.checkpoints.config import Config
    from lnln.data.normalisation import Normalisation
    from lnln.data.reading import from_tables
    from lnln.models.registry import find
    from lnln.settings import Shapes

    settings = ExtractorSettings(run=RunSettings(workers=1, offline=True))
    features = extract(CLIP, settings)
    clips = from_tables(features.text, features.audio, features.vision)
    kind = find("robust")
    widths = {f"{m}_dim": clips.modality(m).values.shape[1] for m in MODALITIES}
    shapes = Shapes(**widths, text_length=40, audio_length=150, vision_length=60)
    torch.manual_seed(0)
    network = kind.load()(kind.settings(), shapes, None)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    config = Config(
        model="robust",
        settings=kind.settings(),
        shapes=shapes,
        normalisation=Normalisation.fit(clips),
        features={m: clips.modality(m).info for m in MODALITIES},
        transcription={"language": "en", "speech": settings.speech.model_dump()},
        metric_set="mosi",
        label_range=(-1000, 1000),  # so that no answer is cut off
        dataset="toy",
    )
    Checkpoint(network, config).save_pretrained(folder)
    return folder
