"""Where the face of the person whom a clip is about is, by the extractor of vision."""

import numpy as np

from extractors.damage.scenes import Boxes
from extractors.media.clip import Clip
from extractors.settings import VisionSettings
from extractors.vision.extractor import VisionExtractor


class FaceFinder:
    """Finds a face as the features do, and the box around its landmarks.

    Raises
    ------
    SetupError
        System libraries or the face model are missing.
    """

    def __init__(self) -> None:
        self._extractor = VisionExtractor(VisionSettings(landmarks=True), offline=True)
        names = self._extractor.info().names
        self._x = [i for i, name in enumerate(names) if name.endswith("_x") and "landmark" in name]
        self._y = [column + 1 for column in self._x]

    def boxes(self, clip: Clip) -> Boxes:
        """The box at each time at which the face was found; none where it never was.

        Raises
        ------
        MediaError
            The file cannot be opened.
        """
        rows = self._extractor.extract(clip)
        seen = np.flatnonzero(rows.observed)
        across, down = rows.values[seen][:, self._x], rows.values[seen][:, self._y]
        if not len(seen):
            return Boxes(np.zeros(0), np.zeros((0, 4)))
        corners = np.stack([across.min(1), down.min(1), across.max(1), down.max(1)], axis=1)
        return Boxes(clip.start_s + seen * rows.step_s, corners)
