"""Lines of label.csv for new clips, whole speakers in one split."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from contracts.schemas import SPLITS
from extractors.datasets.csv_table import Line, filled
from extractors.datasets.labels import clip_name

SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}  # of the clips, in each split


def split_by_group(clips: Mapping[str, int], fixed: Mapping[str, str]) -> dict[str, str]:
    """Assign whole groups to splits, with about 70, 15 and 15 % of the clips in each.

    Parameters
    ----------
    clips : mapping of group to its number of clips
    fixed : mapping of group to split
        Groups whose split is decided already.

    Returns
    -------
    dict
        The split of every group in `clips`. The same input gives the same splits; no split is
        empty if there are enough groups.
    """
    splits = {group: fixed[group] for group in clips if group in fixed}
    assigned = Counter({split: 0 for split in SPLITS})  # clips
    for group, split in splits.items():
        assigned[split] += clips[group]
    total = sum(clips.values())
    # An order without meaning that is the same on every run.
    rest = sorted(clips.keys() - splits.keys(), key=lambda g: hashlib.sha256(g.encode()).digest())
    for left, group in zip(range(len(rest), 0, -1), rest, strict=True):
        empty = [split for split in SPLITS if not assigned[split]]
        candidates = empty if left <= len(empty) else SPLITS
        split = max(candidates, key=lambda s: SHARES[s] * total - assigned[s])
        splits[group] = split
        assigned[split] += clips[group]
    return splits


def new_lines(
    groups: Mapping[str, str], lines: Iterable[Line], modes: Mapping[str, str]
) -> list[Line]:
    """Lines for the clips that are not listed yet.

    `groups` has the group of every clip, as its folder tells. Where label.csv names the speaker of
    the other clips in that folder, new clips get that name and the split of that speaker. `modes`
    has splits that are decided by clip; they decide those of other clips of the speaker, too.
    """
    splits: dict[str, str] = {}  # of the groups that are listed
    counts: Counter[str] = Counter()
    listed: dict[str, Line] = {}
    for line in lines:
        counts[listed_group(line)] += 1
        listed[place(line)] = line
        if (split := line["mode"].strip()) in SPLITS:
            splits[listed_group(line)] = split
    by_folder = defaultdict(list)  # folder's group -> its lines, which may name another group
    for name, group in groups.items():
        if name in listed:
            by_folder[group].append(listed[name])
    renamed = {}
    for group, folder_lines in by_folder.items():
        names = {listed_group(line) for line in folder_lines}
        renamed[group] = names.pop() if len(names) == 1 else group
        votes = Counter(splits[g] for line in folder_lines if (g := listed_group(line)) in splits)
        if votes:
            splits.setdefault(renamed[group], votes.most_common(1)[0][0])
    new = {name: renamed.get(g, g) for name, g in groups.items() if name not in listed}
    decided: dict[str, Counter[str]] = defaultdict(Counter)
    for name in new.keys() & modes.keys():
        decided[new[name]][modes[name]] += 1
    for group, votes in decided.items():
        splits.setdefault(group, max(SPLITS, key=votes.__getitem__))
    splits = split_by_group(counts + Counter(new.values()), splits)
    added: list[Line] = []
    for name, group in new.items():
        video, clip = name.split("/")
        empty = {"video_id": video, "clip_id": clip, "text": "", "label": ""}
        added.append({**empty, "mode": modes.get(name, splits[group]), "speaker": group})
    return added


def listed_group(line: Line) -> str:
    """The group that label.csv names: the speaker, else the video."""
    return filled(line, "speaker") or line["video_id"].strip()


def place(line: Line) -> str:
    """Name in Raw/ of the file of a line's clip: the clip, or the video that it is a segment of."""
    name = clip_name(line)
    return name.partition("/")[0] if filled(line, "start_s") else name
