from collections import Counter

import pyarrow as pa
import pytest

from contracts.schemas import MANIFEST
from extractors.datasets.folds import groups_of, leave_one_group_out
from extractors.datasets.listing import leakage


def manifest(*groups: str) -> pa.Table:
    """One clip per group named, in that order."""
    return pa.Table.from_pylist(
        [
            {
                "clip_id": f"{group}/{number}",
                "path": "x",
                "sha256": str(number),
                "duration_s": 1.0,
                "has_audio": True,
                "has_video": True,
                "language": "en",
                "group": group,
                "split": "train",
                "text": "",
                "label": float(number),
            }
            for number, group in enumerate(groups)
        ],
        schema=MANIFEST,
    )


GROUPS = ("c", "a", "b", "a", "d", "c", "a")


def test_every_clip_is_tested_and_validates_once() -> None:
    clips = manifest(*GROUPS)
    splits = [leave_one_group_out(clips, fold)["split"].to_pylist() for fold in range(4)]
    for of_clip in zip(*splits, strict=True):
        assert Counter(of_clip) == {"test": 1, "valid": 1, "train": 2}


def test_no_group_is_in_two_splits() -> None:
    for fold in range(4):
        assert leakage(leave_one_group_out(manifest(*GROUPS), fold)) == []


def test_the_next_group_in_order_validates_and_after_the_last_the_first() -> None:
    clips = manifest(*GROUPS)
    assert groups_of(clips) == ["a", "b", "c", "d"]
    for fold, valid in enumerate("bcda"):
        assigned = leave_one_group_out(clips, fold).to_pylist()
        assert {r["group"] for r in assigned if r["split"] == "test"} == {"abcd"[fold]}
        assert {r["group"] for r in assigned if r["split"] == "valid"} == {valid}


def test_nothing_but_the_split_changes() -> None:
    clips = manifest(*GROUPS).replace_schema_metadata({"kind": "clips"})
    assigned = leave_one_group_out(clips, 2)
    assert assigned.schema.equals(clips.schema, check_metadata=True)
    assert assigned.drop_columns(["split"]).equals(clips.drop_columns(["split"]))
    assert set(clips["split"].to_pylist()) == {"train"}


def test_folds_do_not_depend_on_the_order_of_the_clips_or_their_splits() -> None:
    one, other = manifest("a", "b", "c"), manifest("c", "b", "a")
    by_group = [
        {r["group"]: r["split"] for r in leave_one_group_out(clips, 1).to_pylist()}
        for clips in (one, leave_one_group_out(other, 0))
    ]
    assert by_group[0] == by_group[1] == {"a": "train", "b": "test", "c": "valid"}


def test_two_groups_are_too_few() -> None:
    with pytest.raises(ValueError, match=r"the clips are of 2 groups \(a, b\).*column speaker"):
        leave_one_group_out(manifest("a", "b", "a"), 0)


@pytest.mark.parametrize("fold", [-1, 3])
def test_a_fold_that_is_not_there_is_refused(fold: int) -> None:
    with pytest.raises(ValueError, match=rf"fold {fold} is not one of 0 to 2"):
        leave_one_group_out(manifest("a", "b", "c"), fold)
