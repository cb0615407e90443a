"""What is opened at all: files that hold their own pictures and sounds, by one function."""

import ast
from pathlib import Path

import av
import pytest

from extractors.damage.reading import read_frames, read_sound
from extractors.errors import MediaError
from extractors.media.container import FORMATS, Clip, Damage, probe
from extractors.media.sound import sound_blocks
from extractors.vision.frames import sample_frames

ROOT = Path(__file__).parents[3]

# What names other files, by the demuxer that would read them.
LEADS_ELSEWHERE = {
    "concat": "ffconcat version 1.0\nfile '{0}'\n",
    "concat, long": "ffconcat version 1.0\n" + "file '{0}'\nduration 1\n" * 20_000,
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nfile:{0}\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "dash": '<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>{0}'
    "</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "ffmetadata": ";FFMETADATA1\ntitle={0}\n",
}


@pytest.fixture
def victim(make_clip):
    return make_clip("victim.ts", video_codec="mpeg2video", audio_codec="mp2", seconds=0.5)


@pytest.mark.parametrize("kind", LEADS_ELSEWHERE)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.m3u8", "clip.mpd", "clip.sdp"])
def test_a_file_that_names_another_is_refused(tmp_path, victim, kind, name):
    path = tmp_path / name
    path.write_text(LEADS_ELSEWHERE[kind].replace("{0}", victim.name))
    clip = Clip(str(path), 0.0, 1.0)
    for read in (
        lambda: probe(str(path)),
        lambda: list(sound_blocks(clip, Damage(), 1.0)),
        lambda: list(sample_frames(clip, 10, 0.1, 64, Damage())),
        lambda: read_sound(str(path)),
        lambda: list(read_frames(str(path))),
    ):
        with pytest.raises(MediaError, match="not a readable video or sound file"):
            read()


def test_numbered_pictures_are_not_taken_for_a_video(tmp_path):
    with av.open(str(tmp_path / "a%d.png"), "w", format="image2") as out:
        stream = out.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb24"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame(16, 16, "rgb24")))
    assert (tmp_path / "a2.png").is_file()
    (tmp_path / "a%d.png").write_bytes(b"x")
    with pytest.raises(MediaError):
        probe(str(tmp_path / "a%d.png"))


def test_the_words_of_the_victim_are_not_read(faults):
    with pytest.raises(MediaError, match="not a readable"):
        probe(str(faults / "hostile" / "ffconcat.mp4"))
    assert probe(str(faults / "hostile" / "victim.mp4")).has_audio


def test_every_format_that_is_allowed_is_one_that_ffmpeg_has():
    known = {name for formats in av.formats_available for name in formats.split(",")}
    assert set(FORMATS) <= known


@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("a.mp4", "libx264", "aac"),
        ("a.mov", "libx264", "pcm_s16le"),
        ("a.m4v", "libx264", "aac"),
        ("a.3gp", "libx264", "aac"),
        ("a.avi", "mpeg4", "mp3"),
        ("a.mkv", "libx264", "flac"),
        ("a.webm", "libvpx-vp9", "libopus"),
        ("a.mpg", "mpeg2video", "mp2"),
        ("a.mpeg", "mpeg1video", "mp2"),
        ("a.ts", "mpeg2video", "mp2"),
        ("a.m2ts", "libx264", "ac3"),
        ("a.MTS", "libx264", "ac3"),
        ("a.flv", "libx264", "aac"),
        ("a.wmv", "wmv2", "mp3"),
        ("a.asf", "mpeg4", "mp3"),
        ("a.nut", "libx264", "flac"),
    ],
)
def test_what_people_record_is_opened(make_clip, name, video, audio):
    info = probe(
        str(make_clip(name, seconds=0.4, video_codec=video, audio_codec=audio, rate=48_000))
    )
    assert (info.has_video, info.has_audio, info.width) == (True, True, 64)


@pytest.mark.parametrize("folder", ["contracts", "extractors", "lnln", "pipeline", "studies"])
def test_files_are_opened_for_reading_in_one_place(folder):
    calls = []
    for path in (ROOT / folder).rglob("*.py"):
        source = path.read_text("utf-8")
        for node in ast.walk(ast.parse(source)) if "av.open" in source else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "av.open":
                modes = [arg.value for arg in node.args[1:2] if isinstance(arg, ast.Constant)]
                calls += [path.relative_to(ROOT).as_posix()] if modes != ["w"] else []
    assert calls == (["extractors/media/container.py"] if folder == "extractors" else [])
