"""Damage one file; runs in a worker, because a damaged file can hang or crash it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2

from extractors.damage.draws import generator
from extractors.damage.faces import FaceFinder
from extractors.damage.reading import Sound, read_sound
from extractors.damage.registry import DAMAGES
from extractors.damage.scenes import Boxes, PictureDamage, Scene, Stretch
from extractors.damage.writing import write_clip
from extractors.media.clip import Clip

Realised = dict[str, dict[str, float] | None]


class File(NamedTuple):
    """A file to damage.

    `name` is the clip's, or that of the video which clips are stretches of: what is drawn for the
    whole file depends on it. What acts on a share of a clip is drawn for each of the stretches.
    """

    path: str
    target: str
    name: str
    stretches: list[Stretch]
    has_audio: bool
    has_video: bool


class Damager:
    """Applies damages to files.

    Parameters
    ----------
    damages : mapping of name to severity
        In the order in which they are applied; words are none of its business.
    seed : int

    Raises
    ------
    SetupError
        The face model is needed and missing.
    """

    def __init__(self, damages: Mapping[str, float], seed: int) -> None:
        cv2.setNumThreads(1)  # one worker, one core
        self._damages = damages
        self._seed = seed
        self._faces = FaceFinder() if "covered_face" in damages else None

    def extract(self, file: File) -> Realised:
        """Write the damaged file.

        Returns
        -------
        dict
            What was realised of each damage, None where there was nothing to damage: no such
            stream, silence, no face. Where all are None no file is written.

        Raises
        ------
        MediaError
            The file cannot be read, or cannot be written as MP4.
        """
        sound, by_sound = self._damaged_sound(file)
        pictures = self._picture_damages(file)
        if sound is None and not pictures:
            Path(file.target).unlink(missing_ok=True)  # of an earlier call
            return dict.fromkeys(self._damages)
        write_clip(file.path, Path(file.target), sound, list(pictures.values()))
        realised = by_sound | {name: damage.realised() for name, damage in pictures.items()}
        return {name: realised.get(name) for name in self._damages}

    def _damaged_sound(self, file: File) -> tuple[Sound | None, Realised]:
        """The sound, if any damage changes it."""
        names = [name for name in self._damages if DAMAGES[name].stream == "sound"]
        if not names or not file.has_audio:
            return None, {}
        sound = read_sound(file.path)
        samples, realised = sound.samples, {}
        for name in names:
            draw = generator(self._seed, name, file.name)
            samples, realised[name] = DAMAGES[name].apply(
                samples, sound.rate, self._damages[name], draw
            )
        return (sound._replace(samples=samples) if any(realised.values()) else None), realised

    def _picture_damages(self, file: File) -> dict[str, PictureDamage]:
        """What is to be done to the frames; nothing where there are none, or no face to cover."""
        damages: dict[str, PictureDamage] = {}
        for name, severity in self._damages.items():
            if DAMAGES[name].stream == "picture" and file.has_video:
                scene = Scene(
                    name, self._seed, file.name, file.stretches, partial(self._find_face, file)
                )
                damages[name] = DAMAGES[name].apply(severity, scene)
        return {name: damage for name, damage in damages.items() if damage.anything}

    def _find_face(self, file: File) -> Boxes:
        assert self._faces is not None
        end_s = max(stretch.end_s for stretch in file.stretches)
        return self._faces.boxes(Clip(file.path, 0.0, end_s))
