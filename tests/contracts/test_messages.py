"""Texts for people: several names in a line that stays short."""

import pytest

from contracts.messages import some


@pytest.mark.parametrize(
    ("names", "told"),
    [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")],
)
def test_the_first_names_are_told_and_the_others_counted(names: list[str], told: str) -> None:
    assert some(names, 2) == told
