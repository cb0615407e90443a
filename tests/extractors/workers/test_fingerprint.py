"""Nobody bumps a version by hand: whatever can change a result changes its name in the cache."""

import shutil
from importlib import import_module

import pytest

from contracts import code
from contracts.code import closure, digest, files_of
from extractors import fingerprint as module
from extractors.datasets import probing
from extractors.fingerprint import fingerprint
from extractors.settings import AudioSettings, SpeechSettings, TextSettings, VisionSettings

SETTINGS = {
    "text": TextSettings(),
    "audio": AudioSettings(),
    "vision": VisionSettings(),
    "speech": SpeechSettings(),
}
HARMLESS = module.HARMLESS | module.HARMLESS_FOR_ONE_CLIP


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A copy of the packages that the fingerprints are made of; a change of it counts at once."""
    for name in ("contracts", "extractors"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(code.ROOT / name, tmp_path / name, ignore=ignored)

    def of_the_copy(files):
        return digest(files, without=HARMLESS, root=tmp_path)

    monkeypatch.setattr(module, "_source_hash", of_the_copy)
    return tmp_path


@pytest.mark.parametrize("kind", SETTINGS)
def test_settings_libraries_and_source_all_count(kind, source, monkeypatch):
    settings = SETTINGS[kind]
    before = fingerprint(kind, settings, offline=True).value
    assert fingerprint(kind, settings, offline=True).value == before

    name, value = {
        "text": ("max_tokens", 12),
        "audio": ("pitch_min_hz", 70),
        "vision": ("fps", 5),
        "speech": ("beam_size", 2),
    }[kind]
    changed = settings.model_copy(update={name: value})
    assert fingerprint(kind, changed, offline=True).value != before

    for package in import_module(f"extractors.{kind}").PACKAGES:
        with monkeypatch.context() as patch:
            real = module.version
            patch.setattr(module, "version", lambda n, p=package, r=real: "0" if n == p else r(n))
            assert fingerprint(kind, settings, offline=True).value != before, package

    for file in (source / "extractors" / kind).glob("[a-z]*.py"):
        file.write_text(file.read_text("utf-8") + "\nANOTHER = 'way'\n", "utf-8")
        assert fingerprint(kind, settings, offline=True).value != before, file.name


@pytest.mark.parametrize("kind", SETTINGS)
def test_other_words_keep_what_is_in_the_cache(kind, source):
    before = fingerprint(kind, SETTINGS[kind], offline=True).value
    for file in source.rglob("*.py"):
        text = file.read_text("utf-8")
        file.write_text(f'"""Other words."""\n{text}\n# a comment\n', "utf-8")
    for name, words in (
        ("container.py", "not a readable video"),
        ("damaged.py", "breaks off early"),
    ):
        path = source / "extractors" / "media" / name
        text = path.read_text("utf-8")
        assert words in text
        path.write_text(text.replace(words, "other words"), "utf-8")
    assert fingerprint(kind, SETTINGS[kind], offline=True).value == before


def test_model_counts_by_content_and_not_by_name(tmp_path):
    settings = SETTINGS["vision"]
    before = fingerprint("vision", settings, offline=True)
    copy = tmp_path / "other.task"
    shutil.copyfile(module.resolve("face_landmarker", offline=True), copy)
    same = fingerprint("vision", settings.model_copy(update={"model": str(copy)}), offline=True)
    assert same.value == before.value
    copy.write_bytes(copy.read_bytes() + b"x")
    other = fingerprint("vision", settings.model_copy(update={"model": str(copy)}), offline=True)
    assert other.value != before.value


SOURCES = {kind: import_module(f"extractors.{kind}").SOURCES for kind in SETTINGS} | {
    "files": probing.SOURCES
}


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("text", "extractors/words.py"),
        ("audio", "extractors/media/sound.py"),
        ("vision", "extractors/media/container.py"),
        ("speech", "extractors/listening.py"),
        ("files", "extractors/media/container.py"),
    ],
)
def test_what_an_extractor_imports_counts(kind, file):
    assert file in closure(SOURCES[kind], without=HARMLESS)


def test_an_extractor_does_not_depend_on_another():
    for kind in SETTINGS:
        found = closure(SOURCES[kind], without=HARMLESS)
        for other in SETTINGS.keys() - {kind}:
            assert not found & set(files_of(f"extractors/{other}"))


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_left_out_is_there_and_imported(name):
    assert files_of(name)
    others = HARMLESS.keys() - {name}
    assert any(
        closure(sources, without=others) - closure(sources, without=HARMLESS)
        for sources in SOURCES.values()
    )
