"""Time stamps that start again, jump, or are somewhere else: nothing is lost, and it is told."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from extractors.damage.reading import read_frames, read_sound
from extractors.damage.writing import write_clip
from extractors.media.container import Clip, Damage, opened, probe
from extractors.media.sound import SAMPLE_RATE, sound_blocks
from extractors.media.stamps import Stamps
from extractors.vision.frames import sample_frames

CODECS = {
    "a.mp4": ("libx264", "aac"),
    "a.mov": ("libx264", "aac"),
    "a.mkv": ("mpeg4", "flac"),
    "a.webm": ("libvpx-vp9", "libopus"),
    "a.flv": ("flv", "mp3"),
    "a.ts": ("mpeg2video", "mp2"),
    "a.mpg": ("mpeg2video", "mp2"),
    "a.nut": ("mpeg4", "mp2"),
}
CONCATENATED = ["a.mpg", "a.ts"]  # files of these can be put one after the other as they are


def remuxed(source: Path, path: Path, moved: Callable[[str, float], float]) -> Path:
    """A copy whose packets begin `moved(kind, time)` later, s."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        targets = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is None:
                continue
            seconds = moved(packet.stream.type, float(packet.dts * packet.time_base))
            ticks = round(seconds / packet.time_base)
            packet.dts, packet.pts = packet.dts + ticks, packet.pts + ticks
            packet.stream = targets[packet.stream.index]
            new.mux(packet)
    return path


@pytest.fixture
def talk(make_clip: Callable[..., Path]) -> Callable[..., Path]:
    """A clip of 3 s: grey grows by 50 a second, and a tone is heard from 1 s to 2 s."""

    def make(name: str, **more: Any) -> Path:
        video, audio = CODECS[name]
        folder = more.pop("folder", "one")
        return make_clip(
            f"{folder}/{name}",
            seconds=3.0,
            video_codec=video,
            audio_codec=audio,
            rate=48_000 if audio == "libopus" else 44_100,
            picture=lambda t: np.full((48, 64, 3), min(round(40 + 50 * t), 255), np.uint8),
            **more,
        )

    return make


