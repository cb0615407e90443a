"""Stage `damaged@<damage>`: models trained on features, asked about raw clips that were damaged.

python -m studies.damage noise_0db
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pyarrow as pa

from extractors import Session, extract_dataset
from extractors.damage.degrading import degrade
from extractors.damage.registry import parse
from extractors.datasets.labels import DatasetError
from lnln.checkpoints.checkpoint import load
from lnln.data.features import FeatureSet
from lnln.data.language import FrozenLanguageEncoder
from lnln.evaluation.sweep import sweep
from lnln.evaluation.table import join, write
from lnln.missing.masks import Kept, Masks, evaluation_masks
from lnln.missing.patterns import Condition
from pipeline.params import load_params
from pipeline.stage import run, warn, write_json
from pipeline.stages.splits import load_language
from studies.compare import MODELS
from studies.corpora import CORPORA, Corpus, describe, read
from studies.settings import load_studies

DAMAGED = Path("outputs/studies/damaged")  # <damage>/
WORK = Path(".cache/studies")  # clips that are damaged, until their features are there


def main() -> None:
    """Damage the test split, extract its features, and ask every model about it."""
    name = sys.argv[1]
    studies, params = load_studies(), load_params()
    corpus = studies.corpora[0]
    dataset = describe(corpus)
    damages = parse(studies.damages[name])
    clips = WORK / f"{corpus}-{name}"
    with Session(params.run) as session:
        done = degrade(
            Path(dataset.root), clips, damages, session, seed=0, split="test", replace=True
        )
        features = extract_dataset(clips, dataset.extraction(), session)
    warn(features.warnings)
    folder = CORPORA / f"{corpus}-{name}"
    features.write(folder)
    shutil.rmtree(clips)
    damaged, whole = read(f"{corpus}-{name}", like=corpus), read(corpus)
    both = sorted({*damaged.test.clip_ids} & {*whole.test.clip_ids})
    damaged, whole = (chosen(data, both) for data in (damaged, whole))
    rates = lost(whole.test, damaged.test) | {"text": damages.get("word_errors", 0.0)}
    masks = masks_at(whole.test, rates, params.masks.seed)
    tables = [
        ask(model, str(seed), corpus, data, pattern, own)
        for model in studies.models
        for seed in studies.seeds
        for data, pattern, own in (
            (whole, "natural", None),
            (damaged, name, None),
            (whole, f"{name}, masks", masks),
        )
    ]
    write(join(tables), DAMAGED / name / "predictions.parquet")
    write_json(
        {
            "clips": len(both),
            "observed": observed(damaged.test),
            "before": observed(whole.test),
            "masked": rates,
        },
        DAMAGED / name / "about.json",
    )
    print(json.dumps({"damaged": len(done.clips), "asked about": len(both)}))


def chosen(corpus: Corpus, clip_ids: list[str]) -> Corpus:
    """Take some clips of the test split."""
    places = {clip_id: i for i, clip_id in enumerate(corpus.test.clip_ids)}
    return corpus._replace(test=corpus.test.take([places[clip_id] for clip_id in clip_ids]))


def observed(clips: FeatureSet) -> dict[str, float]:
    """Return the mean share of rows that was observed, by modality."""
    return {name: float(share.mean()) for name, share in clips.observed_shares().items()}


def lost(before: FeatureSet, after: FeatureSet) -> dict[str, float]:
    """Return which share of what was observed no longer is, by modality."""
    whole, left = observed(before), observed(after)
    return {name: max(0.0, 1 - left[name] / whole[name]) for name in whole}


def masks_at(clips: FeatureSet, rates: dict[str, float], seed: int) -> Masks:
    """Draw masks with a rate for each modality, row by row."""
    drawn = {
        name: evaluation_masks(clips, rate, seed=seed, purpose="test")
        for name, rate in rates.items()
    }
    return {
        clip_id: Kept(**{name: getattr(masks[clip_id], name) for name, masks in drawn.items()})
        for clip_id in clips.clip_ids
    }


def ask(
    model: str, seed: str, corpus: str, data: Corpus, pattern: str, masks: Masks | None
) -> pa.Table:
    """Ask one trained model about a test split, as it is or under masks.

    `pattern` is what tables call it.
    """
    condition = Condition("natural", 0.0, 0)
    params = load_params()
    language = load_language(model, data.dataset, offline=params.run.offline)
    assert language is None or isinstance(language, FrozenLanguageEncoder)
    table = sweep(
        load(MODELS / f"{corpus}-{model}" / seed, language),
        data.test,
        data.manifest,
        model=model,
        train_seed=int(seed),
        conditions=[condition],
        masks_seed=params.masks.seed,
        language=language,
        stored=None if masks is None else {condition: masks},
    )
    column = table.schema.get_field_index("pattern")
    named = pa.array([pattern] * len(table)).cast(table.schema.field("pattern").type)
    return table.set_column(column, table.schema.field("pattern"), named)


if __name__ == "__main__":
    run(main, DatasetError)
