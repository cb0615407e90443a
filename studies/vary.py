"""Stages `ablations@<name>`, `weights@<name>`, `adversarial@<name>`: LNLN with other settings.

python -m studies.vary ablations proxy
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from contracts.files import read_json
from lnln.data.batches import collate
from lnln.data.features import FeatureSet
from lnln.evaluation.table import write
from lnln.models.lnln.model import LNLN
from lnln.models.lnln.settings import LNLNSettings, Switches
from lnln.models.registry import register
from pipeline.stage import run, write_json
from studies.compare import COMPARED
from studies.corpora import Corpus, read
from studies.settings import Studies, load_studies, seeds_of
from studies.training import Experiment, Outcome, run_experiment

VARIED = Path("outputs/studies")  # <study>/<name>/


class OfficialReversal(LNLNSettings):
    """LNLN, but for the gradient that is reversed where the published code does it."""

    @property
    def switches(self) -> Switches:
        """The variant's, with that one changed."""
        return super().switches._replace(reversal="after_generator")


def experiment(study: str, name: str, studies: Studies, tuned: float) -> Experiment:
    """Turn an entry of params.yaml into an experiment.

    Parameters
    ----------
    study, name : str
        Section and key.
    studies : Studies
    tuned : float
        Learning rate with which LNLN itself was best on validation.
    """
    settings: dict[str, Any] = dict(getattr(studies, study)[name])
    rate = settings.pop("learning_rate", tuned)
    reversed_ = settings.pop("official_reversal", False)
    model = "lnln_official_reversal" if reversed_ else "lnln"
    if reversed_:
        register(model, OfficialReversal)(LNLN)
    return Experiment(name, model, settings, [rate], like="lnln")


def main() -> None:
    """Train and ask the variation that the command line names."""
    study, name = sys.argv[1:]
    studies = load_studies()
    studies = studies.model_copy(update={"seeds": seeds_of(study, studies)})
    corpus = studies.corpora[0]
    about = read_json(COMPARED / f"{corpus}-lnln" / "about.json")
    data = read(corpus)
    outcome = run_experiment(
        experiment(study, name, studies, about["learning_rate"]), data, studies
    )
    folder = VARIED / study / name
    write(outcome.predictions, folder / "predictions.parquet")
    proxies = proxies_of(outcome, data) if study == "adversarial" else {}
    write_json(outcome.about | proxies, folder / "about.json")


def proxies_of(outcome: Outcome, corpus: Corpus) -> dict[str, Any]:
    """Measure the proxy of every seed on the complete clips of the validation split.

    Returns
    -------
    dict
        `proxy_variance`: variance over clips, a mean over its tokens and their elements;
        `language_variance`: the same of language; `proxy_distance`: mean squared distance to
        language of the same clip; each a list with a value per seed.
    """
    measured = [
        _measure(made.model, made.prepare(corpus.valid))
        for made in outcome.checkpoints
        if isinstance(made.model, LNLN)
    ]
    names = ("proxy_variance", "language_variance", "proxy_distance")
    return dict(zip(names, np.array(measured).T.tolist(), strict=True))


@torch.inference_mode()
def _measure(model: LNLN, clips: FeatureSet) -> tuple[float, float, float]:
    text, audio, vision = model.embed(collate(clips, model.layout))
    proxy = model.suggest(audio, vision)  # [clips, T, d], as text is
    return (
        float(proxy.var(dim=0).mean()),
        float(text.var(dim=0).mean()),
        float((proxy - text).square().mean()),
    )


if __name__ == "__main__":
    run(main)
