"""How many threads of this process compute."""

import torch


def use_threads(threads: int) -> None:
    """Let torch compute with so many threads, before it does anything else.

    Sums are rounded in another order where they are divided among another number of threads:
    results are the same to the byte for the same number, and close for another.

    Parameters
    ----------
    threads : int
        0: as many as torch chooses, OMP_NUM_THREADS of them or one for every core that this
        process may use.
    """
    if threads:
        torch.set_num_threads(threads)
