"""What code does counts, and not how it is worded; what it imports counts with it."""

import textwrap
import time
from pathlib import Path

import pytest

from contracts.code import PACKAGES, closure, digest, digests, files_of, imports, plain
from contracts.messages import message
from extractors.datasets.cmu import published_splits

SOURCE = '''
"""What this is."""

import warnings
from tqdm import tqdm
from pydantic import BaseModel, Field
from contracts.messages import message

NAMES = {"train": "one two three"}


class Settings(BaseModel):
    """Knobs."""

    width: int = Field(default=3, description="how wide")


def measure(rows, step=2, name="energy"):
    """How much is in them."""
    if not rows:
        raise ValueError(f"there are no rows in {name}, " "add some")
    if len(rows) > 5:
        warnings.warn(f"only the first 5 of {len(rows)} rows", stacklevel=2)
    print("measuring", len(rows), sep=" ")
    for row in tqdm(rows, desc="measure"):
        yield f"{name} of {row}", row * step, message(f"{row} was measured")
'''


def changed(old: str, new: str) -> str:
    assert SOURCE.count(old) == 1
    return SOURCE.replace(old, new)


@pytest.mark.parametrize(
    "other",
    [
        changed('"""What this is."""', '"""What that was."""'),
        changed('    """How much is in them."""\n', ""),
        changed('"""Knobs."""', '"""Knobs."""\n\n    "and more of them"'),
        changed("NAMES =", "# a comment\n\nNAMES ="),
        changed("(rows, step=2", "(\n    rows,  # all\n    step=2"),
        changed("if not rows:", "if (not rows):"),
        changed('"train": "one', "'train': 'one").replace('three"', "three'"),
        changed('"how wide"', '"how broad"'),
        changed('"there are no rows in {name}, " "add some"', '"add rows to {name}"'),
        changed("only the first 5 of {len(rows)} rows", "{len(rows)} rows are too many"),
        changed('"measuring"', '"looking at"'),
        changed('desc="measure"', 'desc="look"'),
        changed("{row} was measured", "measured: {row}"),
        changed("NAMES =", "if TYPE_CHECKING:\n    import numpy\nNAMES ="),
    ],
)
def test_other_words_change_nothing(other: str) -> None:
    assert other != SOURCE
    assert plain(other) == plain(SOURCE)


@pytest.mark.parametrize(
    "other",
    [
        changed("row * step", "row + step"),
        changed("step=2", "step=3"),
        changed('name="energy"', 'name="power"'),
        changed('"one two three"', '"one two four"'),
        changed("default=3", "default=4"),
        changed("len(rows) > 5", "len(rows) > 6"),
        changed('f"{name} of {row}"', 'f"{name} in {row}"'),
        changed("stacklevel=2", "stacklevel=3"),
        changed("no rows in {name}", "no rows in {step}"),
        changed("{row} was measured", "{name} was measured"),
        changed("raise ValueError", "raise TypeError"),
        changed("def measure", "def look"),
        changed("import warnings\n", ""),
    ],
)
def test_what_the_code_does_counts(other: str) -> None:
    assert plain(other) != plain(SOURCE)


def test_a_text_that_is_data_counts() -> None:
    source = Path(published_splits.__file__).read_text("utf-8")
    name = next(word for word in source.split() if word == "2iD-tVS8NPw")
    assert plain(source.replace(name, "another")) != plain(source)


def test_values_of_other_kinds_are_told_apart() -> None:
    forms = {plain(f"x = {value}") for value in ("1", "1.0", "True", "'1'", "b'1'", "None", "...")}
    assert len(forms) == 7
    assert plain("x = u'a'") == plain("x = 'a'")


