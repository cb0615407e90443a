from types import SimpleNamespace

import pytest

from extractors.assets import downloads
from extractors.errors import MissingAsset


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub with one model; returns what was resolved, and whether it could be fetched."""
    asked = []

    def resolve(name, *, offline=False):
        asked.append((name, offline))
        if offline:
            raise MissingAsset(f"{name}: not found")
        return tmp_path

    files = [SimpleNamespace(rfilename="model.bin", size=484_000_000),
             SimpleNamespace(rfilename="flax.msgpack", size=10**9)]  # fmt: skip
    api = SimpleNamespace(model_info=lambda *_, **__: SimpleNamespace(siblings=files))
    monkeypatch.setattr(downloads, "resolve", resolve)
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: api)
    return asked


def test_a_download_is_told_with_its_size_before_it_begins(hub, capsys, tmp_path):
    assert downloads.fetched("Systran/faster-whisper-small") == tmp_path
    assert "faster-whisper-small is not on this machine, 484 MB are" in capsys.readouterr().err
    assert [offline for _, offline in hub] == [True, False]


def test_what_is_on_this_machine_is_not_told(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(downloads, "resolve", lambda name, offline: tmp_path)
    assert downloads.fetched("a") == tmp_path
    assert capsys.readouterr().err == ""


def test_nothing_is_asked_of_the_hub_offline(hub, capsys):
    with pytest.raises(MissingAsset):
        downloads.fetched("a/b", offline=True)
    assert capsys.readouterr().err == ""


def test_a_hub_that_does_not_answer_leaves_the_error_to_the_download(hub, capsys, monkeypatch):
    def refuse():
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.HfApi", refuse)
    downloads.fetched("a/b")
    assert "a/b is not on this machine, and the Hugging Face hub does not tell" in (
        capsys.readouterr().err
    )
