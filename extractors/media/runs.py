"""Runs of packets between which there is no hole, stream by stream."""

from bisect import bisect_right, insort
from dataclasses import dataclass, field

# As FFmpeg's dts_delta_threshold. A shorter time without anything is a pause; a picture or a sound
# that claims to last longer lasts this long, unless another stream goes on meanwhile.
JUMP_S = 10.0

BACK_S = 0.5  # smaller steps back are jitter
STRAY_S = 1.0  # stamps that are this short a time somewhere else are damaged ...
_STRAY_PACKETS = 16  # ... and this few; pictures are stored at most as many before their turn


@dataclass
class Run:
    """Packets of a stream between which there is no hole, in s from the file's origin."""

    stream: int
    epoch: int
    begin: float
    end: float
    claimed: float  # the end, if each packet lasts as long as it says
    usual: float  # the end, if each lasts no longer than the one before
    last: int  # packet
    shift: float = 0.0  # by which all of it is moved
    stray: bool = False  # its stamps are damaged

    def touches(self, begin_s: float) -> bool:
        """Whether a packet with this stamp is part of it."""
        return self.begin - JUMP_S <= begin_s <= self.end + JUMP_S


@dataclass
class Stretch:
    """Packets of a stream, from one on, that are stored in the order of their time."""

    first: int  # packet
    epoch: int  # how often stamps had started again before
    begin: float
    latest: float
    runs: list[Run] = field(default_factory=list)  # sorted by their beginning
    stray: bool = False

    def run_at(self, begin_s: float) -> Run:
        """The run that a packet with this stamp is part of."""
        return self.runs[max(bisect_right(self.runs, begin_s, key=_begin) - 1, 0)]

    def brief(self, packets: int) -> bool:
        """Whether it is so short, `packets` being in its stream so far, that it may be damage."""
        return self.latest - self.begin < STRAY_S and packets - self.first <= _STRAY_PACKETS


@dataclass
class Track:
    """What is known of a stream while its packets come in."""

    stream: int
    kind: str  # "audio" or "video"
    stretches: list[Stretch] = field(default_factory=list)
    run: Run | None = None  # of the packet before, in the last stretch
    packets: int = 0
    counted_s: float = 0.0
    usual_s: float = STRAY_S  # how long its packets last

    def add(self, begin_s: float, lasts_s: float) -> None:
        """Add a packet to the last stretch."""
        run = self.run = self._run_of(begin_s)
        run.begin = min(run.begin, begin_s)
        run.end = max(run.end, begin_s + min(lasts_s, JUMP_S))
        run.claimed = max(run.claimed, begin_s + lasts_s)
        run.usual = max(run.usual, begin_s + min(lasts_s, self.usual_s))
        run.last = self.packets
        self.packets += 1
        self.counted_s += min(lasts_s, 1.0)  # a longer packet is more likely damaged
        self.usual_s = lasts_s if lasts_s < STRAY_S else self.usual_s

    def begin_stretch(self, decoded_s: float, epoch: int) -> None:
        """Begin another stretch with the packet that is added next."""
        self.stretches.append(Stretch(self.packets, epoch, decoded_s, decoded_s))
        self.run = None

    def stretch_at(self, packet: int) -> Stretch:
        """The stretch that a packet is in, by its number in the stream."""
        at = bisect_right(self.stretches, packet, key=lambda stretch: stretch.first)
        return self.stretches[at - 1]

    def mark_strays(self) -> None:
        """Mark runs that a stream comes back from at once: their stamps are damaged."""
        for stretch in self.stretches:
            latest = -1  # packet of the runs before
            for run in stretch.runs:
                returns = latest > run.last + _STRAY_PACKETS
                run.stray = stretch.stray or (returns and run.end - run.begin < STRAY_S)
                latest = max(latest, run.last)

    def runs(self) -> list[Run]:
        """All runs, whatever the stretch."""
        return [run for stretch in self.stretches for run in stretch.runs]

    def _run_of(self, begin_s: float) -> Run:
        if self.run is not None and self.run.touches(begin_s):
            return self.run
        stretch = self.stretches[-1]
        at = bisect_right(stretch.runs, begin_s, key=_begin)
        for run in stretch.runs[max(at - 1, 0) : at + 1]:
            if run.touches(begin_s):
                return run
        run = Run(self.stream, stretch.epoch, begin_s, begin_s, begin_s, begin_s, self.packets)
        insort(stretch.runs, run, key=_begin)
        return run


def _begin(run: Run) -> float:
    return run.begin
