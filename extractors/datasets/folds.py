"""Splits for cross-validation: every speaker is tested once, by a model that never met them."""

import pyarrow as pa

from contracts.schemas import SPLITS

_TRAIN, _VALID, _TEST = SPLITS


def groups_of(manifest: pa.Table) -> list[str]:
    """List the groups of a manifest, speakers or videos, in order: as many as there are folds."""
    return sorted(set(manifest["group"].to_pylist()))


def leave_one_group_out(manifest: pa.Table, fold: int) -> pa.Table:
    """Assign clips to splits so that one group is tested and another validates.

    Only the column ``split`` differs between folds. Features do not depend on it: extracted once,
    they are read with the manifest of each fold.

    Parameters
    ----------
    manifest : pa.Table
        With the columns group and split, as `contracts.schemas.MANIFEST`.
    fold : int
        Group number `fold`, counted from 0 in the order of `groups_of`, is the test split. The next
        one is the validation split, after the last one the first. All others are the training
        split.

    Returns
    -------
    pa.Table
        The manifest with other splits; its rows stay in their order.

    Raises
    ------
    ValueError
        There are fewer than three groups, or there is no such fold.
    """
    groups = groups_of(manifest)
    if len(groups) < 3:
        raise ValueError(
            f"the clips are of {len(groups)} groups ({', '.join(groups)}), but one to train, one "
            "to validate and one to test are needed; groups are the column speaker of label.csv, "
            "else video_id"
        )
    if not 0 <= fold < len(groups):
        raise ValueError(f"fold {fold} is not one of 0 to {len(groups) - 1}, one per group")
    of_group = {groups[fold]: _TEST, groups[(fold + 1) % len(groups)]: _VALID}
    splits = [of_group.get(group, _TRAIN) for group in manifest["group"].to_pylist()]
    column = manifest.schema.get_field_index("split")
    field = manifest.schema.field("split")
    return manifest.set_column(column, field, pa.array(splits, field.type))
