"""Text for people."""

from collections.abc import Collection
from itertools import islice


def message(text: str) -> str:
    """Return a text as it is, and mark it in the source as told to people.

    A warning that is returned or stored, not printed or raised, is marked by this call. Its
    wording is no part of any fingerprint (`contracts.code`): a better one runs nothing again.
    """
    return text


def some(names: Collection[str], most: int = 3) -> str:
    """Name the first of several and count the others: ``a, b, c and 4 more``."""
    first = ", ".join(islice(names, most))
    return message(f"{first} and {len(names) - most} more") if len(names) > most else first
