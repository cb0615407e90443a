"""The face that a clip's features are of: where it is in every row, and what it does.

Features with landmarks (`VisionSettings.landmarks`) hold all of this, and those without them as
well: a clip of which both are wanted is looked at once.

>>> features = extract("a.mp4", with_landmarks(settings))
>>> face = followed(features.vision, "a.mp4")
>>> face.strongest()
['smile', 'brows raised', 'jaw open', 'looking down']
>>> features = replace(features, vision=without_landmarks(features.vision, settings.vision))
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from contracts.features import clip_values, feature_info, feature_schema, ragged
from extractors.fingerprint import describe
from extractors.settings import ExtractorSettings, VisionSettings

_LANDMARK = "landmark_"

# What people call the movements that MediaPipe's blendshapes measure (names and numbers of the
# landmarker's `Blendshapes`); of a movement in several blendshapes the strongest counts.
MOVEMENTS: dict[str, tuple[str, ...]] = {
    "smile": ("mouth_smile_left", "mouth_smile_right"),
    "corners of the mouth down": ("mouth_frown_left", "mouth_frown_right"),
    "brows raised": ("brow_inner_up", "brow_outer_up_left", "brow_outer_up_right"),
    "brows lowered": ("brow_down_left", "brow_down_right"),
    "eyes closed": ("eye_blink_left", "eye_blink_right"),
    "eyes narrowed": ("eye_squint_left", "eye_squint_right"),
    "eyes wide": ("eye_wide_left", "eye_wide_right"),
    "looking up": ("eye_look_up_left", "eye_look_up_right"),
    "looking down": ("eye_look_down_left", "eye_look_down_right"),
    "looking aside": (
        *("eye_look_in_left", "eye_look_in_right"),
        *("eye_look_out_left", "eye_look_out_right"),
    ),
    "cheeks raised": ("cheek_squint_left", "cheek_squint_right"),
    "cheeks puffed": ("cheek_puff",),
    "nose wrinkled": ("nose_sneer_left", "nose_sneer_right"),
    "jaw open": ("jaw_open",),
    "jaw moved": ("jaw_forward", "jaw_left", "jaw_right"),
    "lips parted": (
        *("mouth_lower_down_left", "mouth_lower_down_right"),
        *("mouth_upper_up_left", "mouth_upper_up_right"),
    ),
    "lips pressed": (
        *("mouth_press_left", "mouth_press_right", "mouth_roll_lower", "mouth_roll_upper"),
        "mouth_close",
    ),
    "lips rounded": ("mouth_pucker", "mouth_funnel"),
    "lips stretched": (
        *("mouth_stretch_left", "mouth_stretch_right"),
        *("mouth_dimple_left", "mouth_dimple_right"),
    ),
    "lips shrugged": ("mouth_shrug_lower", "mouth_shrug_upper"),
    "mouth aside": ("mouth_left", "mouth_right"),
}
_LOW, _HIGH = 5, 95  # percentiles between which a movement ranges


@dataclass(frozen=True)
class FollowedFace:
    """The face that a clip's vision features are of.

    Row i is of the frame at `i * step_s`, as `extractors.vision.frames.sample_frames` yields it.

    Attributes
    ----------
    step_s : float
        Time between rows, s.
    seen : array, [rows] bool
        Whether the face was seen.
    points : array, [rows, 478, 2] float32
        MediaPipe's landmarks: x in frame widths from the left, y in frame heights from the top; NaN
        where the face was not seen.
    movements : dict of str to array, [rows] float32
        How strong each of `MOVEMENTS` is, 0 to 1; NaN where the face was not seen.
    chosen_by : str
        See `extractors.vision.faces.Face`; "none": there is no face.
    faces : int
        People in the clip.
    """

    step_s: float
    seen: np.ndarray
    points: np.ndarray
    movements: dict[str, np.ndarray]
    chosen_by: str
    faces: int

    @property
    def boxes(self) -> np.ndarray:
        """Left, top, right and bottom of the face, [rows, 4], in frame widths and heights."""
        if not len(self.points):
            return np.zeros((0, 4), np.float32)
        return np.concatenate([self.points.min(axis=1), self.points.max(axis=1)], axis=1)

    def strongest(self, most: int = 4) -> list[str]:
        """Name the movements that range most, from the 5th to the 95th percentile of the rows.

        What a face does all the time is how it looks, and no movement. Empty where no face was
        seen.
        """
        if not self.seen.any():
            return []
        ranges = {
            name: float(np.ptp(np.percentile(values[self.seen], [_LOW, _HIGH])))
            for name, values in self.movements.items()
        }
        return sorted(ranges, key=lambda name: -ranges[name])[:most]


def with_landmarks(settings: ExtractorSettings) -> ExtractorSettings:
    """Return settings that extract what `followed` reads."""
    vision = settings.vision.model_copy(update={"landmarks": True})
    return settings.model_copy(update={"vision": vision})


def followed(vision: pa.Table, clip_id: str) -> FollowedFace:
    """Read the face of a clip from features with landmarks.

    Parameters
    ----------
    vision : pa.Table
        Made with `with_landmarks`.
    clip_id : str

    Raises
    ------
    KeyError
        The clip is not in the table.
    ValueError
        The table has no landmarks.
    """
    names = feature_info(vision).names
    if not any(name.startswith(_LANDMARK) for name in names):
        raise ValueError("these features have no landmarks: extract them with vision.landmarks")
    clips = vision["clip_id"].to_pylist()
    if clip_id not in clips:
        raise KeyError(f"no clip {clip_id!r} in these features")
    place = clips.index(clip_id)
    seen = np.array(vision["observed"][place].as_py(), bool)
    values = clip_values(vision, place).copy()
    values[~seen] = np.nan
    column = {name: i for i, name in enumerate(names)}
    xy = [i for name, i in column.items() if name.startswith(_LANDMARK) and name[-1] in "xy"]
    face = vision["face"][place].as_py()
    return FollowedFace(
        step_s=vision["step_s"][place].as_py(),
        seen=seen,
        points=values[:, xy].reshape(len(values), -1, 2),
        movements={
            name: values[:, [column[shape] for shape in shapes]].max(axis=1)
            for name, shapes in MOVEMENTS.items()
        },
        chosen_by=face["chosen_by"],
        faces=face["faces"],
    )


def without_landmarks(
    vision: pa.Table, settings: VisionSettings, *, offline: bool = False
) -> pa.Table:
    """Return the table that is extracted with settings that ask for no landmarks.

    Parameters
    ----------
    vision : pa.Table
        Made with `with_landmarks`.
    settings : VisionSettings
        As it would be extracted with; where they ask for landmarks, the table is returned as it is.
    offline : bool
        Never download a model.
    """
    if settings.landmarks:
        return vision
    whole = feature_info(vision)
    kept = [i for i, name in enumerate(whole.names) if not name.startswith(_LANDMARK)]
    names, units = ([column[i] for i in kept] for column in (whole.names, whole.units))
    schema = feature_schema(describe("vision", names, units, settings, offline=offline))
    matrices = [clip_values(vision, place)[:, kept] for place in range(vision.num_rows)]
    columns = {name: vision[name].combine_chunks() for name in vision.column_names}
    columns["values"] = ragged(matrices, schema.field("values").type)
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def contours() -> list[tuple[int, int]]:
    """Pairs of landmarks to be joined by lines: outline, brows, eyes, nose and lips of a face."""
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarksConnections as Lines

    joined = [*Lines.FACE_LANDMARKS_CONTOURS, *Lines.FACE_LANDMARKS_NOSE]
    return [(line.start, line.end) for line in joined]
