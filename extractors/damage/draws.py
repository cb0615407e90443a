"""Random numbers that depend on the seed, the damage and the clip, and on nothing else."""

import hashlib

import numpy as np


def generator(seed: int, damage: str, clip_id: str) -> np.random.Generator:
    """A generator of its own for one damage of one clip.

    The same whatever else is damaged, in which order, and by how many workers.
    """
    key = hashlib.sha256(f"{seed}\0{damage}\0{clip_id}".encode()).digest()
    return np.random.Generator(np.random.Philox(int.from_bytes(key[:16], "big")))
