"""The same seed, the same bytes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from lnln.settings import TrainSettings


@contextmanager
def reproducible(settings: TrainSettings) -> Iterator[None]:
    """Seed torch, and let it use only the algorithms and the precision that the settings allow."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what CUDA asks for
    before = torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()
    deterministic: Any = torch.utils.deterministic  # whose switch its types leave out
    filling = deterministic.fill_uninitialized_memory
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(settings.deterministic)
    # Nothing here reads memory that nobody wrote; to fill it takes a tenth of a step.
    deterministic.fill_uninitialized_memory = False
    torch.set_float32_matmul_precision("high" if settings.tf32 else "highest")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        deterministic.fill_uninitialized_memory = filling
        torch.set_float32_matmul_precision(before[1])
