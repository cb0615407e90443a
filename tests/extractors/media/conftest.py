"""What tests of decoding share."""

from collections.abc import Callable

import numpy as np
import pytest

from extractors.media.sound import SAMPLE_RATE


@pytest.fixture(scope="session")
def rms() -> Callable[[np.ndarray, float, float], float]:
    """Measures the level of a signal between two times, s: `rms(signal, begin_s, end_s)`."""

    def measure(signal: np.ndarray, begin_s: float, end_s: float) -> float:
        part = signal[round(begin_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)]
        return float(np.sqrt(np.mean(part**2)))

    return measure
