"""Stage `tune@<base>`: an adapter that makes a language encoder rate sentences as people do.

python -m pipeline.stages.tune minilm
"""

import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from extractors.assets.archives import resolve_archive
from extractors.assets.resolving import resolve
from extractors.sentences.hutto import read_hutto
from lnln.tuning.adapter import describe, save
from lnln.tuning.run import tune
from lnln.tuning.sentences import Sentences, tokenise
from lnln.tuning.settings import TuningSettings
from pipeline.checking import read_yaml
from pipeline.params import load_params
from pipeline.stage import StageError, run

ADAPTERS = Path("language_adapters")
RATED = 4.0  # ratings are from -4 to 4


class Task(NamedTuple):
    """What is tuned, how, and on what.

    Attributes
    ----------
    base : str
        Name of the language encoder.
    folder : Path
        Where it is.
    settings : TuningSettings
    judged : int
        Sentences of an unseen kind on which it is judged.
    rates : list of float
        Shares of words lost at which it is judged.
    table : pa.Table
        The sentences, as `contracts.schemas.SENTENCES`.
    """

    base: str
    folder: Path
    settings: TuningSettings
    judged: int
    rates: list[float]
    table: pa.Table

    def sentences(self) -> Sentences:
        """Return all sentences as the encoder's word pieces, with ratings of -1 to 1."""
        ratings: NDArray[np.float64] = self.table["label"].to_numpy() / RATED
        texts = self.table["text"].to_pylist()
        return tokenise(self.folder, texts, ratings, self.settings.max_tokens)

    def kinds(self) -> NDArray[np.str_]:
        """Return the kind of every sentence."""
        return np.array(self.table["source"].to_pylist())


def read(base: str) -> Task:
    """Read what language_adapters/params.yaml says of a base, and find encoder and sentences."""
    path = ADAPTERS / "params.yaml"
    params: dict[str, Any] = read_yaml(path)
    if base not in params["bases"]:
        raise StageError(f"{path} has no base {base!r}: add a section, such as that of minilm")
    offline = load_params().run.offline
    torch.set_num_threads(1)  # small batches: more threads wait for each other
    return Task(
        base,
        resolve(base, offline=offline),
        TuningSettings.model_validate(params["bases"][base]),
        params["judged"],
        params["rates"],
        read_hutto(resolve_archive(params["sentences"], offline=offline)).table,
    )


def main() -> None:
    """Tune on all sentences and write the adapter."""
    task = read(sys.argv[1])
    sentences = task.sentences()
    began = time.perf_counter()
    tuned = tune(task.folder, sentences, task.settings)
    about = describe(task.settings, len(sentences), sorted({*task.kinds().tolist()}))
    save(tuned, ADAPTERS / f"{task.base}-rated", task.base, about)
    print(f"{task.base}: tuned on {len(sentences)} sentences, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    run(main)
