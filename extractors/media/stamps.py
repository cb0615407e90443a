"""Where a file's time stamps start again or jump, and by how much its packets are moved for it.

Recordings put one after the other start again at 0 or go on hours later; a camera stamps sound by
the clock on the wall; a damaged stamp is anything. Streams are cut into runs of packets whose
stamps go on. Runs of several streams that lie in the same stretch of time are a section: they are
moved together, so that sound and picture stay in step, and sections follow one another without a
hole. What has neither hole nor restart is not moved at all.
"""

from dataclasses import dataclass

from contracts.messages import message
from extractors.media.runs import BACK_S, JUMP_S, STRAY_S, Run, Track


@dataclass
class Extent:
    """How long a stream lasts, s: up to where it is shown, and by its packets' durations."""

    end_s: float
    counted_s: float


class Stamps:
    """The time stamps of a file's streams, given packet by packet as they are stored.

    Call `add` for every packet, then `settle`; then ask.

    Attributes
    ----------
    warnings : list of str
        What was moved, and why; empty for nearly all files.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._tracks: dict[int, Track] = {}
        self._epoch = 0

    def add(
        self,
        stream: int,
        kind: str,
        shown_s: float | None,
        decoded_s: float | None,
        lasts_s: float,
    ) -> None:
        """Take note of a packet.

        Parameters
        ----------
        stream : int
        kind : {"audio", "video"}
        shown_s, decoded_s : float or None
            Its time stamps, from the file's origin. Without the first, the second stands for it;
            without both it begins where the packet before ends.
        lasts_s : float
        """
        track = self._tracks.setdefault(stream, Track(stream, kind))
        begin_s = shown_s if shown_s is not None else decoded_s
        if begin_s is None:
            begin_s = track.run.end if track.run is not None else 0.0
        if not track.stretches:
            track.begin_stretch(begin_s if decoded_s is None else decoded_s, self._epoch)
        elif decoded_s is not None:
            self._follow(track, decoded_s)
        track.add(begin_s, lasts_s)

    def settle(self) -> None:
        """Decide what is moved, now that all packets are known."""
        for track in self._tracks.values():
            track.mark_strays()
        sections = self._sections()
        ends: dict[int, float] = {}  # of each stream, as far as it is placed
        holes: list[float] = []
        apart: list[tuple[str, float]] = []
        for section in sections if len(sections) > 1 else ():
            for run in section:  # no picture is held, and no sound lasts, until a hole ends
                run.end = min(run.end, run.usual)
        for section, before in zip(sections, [None, *sections], strict=False):
            begin = min(run.begin for run in section)
            streams = {run.stream for run in section}
            kinds = {self._tracks[stream].kind for stream in streams}
            place = begin
            if before is not None:
                if len(kinds) > 1:
                    place = max(ends.values())
                elif streams & ends.keys():  # nothing beside it: it goes on with its own stream
                    place = max(ends[stream] for stream in streams & ends.keys())
                else:
                    place = min(run.begin for run in sections[0])
                    apart.append((min(kinds), begin - place))
                if streams & ends.keys() and before[0].epoch == section[0].epoch:
                    holes.append(begin - max(run.end for run in before))
            for run in section:
                run.shift = place - begin
                ends[run.stream] = max(ends.get(run.stream, 0.0), run.end + run.shift)
        if len(sections) == 1:
            claimed = max(run.claimed for run in sections[0]) - max(run.end for run in sections[0])
            holes += [claimed] if claimed > 0 else []
        self._tell(holes, apart, len({section[0].epoch for section in sections}) - 1)

    @property
    def regular(self) -> bool:
        """Whether nothing is moved."""
        return not self.warnings

    def shift_s(self, stream: int, packet: int, begin_s: float) -> float | None:
        """By how much a packet is moved, s; None: its stamps are worth nothing.

        Parameters
        ----------
        stream : int
        packet : int
            Its number in the stream, from 0.
        begin_s : float
            Its time stamp, from the file's origin.
        """
        track = self._tracks.get(stream)
        if track is None:
            return 0.0
        run = track.stretch_at(packet).run_at(begin_s)
        return None if run.stray else run.shift

    def extents(self) -> list[Extent]:
        """How long each stream lasts once its packets are moved."""
        return [
            Extent(max(_ends(track), default=0.0), track.counted_s)
            for track in self._tracks.values()
        ]

    def _follow(self, track: Track, decoded_s: float) -> None:
        """Find out whether a packet goes on with its stream's last stretch, or begins another."""
        last = track.stretches[-1]
        step = decoded_s - last.latest
        astray = last.epoch != self._epoch and self._nearer_to_others(decoded_s, abs(step))
        if -BACK_S <= step <= STRAY_S and not astray:
            last.latest = max(last.latest, decoded_s)
            return
        for before in track.stretches[-2:-1]:
            comes_back = -BACK_S <= decoded_s - before.latest <= STRAY_S
            if comes_back and last.brief(track.packets):
                last.stray = True
                if last.epoch != before.epoch and self._alone_in_epoch(track):
                    self._epoch -= 1
                track.begin_stretch(decoded_s, before.epoch)
                return
        again = step < -BACK_S
        if again and last.epoch == self._epoch:  # else another stream started again before
            self._epoch += 1
        track.begin_stretch(decoded_s, self._epoch if again or astray else last.epoch)

    def _alone_in_epoch(self, track: Track) -> bool:
        """Whether a stream is the only one whose stamps started again, for the last time so far."""
        others = (other for other in self._tracks.values() if other is not track)
        return all(o.stretches[-1].epoch != self._epoch for o in others if o.stretches)

    def _nearer_to_others(self, decoded_s: float, step: float) -> bool:
        """Whether a packet goes on with what started again elsewhere, and not with its stream."""
        others = [
            abs(decoded_s - track.stretches[-1].latest)
            for track in self._tracks.values()
            if track.stretches and track.stretches[-1].epoch == self._epoch
        ]
        return min(others, default=float("inf")) + BACK_S < step

    def _sections(self) -> list[list[Run]]:
        """Runs that lie in the same stretch of time, in the order of the stretches."""
        sections: list[list[Run]] = []
        end = 0.0
        runs = [run for track in self._tracks.values() for run in track.runs() if not run.stray]
        for run in sorted(runs, key=lambda run: (run.epoch, run.begin)):
            if sections and run.epoch == sections[-1][0].epoch and run.begin <= end + JUMP_S:
                sections[-1].append(run)
                end = max(end, run.end)
            else:
                sections.append([run])
                end = run.end
        return sections

    def _tell(self, holes: list[float], apart: list[tuple[str, float]], restarts: int) -> None:
        if holes:
            self.warnings.append(
                message(
                    f"nothing new is shown or heard for {sum(holes):.0f} s, in {len(holes)} "
                    "places: left out, later times are as much earlier"
                )
            )
        if restarts > 0:
            self.warnings.append(
                message(
                    f"time stamps start again {restarts} times: what follows is put after what "
                    "came before"
                )
            )
        for kind, seconds in apart:
            name = message("the sound") if kind == "audio" else message("the picture")
            self.warnings.append(
                message(
                    f"{name} is stamped {seconds:.0f} s after everything else: taken to begin "
                    "with it"
                )
            )
        strays = sum(run.stray for track in self._tracks.values() for run in track.runs())
        if strays:
            self.warnings.append(
                message(f"damaged time stamps in {strays} places: counted on instead")
            )


def _ends(track: Track) -> list[float]:
    """Where the runs of a stream end once they are moved, s."""
    return [run.end + run.shift for run in track.runs() if not run.stray]
