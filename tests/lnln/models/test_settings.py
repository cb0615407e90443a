"""Settings of LNLN: variants are switches, and what cannot be is refused."""

import pytest
from pydantic import ValidationError

from lnln.models.lnln.settings import VARIANTS, LNLNSettings, Variant


def test_variants_differ_in_the_switches_that_their_names_stand_for() -> None:
    paper, masked, official = (VARIANTS[name] for name in ("paper", "masked", "official"))
    assert masked == paper._replace(missing_rows="left_out")
    alike = {"missing_rows"}
    assert {n for n in paper._fields if getattr(paper, n) == getattr(official, n)} == alike


@pytest.mark.parametrize("variant", VARIANTS)
def test_switches_of_settings_are_those_of_their_variant(variant: Variant) -> None:
    assert LNLNSettings(variant=variant).switches == VARIANTS[variant]


def test_more_hyper_layers_than_dominant_features_are_refused() -> None:
    with pytest.raises(ValidationError, match="set hyper_depth to at most that"):
        LNLNSettings(depth=1)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="widht"):
        LNLNSettings.model_validate({"widht": 64})
