"""Adapters merged into their base, and models that lie in several packages."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from extractors.assets import joined, resolving
from extractors.assets.adapters import ADAPTERS, adapter_of, merged
from extractors.assets.known_weights import ASSETS
from extractors.assets.resolving import contents, resolve
from extractors.errors import MissingAsset
from extractors.settings import TextSettings
from extractors.text.extractor import TextExtractor

QUERY = "encoder.layer.0.attention.self.query"


@pytest.fixture
def base(make_bert, tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return make_bert(["good", "bad", "film"])


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    """One matrix changed, by a product of rank 2 that counts twice."""
    folder = tmp_path / "mine-rated"
    folder.mkdir()
    draw = np.random.default_rng(0)
    name = f"base_model.model.{QUERY}"
    save_file(
        {
            f"{name}.lora_A.weight": draw.normal(size=(2, 8)).astype(np.float16),
            f"{name}.lora_B.weight": draw.normal(size=(8, 2)).astype(np.float16),
        },
        folder / "adapter_model.safetensors",
    )
    save_file(
        {"weight": np.ones(8, np.float32), "bias": np.zeros(1, np.float32)},
        folder / "head.safetensors",
    )
    config = {
        "base_model_name_or_path": str(base),
        "r": 2,
        "lora_alpha": 4,
        "lost_words": "left_out",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def test_merged_model_has_the_update_in_its_weights_and_the_rest_of_its_base(base, adapter):
    folder = resolve(str(adapter), offline=True)
    before, after = (load_file(f / "model.safetensors") for f in (base, folder))
    update = load_file(adapter / "adapter_model.safetensors")
    a, b = (update[f"base_model.model.{QUERY}.lora_{x}.weight"].astype(float) for x in "AB")
    changed = f"{QUERY}.weight"
    assert np.allclose(after[changed], before[changed] + 2 * b @ a, atol=1e-6)
    assert all(np.array_equal(before[n], after[n]) for n in before if n != changed)
    assert (folder / "head.safetensors").is_file()


def test_merging_again_gives_the_same_folder_and_bytes(adapter, tmp_path, monkeypatch):
    first = resolve(str(adapter), offline=True)
    assert resolve(str(adapter), offline=True) == first
    before = contents(first)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    again = resolve(str(adapter), offline=True)
    assert again != first and contents(again) == before


def test_extractor_of_an_adapted_model_leaves_lost_words_out(base, adapter):
    plain = TextExtractor(TextSettings(model=str(base), max_tokens=8), offline=True)
    rated = TextExtractor(TextSettings(model=str(adapter), max_tokens=8), offline=True)
    assert plain.info().lost_id is None
    assert rated.info().lost_id == rated.info().pad_id == 0
    said = (e.extract("good film", []) for e in (plain, rated))
    plainly, tuned = said
    assert plainly.token_ids.tolist() == tuned.token_ids.tolist()
    assert not np.allclose(plainly.values, tuned.values)


@pytest.mark.parametrize(
    "name", ["adapter_config.json", "adapter_model.safetensors", "head.safetensors"]
)
def test_adapter_without_one_of_its_files_is_refused(adapter, base, name):
    (adapter / name).unlink()
    with pytest.raises(MissingAsset, match=name):
        merged(adapter, base)


def test_adapter_of_another_base_is_refused(adapter, base):
    weights = load_file(base / "model.safetensors")
    weights[f"{QUERY}.weight"] = np.zeros((4, 4), np.float32)
    save_file(weights, base / "model.safetensors")
    with pytest.raises(MissingAsset, match=r"query\.weight is no matrix of"):
        merged(adapter, base)


def test_config_that_says_too_little_is_refused(adapter, base):
    (adapter / "adapter_config.json").write_text('{"r": 2}')
    with pytest.raises(MissingAsset, match="lora_alpha"):
        merged(adapter, base)
    (adapter / "adapter_config.json").write_text("{")
    with pytest.raises(MissingAsset, match="cannot be read"):
        merged(adapter, base)


@pytest.mark.parametrize("name", ADAPTERS)
def test_adapters_of_this_program_are_small_and_whole(name):
    folder = adapter_of(name)
    assert folder is not None
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2 * 2**20
    assert json.loads((folder / "adapter_config.json").read_text())["about"]["sentences"] == 23703


def test_model_in_parts_is_joined_once(base, tmp_path, monkeypatch):
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for file in base.iterdir():
            archive.write(file, f"tiny/{file.name}")
        archive.writestr("tiny/1_Pooling/config.json", "{}")
        archive.writestr("../escaped.json", "{}")
    content = whole.read_bytes()
    halves = [tmp_path / "packages" / f"part{i}" for i in range(2)]
    for i, folder in enumerate(halves):
        folder.mkdir(parents=True)
        (folder / "tiny.zip").write_bytes(content[i * 1000 : None if i else 1000])
    asset = ASSETS["mpnet"]._replace(
        inside="tiny", parts=tuple((folder.name, "tiny.zip") for folder in halves)
    )
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    folder = joined.joined("tiny", asset, ["*.json", "vocab*", "model.safetensors"])
    assert folder is not None
    assert contents(folder) == contents(base)
    assert {f.name for f in folder.iterdir()} <= {f.name for f in base.iterdir()}
    (halves[0] / "tiny.zip").unlink()
    assert joined.joined("tiny", asset, ["*.json"]) == folder  # not asked for again
    other = asset._replace(sha256="0" * 64)
    assert joined.joined("tiny", other, ["*.json"]) is None
    (halves[0] / "tiny.zip").write_bytes(b"nonsense")
    with pytest.raises(MissingAsset, match="no zip file together"):
        joined.joined("tiny", other, ["*.json"])


def test_environment_s_path_comes_before_an_adapter(base, monkeypatch):
    monkeypatch.setenv("LNLN_ASSET_MINILM_RATED", str(base))
    assert resolving.resolve("minilm-rated", offline=True) == base


def test_full_disk_leaves_no_half_of_a_merged_model(base, adapter, tmp_path, full_disk):
    with full_disk(), pytest.raises(OSError):
        resolve(str(adapter), offline=True)
    assert [path.name for path in (tmp_path / "cache" / "lnln").rglob("*")] == ["adapted"]
    assert (resolve(str(adapter), offline=True) / "model.safetensors").is_file()
