"""Text for people."""


def message(text: str) -> str:
    """Return a text as it is, and mark it in the source as told to people.

    A warning that is returned or stored, not printed or raised, is marked by this call. Its
    wording is no part of any fingerprint (`contracts.code`): a better one runs nothing again.
    """
    return text
