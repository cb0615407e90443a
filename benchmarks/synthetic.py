"""What `benchmarks/training.py` runs on: clips of given lengths, language models, two steps."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from direct import Direct
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from contracts.features import FeatureInfo
from extractors.assets.resolving import resolve
from lnln.data.batches import Layout, collate
from lnln.data.encoding import encode
from lnln.data.features import FeatureSet, ModalityFeatures, TextFeatures
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.data.packing import split
from lnln.missing.dropping import SentenceCache, drop
from lnln.missing.masks import Masks
from lnln.models.lnln import losses
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import LNLNSettings, LossWeights, Variant
from lnln.settings import Shapes

FULL = {"text": 50, "audio": 375, "vision": 500}  # greatest lengths, as published for MOSI
WIDTHS = {"audio": 5, "vision": 20}
LIKE_MOSI = {"text": (5, 15, 50), "audio": (20, 90, 375), "vision": (20, 120, 500)}
CLS, SEP, UNK, WORDS = 101, 102, 100, (1000, 30000)


class Lookup(nn.Module):
    """Stands for BERT where BERT is left out: a state per token, which costs nothing."""

    def __init__(self, width: int = 768) -> None:
        super().__init__()
        self.width = width
        states = torch.randn(WORDS[1], width, generator=torch.Generator().manual_seed(0))
        self.states = nn.Parameter(states, requires_grad=False)

    def forward(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        return self.states[token_ids]


def language_model(name: str, finetuned: bool) -> nn.Module:
    """Build a language model without dropout, so that two passes can be compared."""
    if name == "none":
        return Lookup()
    kind = LanguageEncoder if finetuned else FrozenLanguageEncoder
    torch.manual_seed(0)
    found = (
        kind.from_folder(resolve("minilm", offline=True))
        if name == "MiniLM"
        else kind(BertModel(BertConfig()))  # the size of BERT-base
    )
    for module in found.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return found


def clips_of(counts: dict[str, np.ndarray], language: nn.Module, seed: int = 0) -> FeatureSet:
    """Make clips of so many rows."""
    random = np.random.default_rng(seed)
    offsets = {name: np.cumsum([0, *found]) for name, found in counts.items()}
    rows = {name: int(ends[-1]) for name, ends in offsets.items()}
    made = {
        name: ModalityFeatures(
            FeatureInfo(modality=name, names=()),
            offsets[name],
            random.normal(size=(rows[name], width)).astype(np.float32),
            np.ones(rows[name], dtype=bool),
            np.full(rows[name], np.nan),
        )
        for name, width in WIDTHS.items()
    }
    special = np.zeros(rows["text"], dtype=bool)
    ids = random.integers(*WORDS, rows["text"])
    first, last = offsets["text"][:-1], offsets["text"][1:] - 1
    special[first] = special[last] = True
    ids[first], ids[last] = CLS, SEP
    text = TextFeatures(
        FeatureInfo(modality="text", names=(), unk_id=UNK, pad_id=0),
        offsets["text"],
        np.zeros((rows["text"], language.width), dtype=np.float32),
        ~special,
        np.full(rows["text"], np.nan),
        ids,
        special,
    )
    for group in split(text.counts.tolist(), 64):  # what extraction stores
        for clip, states in zip(group, encode(language, text.take(group)), strict=True):
            text.values[text.rows(clip)] = states[: text.counts[clip]]
    labels = random.uniform(-3, 3, len(first)).astype(np.float32)
    ids_of_clips = tuple(f"{i:04}" for i in range(len(first)))
    return FeatureSet(ids_of_clips, text, made["audio"], made["vision"], labels)


def full(clips: int) -> dict[str, np.ndarray]:
    """Give every clip the greatest lengths."""
    return {name: np.full(clips, length) for name, length in FULL.items()}


def like_mosi(clips: int, apart: float, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw lengths like those of CMU-MOSI: least, mean and greatest of `LIKE_MOSI`.

    A clip's modalities last equally long, so that their rows go together: `apart` is the
    deviation (of the logarithm) by which they do not.
    """
    random = np.random.default_rng(seed)
    duration = random.gamma(1.5, 1 / 1.5, clips)  # mean 1
    counts = {}
    for name, (least, mean, greatest) in LIKE_MOSI.items():
        own = np.exp(random.normal(-(apart**2) / 2, apart, clips))
        drawn = least + (mean - least) * duration * own
        counts[name] = np.clip(np.round(drawn), least, greatest).astype(np.int64)
    return counts


