"""What a server says of itself: its models, its limits, and the damages it can do."""

from __future__ import annotations

from importlib.metadata import version

from extractors.damage.registry import DAMAGES
from pipeline.serve.answers import About, DamageAbout, ModelAbout
from pipeline.serve.service import Service
from pipeline.serve.video.sides import Side

# What is shown to people who look at one clip; the others are there as well.
_FIRST = ("noise", "black", "covered_face", "low_light", "blur")


def about(service: Service) -> About:
    """Describe a server."""
    names = sorted(
        (name for name, kind in DAMAGES.items() if kind.stream != "words"),
        key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST),
    )
    return About(
        version=version("lnln"),
        models=[_model(side) for side in service.sides],
        damages=[
            DamageAbout(
                name=name,
                severity=DAMAGES[name].severity,
                unit=DAMAGES[name].unit,
                least=DAMAGES[name].least,
                most=DAMAGES[name].most,
            )
            for name in names
        ],
        file_bytes=service.limits.file_bytes,
        duration_s=service.limits.duration_s,
        keep_s=service.limits.keep_s,
    )


def _model(side: Side) -> ModelAbout:
    config = side.checkpoint.config
    return ModelAbout(
        name=side.name,
        kind=config.model,
        label_range=config.label_range,
        interval_level=None if config.intervals is None else config.intervals.level,
        w_withheld=config.w_withheld,
        notice=config.notice,
        language=side.settings.language,
        reads_s=side.reads_s,
    )
