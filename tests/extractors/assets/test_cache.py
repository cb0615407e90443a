"""A folder of the cache is whole or not there."""

from pathlib import Path

import pytest

from extractors.assets.cache import making


def test_folder_is_there_when_it_is_whole(tmp_path: Path) -> None:
    with making(tmp_path / "models" / "one") as made:
        (made / "weights").write_text("all")
        assert not (tmp_path / "models" / "one").exists()
    assert (tmp_path / "models" / "one" / "weights").read_text() == "all"
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["one"]


def test_nothing_is_left_of_a_folder_that_failed(tmp_path: Path) -> None:
    with pytest.raises(ValueError), making(tmp_path / "one") as made:
        (made / "weights").write_text("half")
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_of_two_that_make_the_same_the_first_stays(tmp_path: Path) -> None:
    with making(tmp_path / "one") as late:
        (late / "weights").write_text("late")
        with making(tmp_path / "one") as first:
            (first / "weights").write_text("first")
    assert (tmp_path / "one" / "weights").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