@dataclass
class Contest:
    """Our network and the direct one, with the same weights, on the same clips."""

    variant: Variant
    language: nn.Module
    finetuned: bool

    def __post_init__(self) -> None:
        self.shapes = Shapes(
            text_dim=self.language.width,
            audio_dim=WIDTHS["audio"],
            vision_dim=WIDTHS["vision"],
            **{f"{name}_length": length for name, length in FULL.items()},
        )
        settings = LNLNSettings(variant=self.variant)
        torch.manual_seed(0)
        self.ours = LNLN(settings, self.shapes, copy.deepcopy(self.language))
        self.direct = Direct(self.ours, self.shapes)
        text = "ids" if self.finetuned else "states"
        self.layout = self.ours.layout = LNLN.reads(settings, self.shapes, text)
        self.plain = self.layout._replace(text="ids", length="full")
        self.encoder = None if self.layout.text == "ids" else self.language
        if self.layout.text == "states":
            self.ours.language = None
        # A learning rate of 0 costs the same and leaves the weights as they are.
        self.optimisers = {
            net: torch.optim.AdamW(
                [p for p in net.parameters() if p.requires_grad], lr=0.0, fused=True
            )
            for net in (self.ours, self.direct)
        }

    def our_step(self, clips: FeatureSet, masks: Masks) -> float:
        """Take a training step as `lnln.training.run` does; return the loss."""
        masked = drop(clips, masks, self.encoder)
        return self._step(self.ours, self.layout, masked, clips)

    def direct_step(self, clips: FeatureSet, masks: Masks) -> float:
        """Take the same step with everything computed, padded to the greatest lengths."""
        return self._step(self.direct, self.plain, drop(clips, masks), clips)

    def _step(self, net: nn.Module, layout: Layout, masked: FeatureSet, clips: FeatureSet) -> float:
        net.train()
        terms = losses.compute(
            net(collate(masked, layout), collate(clips, layout)),
            torch.from_numpy(clips.known_labels()),
            torch.from_numpy(masked.text.completeness().astype(np.float32)),
            LossWeights(),
        )
        optimiser = self.optimisers[net]
        optimiser.zero_grad(set_to_none=True)
        terms.total.backward()
        optimiser.step()
        return terms.total.item()

    def our_scores(self, clips: FeatureSet, masks: list[Masks]) -> list[np.ndarray]:
        """Score incomplete clips as `lnln.evaluation.sweep` does."""
        cache = SentenceCache()
        several = (drop(clips, drawn, self.encoder, cache) for drawn in masks)
        return [self.ours.predict(masked).prediction for masked in several]

    def direct_scores(self, clips: FeatureSet, masks: list[Masks]) -> list[np.ndarray]:
        """Score incomplete clips, padded to the greatest lengths, in the order they come."""
        return [self._direct_scores(clips, drawn) for drawn in masks]

    @torch.inference_mode()
    def _direct_scores(self, clips: FeatureSet, masks: Masks) -> np.ndarray:
        self.direct.eval()
        masked = drop(clips, masks)
        parts = [
            self.direct(collate(masked.take(range(i, min(i + 64, len(masked)))), self.plain))
            for i in range(0, len(masked), 64)
        ]
        return torch.cat([part.prediction for part in parts]).double().numpy()
