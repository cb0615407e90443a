"""Masks as a table: all of them come back."""

from pathlib import Path

import numpy as np
import pytest

from contracts.parquet import read_table, write_table
from lnln.data.features import FeatureSet
from lnln.missing.masks import masks_under
from lnln.missing.patterns import conditions
from lnln.missing.table import MASKS, from_table, to_table


@pytest.mark.parametrize("clips", ["many", "odd"])
def test_table_gives_the_masks_back(
    clips: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    features: FeatureSet = request.getfixturevalue(clips)
    asked = conditions(["random", "block"], [0.0, 0.5], draws=2)
    masks = masks_under(asked, features, seed=1, purpose="test")
    table = to_table(masks)
    assert table.schema.equals(MASKS)
    assert table.num_rows == len(asked) * len(features)
    write_table(table, tmp_path / "masks.parquet")
    back = from_table(read_table(tmp_path / "masks.parquet"))
    assert list(back) == asked
    for condition, of in masks.items():
        assert list(back[condition]) == sorted(of)
        for clip_id, kept in of.items():
            for mine, found in zip(kept, back[condition][clip_id], strict=True):
                assert found.dtype == bool
                assert np.array_equal(mine, found)


def test_clips_are_sorted_whatever_their_order(odd: FeatureSet) -> None:
    asked = conditions(["random"], [0.5], draws=1)
    backwards = odd.take(range(len(odd) - 1, -1, -1))
    tables = (
        to_table(masks_under(asked, features, seed=1, purpose="test"))
        for features in (odd, backwards)
    )
    assert next(tables).equals(next(tables))
