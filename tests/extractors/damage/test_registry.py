from pathlib import Path

import pytest

from extractors.damage.registry import DAMAGES, parse
from extractors.errors import SetupError

ROOT = Path(__file__).parents[3]


def test_damages_are_read_in_their_order():
    assert list(parse(["noise=-5", "black=.5", "blur=1e-2"]).items()) == [
        ("noise", -5.0),
        ("black", 0.5),
        ("blur", 0.01),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("fog=1", "there is no damage 'fog'; known: noise, pink_noise"),
        ("noise", "write noise=SEVERITY, a number from -30 to 40"),
        ("noise=loud", "a number from -30 to 40 (level of speech over what is added, dB)"),
        ("black=nan", "a number from 0 to 1"),
        ("black=1.5", "1.5 is not 0 to 1 (time without a picture, share)"),
        ("band_limit=10", "10 is not 500 to 24000"),
        ("", "there is no damage ''"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_is_allowed(text: str, told: str):
    with pytest.raises(SetupError) as error:
        parse([text])
    assert told in str(error.value)


def test_a_damage_named_twice_is_refused():
    with pytest.raises(SetupError, match="noise is named twice"):
        parse(["noise=1", "noise=2"])


def test_nothing_is_no_damage():
    with pytest.raises(SetupError, match="no damage is named; known: noise"):
        parse([])


def test_every_damage_is_in_the_documentation():
    page = (ROOT / "docs" / "guides" / "damaged-clips.md").read_text("utf-8")
    assert [name for name in DAMAGES if f"`{name}`" not in page] == []
