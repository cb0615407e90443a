"""Run the stages of the studies several at a time, one thread each; DVC runs one after the other.

python -m studies.lanes studies/dvc.yaml 2

What fails or is interrupted is left to `dvc repro` of that pipeline, which comes afterwards and
has nothing else to do than that and to tell.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

# A stage needs nothing of its own group; LNLN's comparison comes first of its own, as it is long.
GROUPS = (
    ("corpus",),
    ("compare", "compare-speaker", "folds", "folds-speaker", "fair"),
    ("ablations", "weights", "adversarial", "damaged"),
)
BUSY = "Unable to acquire lock"  # DVC's, while another lane reads or writes dvc.lock
TRIES, PAUSE_S = 60, 2.0


def run_all() -> None:
    """Run group after group, each in as many lanes as the command line says."""
    pipeline, lanes = sys.argv[1], int(sys.argv[2])
    listed = subprocess.run(
        ["dvc", "stage", "list", pipeline, "--name-only"],
        check=True,
        capture_output=True,
        text=True,
    )
    for stages in grouped(listed.stdout.split()):
        with ThreadPoolExecutor(lanes) as pool:
            list(pool.map(reproduce, [f"{pipeline}:{stage}" for stage in stages]))


def grouped(stages: Sequence[str]) -> list[list[str]]:
    """Put stages into groups that wait for each other; what tells of them all is in none."""
    own = [stage.rpartition(":")[2] for stage in stages]
    return [[stage for stage in own if stage.partition("@")[0] in names] for names in GROUPS]


def reproduce(
    stage: str, run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run
) -> bool:
    """Reproduce one stage, waiting while DVC is busy; say whether it is up to date."""
    for _ in range(TRIES):
        done = run(
            ["dvc", "repro", "--single-item", stage],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        if done.returncode == 0 or BUSY not in done.stderr:
            break
        time.sleep(PAUSE_S)
    if done.returncode:
        print(f"{stage} failed; dvc repro tries it again:\n{done.stderr}", file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    run_all()
