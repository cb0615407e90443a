"""Nobody bumps a version by hand: whatever can change a result changes its name in the cache."""

import ast
import shutil
from importlib import import_module
from pathlib import Path

import pytest

from extractors import fingerprint as module
from extractors.fingerprint import fingerprint
from extractors.settings import AudioSettings, SpeechSettings, TextSettings, VisionSettings

HERE = Path(module.__file__).parent
SETTINGS = {
    "text": TextSettings(),
    "audio": AudioSettings(),
    "vision": VisionSettings(),
    "speech": SpeechSettings(),
}
# Imported, and yet nothing that a result depends on.
HARMLESS = {
    "assets.py": "the models count by their content",
    "cache.py": "where results are kept",
    "compiling.py": "when machine code is made, and where it is kept",
    "collect.py": "which results have to be made",
    "errors.py": "messages",
    "pool.py": "how the work is done",
    "fingerprint.py": "the hash itself",
    "given.py": "which clips there is nothing to hear in",
    "settings.py": "the values count",
    "system.py": "a check that passes or stops the run",
    "tables.py": "the form of the tables",
}


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A copy of the package's source that the fingerprints are made of."""
    folder = tmp_path / "extractors"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "_HERE", folder)
    return folder


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

    module._source_hash.cache_clear()
    file = next((source / kind).glob("[a-z]*.py"))
    file.write_text(file.read_text("utf-8") + "\n# another way\n", "utf-8")
    assert fingerprint(kind, settings, offline=True).value != before


def test_model_counts_by_content_and_not_by_name(tmp_path, monkeypatch):
    settings = SETTINGS["vision"]
    before = fingerprint("vision", settings, offline=True)
    copy = tmp_path / "other.task"
    shutil.copyfile(module.resolve("face_landmarker", offline=True), copy)
    same = fingerprint("vision", settings.model_copy(update={"model": str(copy)}), offline=True)
    assert same.value == before.value
    copy.write_bytes(copy.read_bytes() + b"x")
    other = fingerprint("vision", settings.model_copy(update={"model": str(copy)}), offline=True)
    assert other.value != before.value


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_file_that_an_extractor_imports_counts(kind):
    counted: set[Path] = set()
    for name in import_module(f"extractors.{kind}").SOURCES:
        path = HERE / name
        counted |= {path} if path.is_file() else set(path.rglob("*.py"))
    for file in counted:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("extractors."):
                path = HERE.parent / (node.module.replace(".", "/") + ".py")
                assert path in counted or path.name in HARMLESS, f"{file.name} imports {path.name}"
