"""Sections of datasets.yaml, copied with their comments."""

import json
import re
from contextlib import suppress
from pathlib import Path

from ruamel.yaml import YAMLError

from contracts.files import replacing
from pipeline.checking import ParamsError, parse_yaml, read_yaml
from pipeline.params import load_datasets


def copy_section(file: Path, name: str, new: str, source: str) -> bool:
    """Add a section to `datasets.yaml` that is a copy of another one.

    Parameters
    ----------
    file : Path
    name, new : str
        The section to copy, and the name of the copy.
    source : str
        Value of its key `source`: from whom the files are to be had.

    Returns
    -------
    bool
        False where there is a section `new` already, which stays as it is.

    Raises
    ------
    ParamsError
        There is no section `name`, or the file cannot be read.
    """
    known = load_datasets(file)
    if new in known:
        return False
    if name not in known:
        raise ParamsError(
            f"{name!r} is no section of {file} that could be copied for {new!r}; "
            f"known: {', '.join(known)}"
        )
    text = file.read_text("utf-8")
    lines = _section(text.splitlines(), name)
    lines[0] = re.sub(r"^.*?:", lambda _: f"{_scalar(new)}:", lines[0], count=1)
    lines = _with_source(lines, source)
    with replacing(file) as temporary:
        temporary.write_text(text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n", "utf-8")
        before = read_yaml(file)
        if _content(temporary) != before | {new: before[name] | {"source": source}}:
            raise ParamsError(
                f"{file}: section {name!r} is written in a way that cannot be copied; add a "
                f"section {new!r} by hand"
            )
    return True


def _section(lines: list[str], name: str) -> list[str]:
    """Lines of a section, up to the next one and the comments and blank lines before that."""
    starts = [i for i, line in enumerate(lines) if re.match(r"[^\s#]", line)]
    begin = next((i for i in starts if _key(lines[i]) == name), None)
    if begin is None:  # the file is one in braces, or uses anchors over several lines
        return ["?:"]
    end = next((i for i in starts if i > begin), len(lines))
    while end > begin + 1 and re.match(r"(#|\s*$)", lines[end - 1]):
        end -= 1
    return lines[begin:end]


def _with_source(lines: list[str], source: str) -> list[str]:
    """Lines of a section with another value of `source`, which may have had several lines."""
    begin = next((i for i, line in enumerate(lines) if re.match(r"\s+source:", line)), None)
    if begin is None:
        return lines
    indent = re.match(r"\s+", lines[begin])
    assert indent is not None
    end = begin + 1
    while end < len(lines) and lines[end].startswith(indent[0] + " "):
        end += 1
    return [*lines[:begin], f"{indent[0]}source: {_scalar(source)}", *lines[end:]]


def _content(file: Path) -> object:
    try:
        return parse_yaml(file.read_text("utf-8"))
    except YAMLError:
        return None


def _key(line: str) -> str | None:
    try:
        content = parse_yaml(line)
    except YAMLError:
        return None
    return str(next(iter(content))) if isinstance(content, dict) else None


def _scalar(text: str) -> str:
    """A text as a YAML value in one line."""
    plain = None
    with suppress(YAMLError):
        plain = parse_yaml(f"- {text}")
    return text if plain == [text] else json.dumps(text, ensure_ascii=False)
