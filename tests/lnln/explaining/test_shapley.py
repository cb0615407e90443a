"""Shapley values, of games whose values are known."""

import pytest

from lnln.explaining.shapley import shapley, subsets


def game(value, players="abc"):
    return {players: value(players) for players in subsets(players)}


def test_players_who_only_add_get_what_they_add() -> None:
    worth = {"a": 1.0, "b": -2.0, "c": 0.5}
    assert shapley(game(lambda s: 3 + sum(worth[p] for p in s))) == pytest.approx(worth)


def test_one_without_whom_nothing_works_and_two_of_whom_one_is_needed() -> None:
    """The glove game: a has the left glove, b and c a right one each."""
    shares = shapley(game(lambda s: float("a" in s and len(s) > 1)))
    assert shares == pytest.approx({"a": 2 / 3, "b": 1 / 6, "c": 1 / 6})


def test_shares_of_nobody_are_none() -> None:
    assert shapley(game(lambda s: 1.0, "")) == {}
