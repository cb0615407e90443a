"""YAML files checked against the classes of their sections, every mistake named at once."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError
from ruamel.yaml import YAML, YAMLError

from contracts.messages import message
from pipeline.paths import PARAMS

RESTORE = message(
    f"What a failed `dvc exp run -S` wrote stays in {PARAMS}: give that line its former value back "
    f"(git diff {PARAMS} shows it)."
)


class ParamsError(Exception):
    """A key or value of `params.yaml` or `datasets.yaml` that cannot be used, and what could be."""


def parse_yaml(text: str) -> Any:
    """Read YAML as DVC does, by version 1.2: `no` is a text, and 010 is ten.

    Keys are names: what reads as another type becomes the text that DVC makes of it.

    Raises
    ------
    YAMLError
        It is none, or a key stands in it twice.
    """
    return _named(YAML(typ="safe", pure=True).load(text))


def name_of(value: Any) -> Any:
    """Return a name that reads as a number, a date or a truth value as DVC writes it in a path."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | date) else value


Name = Annotated[str, BeforeValidator(name_of)]


def _named(content: Any) -> Any:
    if isinstance(content, dict):
        return {name_of(key): _named(value) for key, value in content.items()}
    return content


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a file of sections.

    Raises
    ------
    ParamsError
        The file is missing, or is no YAML mapping.
    """
    try:
        content = parse_yaml(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ParamsError(f"{path} is not here; run from the project's folder") from None
    except (YAMLError, UnicodeDecodeError) as error:
        told = str(error).partition("To suppress this check")[0].strip()  # of keys that stand twice
        raise ParamsError(f"{path} is not valid YAML: {told}") from None
    if not isinstance(content, dict):
        raise ParamsError(f"{path} must hold `key: value` lines, not {type(content).__name__}")
    return content


def refuse(problems: Iterable[str], where: str) -> None:
    """Raise a `ParamsError` that lists the problems, if there are any."""
    if lines := [f"\n  {problem}" for problem in problems]:
        raise ParamsError(f"{where}:" + "".join(lines))


def problems_of(
    model: type[BaseModel], content: Any, section: str = "", *, also: Iterable[str] = ()
) -> list[str]:
    """Say what is wrong with a section, one line per key.

    Parameters
    ----------
    model : type
        Class of the section.
    content : Any
        As it was read.
    section : str
        Key of the section; empty for the whole file.
    also : iterable of str
        Keys that the section may hold beside those of the class.
    """
    return [_explain(model, error, section, also) for error in _errors(model, content)]


def problems_of_some(
    model: type[BaseModel], content: Any, section: str, *, also: Iterable[str] = ()
) -> list[str]:
    """Say what is wrong with a section that names some of the keys of a class.

    Whether values go together is not asked: the others may be named elsewhere.
    """
    return [
        _explain(model, error, section, also)
        for error in _errors(model, content)
        if error["type"] != "missing" and not _about_several_keys(error)
    ]


def without_nulls(section: Any) -> Any:
    """Return a section without the keys that are null; an empty one is an empty mapping."""
    if section is None:
        return {}
    if not isinstance(section, dict):
        return section
    cleared = {k: without_nulls(v) for k, v in section.items() if v is not None}
    return {k: v for k, v in cleared.items() if v != {}}


def _errors(model: type[BaseModel], content: Any) -> list[Any]:
    try:
        model.model_validate(content)
    except ValidationError as error:
        return error.errors()
    return []


def _explain(model: type[BaseModel], problem: Any, section: str, also: Iterable[str]) -> str:
    """Say which key is wrong, what it was, and what it may be."""
    place = ([section] if section else []) + [str(part) for part in problem["loc"]]
    name = ".".join(place) or "this section"
    if problem["type"] == "extra_forbidden":
        parents = problem["loc"][:-1]
        allowed = set(_within(model, parents).model_fields).union(() if parents else also)
        return f"{name}: unknown key; allowed here: {', '.join(sorted(allowed)) or 'none'}"
    if problem["type"] == "missing":
        return f"{name}: missing; every key has to be given"
    reason = problem["ctx"]["error"] if problem["type"] == "value_error" else problem["msg"]
    if _about_several_keys(problem):
        return f"{name}: {reason}"
    return f"{name}: {problem['input']!r} is not allowed: {reason}"


def _about_several_keys(problem: Any) -> bool:
    """Say whether values are each allowed, but do not go together."""
    return isinstance(problem["input"], dict) and problem["type"] == "value_error"


def _within(model: type[BaseModel], keys: Iterable[str]) -> type[BaseModel]:
    """Find the class of a section inside a section; it may be optional, or one of a mapping."""
    kind: Any = model
    for key in keys:
        mapped = get_origin(kind) is dict
        kind = get_args(kind)[1] if mapped else kind.model_fields[key].annotation
        if isinstance(kind, UnionType):
            kind = next(k for k in get_args(kind) if hasattr(k, "model_fields"))
    section: type[BaseModel] = kind
    return section
