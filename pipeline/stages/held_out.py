"""Stage `held_out@<base>-<kind>`: tuned on the other kinds of sentences, judged on this one.

python -m pipeline.stages.held_out minilm tweets
"""

import sys
from pathlib import Path

import numpy as np

from lnln.tuning.judging import Judged, constant, judge, ridge, tuned
from pipeline.stage import StageError, run, write_json
from pipeline.stages.tune import read

JUDGED = Path("metrics/language")  # <base>-<kind>.json


def main() -> None:
    """Tune without a kind, and judge on it what was tuned, and what any of it has to beat."""
    base, kind = sys.argv[1:]
    task = read(base)
    sentences, kinds = task.sentences(), task.kinds()
    if kind not in kinds:
        raise StageError(f"no sentence is of the kind {kind!r}, but {', '.join(sorted({*kinds}))}")
    seen = sentences.take(np.flatnonzero(kinds != kind))
    drawn = np.random.default_rng(task.settings.seed).permutation(np.flatnonzero(kinds == kind))
    chosen = np.sort(drawn[: task.judged])
    unseen = sentences.take(chosen)
    said: dict[str, list[Judged]] = {
        "tuned": judge(unseen, task.rates, tuned(task.folder, seen, task.settings)),
        "ridge on frozen states": judge(unseen, task.rates, ridge(task.folder, seen)),
        "constant": judge(unseen, task.rates, constant(seen)),
    }
    texts = task.table["text"].take(chosen).to_pylist()
    said |= {"VADER's rules": judge(unseen, [0.0], lambda shown, lost: rules(texts))}
    write_json(
        {"sentences": {"seen": len(seen), "judged": len(unseen)}}
        | {name: [row._asdict() for row in rows] for name, rows in said.items()},
        JUDGED / f"{base}-{kind}.json",
    )
    for name, rows in said.items():
        print(f"{base}, {kind} unseen, {name}: MAE {rows[0].mae:.3f}, Corr {rows[0].corr}")


def rules(texts: list[str]) -> np.ndarray:
    """Rate complete sentences by the rules of VADER, -1 to 1."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return np.array([analyzer.polarity_scores(text)["compound"] for text in texts])


if __name__ == "__main__":
    run(main)
