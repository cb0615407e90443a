"""Shares of several players in what they reach together: Shapley values, exactly.

L. S. Shapley, "A value for n-person games", 1953: the mean over all orders in which the players may
come of what each adds to those before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from math import factorial


def subsets(players: Iterable[str]) -> list[frozenset[str]]:
    """List all sets of players, from nobody to everybody: 2^n."""
    everybody = list(players)
    sizes = range(len(everybody) + 1)
    return [frozenset(chosen) for size in sizes for chosen in combinations(everybody, size)]


def shapley(values: Mapping[frozenset[str], float]) -> dict[str, float]:
    """Compute every player's share.

    Parameters
    ----------
    values : mapping of set to float
        What each of the `subsets` reaches.

    Returns
    -------
    dict of str to float
        They add up to the value of everybody minus that of nobody.
    """
    everybody = max(values, key=len)
    n = len(everybody)
    shares = {}
    for player in sorted(everybody):
        without = [players for players in values if player not in players]
        shares[player] = sum(
            factorial(len(s)) * factorial(n - len(s) - 1) * (values[s | {player}] - values[s])
            for s in without
        ) / factorial(n)
    return shares
