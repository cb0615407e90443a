"""The processes that train one network together, by Accelerate; usually there is but one."""

from __future__ import annotations

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray


def accelerator() -> Accelerator:
    """Return the device of this process, and what it needs to work with the others.

    `accelerate launch` and `torchrun` start several and say so in the environment. Precision is
    left out: Accelerate's holds for a whole process, ours for a run.
    """
    return Accelerator(cpu=not torch.cuda.is_available(), mixed_precision="no")


def share(clips: int, processes: Accelerator) -> NDArray[np.int64]:
    """Return which of the clips are this process's; shares differ by one clip at most."""
    return np.array_split(np.arange(clips), processes.num_processes)[processes.process_index]