def test_message_returns_its_text() -> None:
    assert message("as it is") == "as it is"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small repository."""
    for name, source in {
        "contracts/__init__.py": "",
        "contracts/files.py": "import os\n",
        "extractors/__init__.py": "from extractors.api import extract\n",
        "extractors/api.py": "import numpy\n",
        "extractors/sound/__init__.py": "from .pitch import LOWEST\n",
        "extractors/sound/pitch.py": "from ..levels import quiet\nLOWEST = 1\n",
        "extractors/levels.py": "def quiet():\n    import contracts.files as f\n    return f\n",
        "extractors/typed.py": """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from extractors import api
            else:
                from extractors import levels
        """,
        "extractors/alone.py": "import numpy.contracts\nfrom lnln import nothing\n",
        "numpy/__init__.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), "utf-8")
    return tmp_path


def test_imports_are_followed_whatever_their_form(root: Path) -> None:
    own = {"extractors/__init__.py"}
    assert imports("extractors/sound/__init__.py", root) == own | {"extractors/sound/pitch.py"}
    assert imports("extractors/sound/pitch.py", root) == own | {
        "extractors/levels.py",
        "extractors/sound/__init__.py",
    }
    assert imports("extractors/levels.py", root) == own | {
        "contracts/__init__.py",
        "contracts/files.py",
    }


def test_what_only_a_type_checker_imports_is_not_followed(root: Path) -> None:
    assert imports("extractors/typed.py", root) == {
        "extractors/__init__.py",
        "extractors/levels.py",
    }


def test_libraries_are_not_followed(root: Path) -> None:
    assert imports("extractors/alone.py", root) == {"extractors/__init__.py"}


def test_closure_is_all_that_is_imported(root: Path) -> None:
    assert closure(["extractors/sound"], root=root) == {
        "contracts/__init__.py",
        "contracts/files.py",
        "extractors/__init__.py",
        "extractors/api.py",
        "extractors/levels.py",
        "extractors/sound/__init__.py",
        "extractors/sound/pitch.py",
    }


def test_what_is_left_out_is_not_followed(root: Path) -> None:
    files = ["extractors/sound/pitch.py"]
    found = closure(files, without=["extractors/__init__.py", "extractors/levels.py"], root=root)
    assert found == {"extractors/sound/__init__.py", "extractors/sound/pitch.py"}
    assert closure(["extractors/levels.py"], without=["contracts"], root=root) == {
        "extractors/__init__.py",
        "extractors/api.py",
        "extractors/levels.py",
    }


def test_what_is_asked_for_is_not_left_out(root: Path) -> None:
    found = closure(["extractors/levels.py"], without=["extractors", "contracts"], root=root)
    assert found == {"extractors/levels.py"}


def test_a_file_that_is_no_code_counts_as_it_is(root: Path) -> None:
    (root / "extractors" / "text.md").write_text("# a heading", "utf-8")
    before = digest(["extractors/text.md"], root=root)
    (root / "extractors" / "text.md").write_text("# another", "utf-8")
    assert digest(["extractors/text.md"], root=root) != before


def test_a_file_that_is_not_there_is_left_out(root: Path) -> None:
    assert closure(["extractors/absent.py", "lnln"], root=root) == set()


def test_digest_changes_with_what_any_imported_file_does(root: Path) -> None:
    files = ["extractors/sound"]
    before = digest(files, root=root)
    path = root / "contracts" / "files.py"
    path.write_text("import os  # and nothing else\n", "utf-8")
    assert digest(files, root=root) == before
    path.write_text("import sys\n", "utf-8")
    assert digest(files, root=root) != before
    assert digest(files, without=["contracts"], root=root) == digest(
        files, without=["contracts/__init__.py", "contracts/files.py"], root=root
    )


def test_digests_are_sorted_by_path(root: Path) -> None:
    assert list(digests(["extractors"], root=root)) == sorted(closure(["extractors"], root=root))


def test_error_in_a_file_names_it(root: Path) -> None:
    (root / "extractors" / "levels.py").write_text("def (\n", "utf-8")
    with pytest.raises(SyntaxError) as raised:
        digest(["extractors/sound"], root=root)
    assert raised.value.filename == "extractors/levels.py"


def test_the_whole_repository_is_read_in_seconds() -> None:
    files = [file for package in PACKAGES for file in files_of(package)]
    assert len(files) > 100
    begin = time.process_time()
    digest(files)
    assert time.process_time() - begin < 3