def observed(path: Path, seconds: float) -> tuple[list[float | None], np.ndarray, list[str]]:
    """Grey of a frame every 0.1 s, level of every 0.1 s of sound, and what was told."""
    damage = Damage()
    clip = Clip(str(path), 0.0, seconds)
    frames = sample_frames(clip, round(seconds * 10), 0.1, 1280, damage)
    greys = [None if frame is None else float(frame.mean()) for frame in frames]
    signal = np.concatenate(list(sound_blocks(clip, damage, 60.0)))
    tenth = SAMPLE_RATE // 10
    levels = signal[: len(signal) // tenth * tenth].reshape(-1, tenth).std(1)
    return greys, levels, damage.describe("it")


def in_step(greys: list[float | None], levels: np.ndarray, begin: int) -> None:
    """What is seen and heard from a tenth of a second on is the 3 s of a `talk`."""
    expected = [40 + 5 * i for i in range(28)]
    assert greys[begin + 1 : begin + 28] == pytest.approx(expected[1:], abs=8)
    assert np.sort(levels[begin + 2 : begin + 27])[1] > 0.2  # one may be cut where parts meet


@pytest.mark.parametrize("name", CODECS)
def test_an_ordinary_file_is_not_moved(talk, name):
    with opened(str(talk(name))) as file:
        assert file.stamps.regular
        assert {file.stamps.shift_s(stream, 3, 0.1) for stream in (0, 1)} == {0.0}


@pytest.mark.parametrize("name", CONCATENATED)
@pytest.mark.parametrize("parts", [2, 3])
def test_recordings_one_after_the_other_are_all_seen_and_heard(talk, tmp_path, name, parts):
    path = tmp_path / name
    path.write_bytes(talk(name).read_bytes() * parts)
    assert probe(str(path)).duration_s == pytest.approx(3.0 * parts, abs=0.15 * parts)
    greys, levels, told = observed(path, 3.0 * parts)
    with opened(str(path)) as file:
        starts = [file.stamps.shift_s(0, n, 0.0) for n in (10,)]
    assert starts == [0.0]
    for part in range(parts):
        shift = round(10 * probe(str(path)).duration_s / parts * part)
        in_step(greys, levels, shift)
    assert told == [
        f"time stamps start again {parts - 1} times: what follows is put after what came before"
    ]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.nut", "a.flv"])
def test_a_second_part_that_is_stamped_a_quarter_of_an_hour_later_follows_the_first(
    talk, tmp_path, name
):
    path = remuxed(talk(name), tmp_path / name, lambda _, time: 1000.0 * (time >= 1.5))
    info = probe(str(path))
    assert info.duration_s == pytest.approx(3.0, abs=0.25)
    greys, levels, told = observed(path, 3.0)
    in_step(greys, levels, 0)
    assert len(told) == 1 and "left out, later times are as much earlier" in told[0]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.nut"])
@pytest.mark.parametrize("late", ["audio", "video"])
@pytest.mark.parametrize("seconds", [3600.0, 80_000.0])
def test_a_stream_stamped_by_another_clock_begins_with_the_other(
    talk, tmp_path, name, late, seconds
):
    path = remuxed(talk(name), tmp_path / name, lambda kind, _: seconds * (kind == late))
    assert probe(str(path)).duration_s == pytest.approx(3.0, abs=0.15)
    greys, levels, told = observed(path, 3.0)
    in_step(greys, levels, 0)
    assert len(told) == 1
    assert f"{seconds:.0f} s after everything else" in told[0]


def test_a_pause_of_one_stream_is_kept(talk, tmp_path):
    """Sound stops for 12 s while the picture goes on: this is how it was."""
    times = [i / 5 for i in range(5 * 16)]
    path = talk("a.mkv", times=times, audio_span=(0.0, 3.0))
    later = remuxed(path, tmp_path / "b.mkv", lambda k, t: 12.5 * (k == "audio" and t >= 1.5))
    assert probe(str(later)).duration_s == pytest.approx(16.0, abs=0.3)
    _, levels, told = observed(later, 16.0)
    assert told == []
    assert levels[1:14].min() > 0.2 and levels[17:138].max() < 0.01 and levels[142:153].min() > 0.2


def test_a_picture_that_is_held_while_sound_goes_on_is_kept(talk):
    path = talk("a.mp4", times=[0.0, 0.04, 0.08, 14.0, 14.04], audio_span=(0.0, 14.2))
    assert probe(str(path)).duration_s == pytest.approx(14.2, abs=0.2)
    greys, levels, told = observed(path, 14.0)
    assert told == []
    assert greys[1:139] == pytest.approx([44] * 138, abs=8)
    assert levels[2:138].min() > 0.2


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_duration_that_is_only_claimed_is_not_worked_for(talk, name):
    path = talk(name, times=[0.0, *(28_800 + i / 25 for i in range(25))], audio=False)
    assert probe(str(path)).duration_s < 2.1
    greys, _, told = observed(path, 2.0)
    assert greys[0] == pytest.approx(40, abs=8)
    assert max(grey for grey in greys if grey is not None) == pytest.approx(255, abs=8)
    assert "nothing new is shown or heard for 28" in told[0]


def test_uneven_frames_that_are_stored_out_of_order_stay_where_they_are(talk):
    """A frame at 9 s is stored before those it is predicted with."""
    times = [0.0, 0.04, 0.08, 0.5, 4.0, 9.0, 9.04, 9.5]
    with opened(str(talk("a.mp4", times=times, audio=False))) as file:
        assert file.stamps.regular


def packets_of(parts: Iterable[tuple[float, float]]) -> list[tuple[str, float]]:
    """Packets of both streams, every 0.04 s, from one time to another, as they are stored."""
    return [
        (kind, time)
        for begin, end in parts
        for time in np.arange(begin, end, 0.04)
        for kind in ("video", "audio")
    ]


def placed(packets: list[tuple[str, float]]) -> tuple[dict[str, list[float | None]], Stamps]:
    """Where the packets of each stream go."""
    stamps, numbers = Stamps(), {"video": 0, "audio": 0}
    for kind, time in packets:
        stamps.add(int(kind == "audio"), kind, time, time, 0.04)
    stamps.settle()
    places: dict[str, list[float | None]] = {"video": [], "audio": []}
    for kind, time in packets:
        shift = stamps.shift_s(int(kind == "audio"), numbers[kind], time)
        numbers[kind] += 1
        places[kind].append(None if shift is None else time + shift)
    return places, stamps


@pytest.mark.parametrize(
    "parts",
    [
        [(0, 3), (0, 3)],
        [(0.5, 3.5), (0.5, 3.5), (0.5, 3.5)],
        [(100, 103), (7, 9)],
        [(0, 3), (1000, 1003)],
        [(0, 3), (1000, 1003), (5, 7)],
        [(0, 3), (1000, 1003), (1000, 1003), (0, 60)],
    ],
)
def test_parts_follow_one_another_whatever_their_stamps(parts):
    places, stamps = placed(packets_of(parts))
    for times in places.values():
        assert np.diff(np.array(times, float)) == pytest.approx(0.04, abs=0.021)
    assert stamps.extents()[0].end_s - parts[0][0] == pytest.approx(
        sum(end - begin for begin, end in parts), abs=0.3
    )
    assert not stamps.regular


@pytest.mark.parametrize("moved", [1, 3, 9, 17])
def test_the_last_packets_of_a_part_may_come_after_the_first_of_the_next(moved):
    packets = packets_of([(0, 3), (0, 3)])
    late = [i for i, (kind, _) in enumerate(packets[:150]) if kind == "video"][-moved:]
    order = [p for i, p in enumerate(packets[:150]) if i not in late]
    order += [packets[150 + 2 * k + 1] for k in range(2)] + [packets[i] for i in late]
    order += [p for i, p in enumerate(packets[150:]) if i not in (1, 3)]
    places, _ = placed(order)
    assert places["video"] == pytest.approx(places["audio"], abs=0.01)


def test_a_part_without_sound_keeps_what_follows_in_step():
    packets = packets_of([(0, 3), (0, 3), (0, 3)])
    silent = [p for i, p in enumerate(packets) if not (150 <= i < 300 and p[0] == "audio")]
    places, _ = placed(silent)
    assert places["audio"][75:] == pytest.approx(places["video"][150:], abs=0.01)


@pytest.mark.parametrize("time", [0.0, 5000.0, 20.0, -300.0])
@pytest.mark.parametrize("kind", ["video", "audio"])
def test_one_damaged_stamp_costs_no_other_its_place(kind, time):
    packets = packets_of([(2, 8)])
    hit = next(i for i, p in enumerate(packets) if p[0] == kind and p[1] > 5)
    places, stamps = placed([*packets[:hit], (kind, time), *packets[hit + 1 :]])
    wanted, _ = placed(packets)
    number = sum(p[0] == kind for p in packets[:hit])
    assert places[kind][number] is None
    for name in ("video", "audio"):
        kept = [i for i in range(len(wanted[name])) if (name, i) != (kind, number)]
        assert [places[name][i] for i in kept] == [wanted[name][i] for i in kept]
    assert stamps.warnings == ["damaged time stamps in 1 places: counted on instead"]


def test_ten_thousand_jumps_are_placed_in_seconds():
    stamps = Stamps()
    for number in range(10_000):
        time = 100.0 * ((number * 7919) % 100_003)
        stamps.add(0, "video", time, time, 1e6)
    stamps.settle()
    assert stamps.extents()[0].end_s <= 10 * 10_000


def test_a_clip_with_restarts_can_be_damaged(talk, tmp_path):
    path = tmp_path / "a.mpg"
    path.write_bytes(talk("a.mpg").read_bytes() * 2)
    write_clip(str(path), tmp_path / "out.mp4", read_sound(str(path)), [])
    damaged = probe(str(tmp_path / "out.mp4"))
    assert damaged.duration_s == pytest.approx(6.0, abs=0.3)
    times = [frame.time_s for frame in read_frames(str(tmp_path / "out.mp4"))]
    assert len(times) == 150 and np.diff(times).max() < 0.1


def test_segments_of_a_clip_with_restarts_are_found(talk, tmp_path):
    path = tmp_path / "a.mpg"
    path.write_bytes(talk("a.mpg").read_bytes() * 2)
    frames = list(sample_frames(Clip(str(path), 3.5, 0.4), 4, 0.1, 1280, Damage()))
    assert [float(f.mean()) for f in frames if f is not None] == pytest.approx(
        [65, 70, 75, 80], abs=9
    )


def test_files_of_others_are_closed_up_too(faults):
    assert probe(str(faults / "cat_ps.mpg")).duration_s == pytest.approx(6.0, abs=0.05)
    info = probe(str(faults / "audio_wall.mp4"))
    assert info.has_audio and info.duration_s == pytest.approx(2.6, abs=0.1)
    assert probe(str(faults / "hostile" / "h8.mp4")).duration_s < 2
    greys, levels, told = observed(faults / "audio_wall.mp4", 2.6)
    assert None not in greys and levels.max() > 0.01
    assert told == [
        "the sound is stamped 1700000000 s after everything else: taken to begin with it"
    ]
