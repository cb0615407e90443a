"""What cannot be trained, said before anything is computed."""

from __future__ import annotations

from lnln.data.batches import Layout
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder, LanguageEncoder
from lnln.evaluation.metrics import metric_names
from lnln.models.interface import Model
from lnln.settings import MetricSet, TrainSettings


def require_language(
    name: str, kind: type[Model], settings: TrainSettings, language: LanguageEncoder | None
) -> None:
    """Check that a model that reads text has an encoder, frozen or not as the settings say."""
    if language is None and kind.reads_text:
        raise ValueError(f"the model {name} reads text: give the language encoder")
    if language and settings.finetune_language is isinstance(language, FrozenLanguageEncoder):
        raise ValueError(
            f"finetune_language is {settings.finetune_language}, but the language encoder is a "
            f"{type(language).__name__}: load the other kind"
        )


def require_selection(settings: TrainSettings, metric_set: MetricSet) -> None:
    """Check that the metric that chooses the epoch is in the metric set."""
    names = metric_names(metric_set)
    if settings.selection not in names:
        raise ValueError(f"selection={settings.selection!r} is not one of {', '.join(names)}")


def require_speakers(name: str, layout: Layout, *sets: FeatureSet) -> None:
    """Check that clips can be normalised by speaker."""
    if layout.features == "raw":
        raise ValueError(
            f"normalisation=speaker: with these settings the model {name} reads features as they "
            "come, without any normalisation: take normalisation=split, or its variant paper"
        )
    if any(clips.groups is None for clips in sets):
        raise ValueError(
            "normalisation=speaker: nobody said whose the clips are: read them with a manifest "
            "that has the column group, or take normalisation=split"
        )
