"""What looking for small faces costs, and what it finds.

    python benchmarks/small_faces.py FOLDER              # of videos, a large face in each

The frames of each video are shown as they are, smaller in the middle of a grey picture of 640x360,
and with a grey box over the face. Of each, "rows" are the rows with a face, and the costs are the
processor's time for the vision features of a row, frames decoded, creating landmarkers included:
once looking at the whole frame only, and once looking for small faces too, one after the other clip
by clip. The result is also kept in `benchmarks/results/`, by date.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import numpy as np
import typer
from kept import keep, machine

from extractors.damage.picture import covered
from extractors.media.clip import Clip
from extractors.media.container import Damage, probe
from extractors.settings import VisionSettings
from extractors.vision import extractor as vision
from extractors.vision.frames import sample_frames
from extractors.vision.landmarks import FaceLandmarks
from extractors.vision.small_faces import SmallFaces

WIDTH, HEIGHT = 640, 360
SHARES = (0.1, 0.15, 0.2, 0.25)  # of the frame's height, the height of the face
MARGIN = 0.15  # of the box around a face that is covered
SETTINGS = VisionSettings(landmarks=True)
Pictures = list[np.ndarray]


class WholeFrame(SmallFaces):
    """Looks for nothing."""

    def add(self, row: int, picture: np.ndarray, faces: list[FaceLandmarks]) -> list[FaceLandmarks]:
        return faces


class Cost(NamedTuple):
    """Rows, rows with a face, and seconds, summed over clips."""

    rows: int = 0
    seen: int = 0
    seconds: float = 0.0

    def plus(self, other: "Cost") -> "Cost":
        return Cost(self.rows + other.rows, self.seen + other.seen, self.seconds + other.seconds)


def measure(
    extractor: vision.VisionExtractor, search: type[SmallFaces], pictures: Pictures, clip: Clip
) -> tuple[Cost, vision.FaceRows]:
    """Features of pictures that are shown instead of those of a clip."""
    vision.SmallFaces = search
    vision.sample_frames = lambda *_: iter(pictures)
    begin = time.process_time()
    rows = extractor.extract(clip)
    seconds = time.process_time() - begin
    return Cost(len(pictures), int(rows.observed.sum()), seconds), rows


def smaller(pictures: Pictures, scale: float) -> Pictures:
    """Pictures scaled down, in the middle of a grey one; what does not fit in is cut off."""
    shown = []
    for picture in pictures:
        height, width = picture.shape[:2]
        shift = (WIDTH - scale * width) / 2, (HEIGHT - scale * height) / 2
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
        shown.append(cv2.warpAffine(small, matrix, (WIDTH, HEIGHT), borderValue=(127,) * 3))
    return shown


def scenes(pictures: Pictures, rows: vision.FaceRows) -> dict[str, Callable[[], Pictures]]:
    """Ways to show pictures in all of which a face was found."""
    points = rows.values[:, 58:].reshape(len(pictures), -1, 3)[:, :, :2]
    low, high = points.min(1), points.max(1)
    margin = MARGIN * (high - low)
    boxes = np.hstack((low - margin, high + margin))
    face = float(np.median(high[:, 1] - low[:, 1])) * pictures[0].shape[0]

    def hidden() -> Pictures:
        return [covered(p, box) for p, box in zip(pictures, boxes, strict=True)]

    shown: dict[str, Callable[[], Pictures]] = {"as it is": lambda: pictures}
    for share in SHARES:
        shown[f"face {share} of the height"] = lambda k=share * HEIGHT / face: smaller(pictures, k)
    return shown | {"face covered": hidden, "black": lambda: [0 * p for p in pictures]}


def main(
    folder: Annotated[Path, typer.Argument(help="Videos, with a large face in each.")],
    seconds: Annotated[float, typer.Option(help="Read of each video.")] = 5.0,
    every: Annotated[int, typer.Option(help="Of how many videos one is read.")] = 1,
) -> None:
    """Print the table, and keep it with the machine it was made on."""
    extractor = vision.VisionExtractor(SETTINGS, offline=True)
    sums: dict[str, tuple[Cost, Cost]] = {}
    clips = 0
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".mp4", ".mpg"))[::every]:
        duration_s = min(probe(str(path)).duration_s, seconds)
        count, step_s = int(duration_s * SETTINGS.fps), 1 / SETTINGS.fps
        clip = Clip(str(path), 0.0, duration_s)
        shown = sample_frames(clip, count, step_s, SETTINGS.max_side, Damage())
        pictures = [picture for picture in shown if picture is not None]
        _, rows = measure(extractor, WholeFrame, pictures, clip)
        if not pictures or not rows.observed.all():
            continue  # it is not known where the face is
        clips += 1
        for name, show in scenes(pictures, rows).items():
            whole, small = sums.get(name, (Cost(), Cost()))
            sums[name] = (
                whole.plus(measure(extractor, WholeFrame, show(), clip)[0]),
                small.plus(measure(extractor, SmallFaces, show(), clip)[0]),
            )
    lines = [
        "| frames | rows | seen whole, % | with small, % | ms whole | ms with small | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, (whole, small) in sums.items():
        found = (f"{100 * cost.seen / cost.rows:.1f}" for cost in (whole, small))
        times = (f"{1000 * cost.seconds / cost.rows:.1f}" for cost in (whole, small))
        cells = [name, str(whole.rows), *found, *times, f"{small.seconds / whole.seconds:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    keep(
        f"small-faces-{folder.name}",
        [
            f"# Small faces, {clips} clips, {folder.name}",
            "",
            machine("processor time per row, landmarks asked for"),
            "",
            *lines,
        ],
    )


if __name__ == "__main__":
    typer.run(main)
