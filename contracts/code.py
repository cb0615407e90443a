"""What code does, as a hash: comments, formatting and texts for people are no part of it.

A result whose name is made of such a hash, or a DVC stage that depends on one, is made again when
the code behind it does something else, and not when it is described in other words. Files are
parsed and never imported, so a hash needs none of the libraries that they need.
"""

import ast
import hashlib
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path(__file__).parents[1]  # of the packages, in a checkout and where a wheel is installed
PACKAGES = ("contracts", "extractors", "lnln", "pipeline", "studies")

# Calls whose arguments are only told: to people, on the screen or in a table's warnings.
_TOLD = {"print", "warn", "message", "warnings.warn", "sys.exit"}
# Calls of which one argument is a text for people.
_DESCRIBED = {
    "Field": "description",
    "typer.Typer": "help",
    "typer.Option": "help",
    "typer.Argument": "help",
    "tqdm": "desc",
}


def digest(files: Iterable[str], *, without: Collection[str] = (), root: Path = ROOT) -> str:
    """Hash what some files and all that they import do.

    Parameters
    ----------
    files, without, root
        As `closure` takes them.

    Returns
    -------
    str
        sha256, in hexadecimal digits.
    """
    hashes = digests(files, without=without, root=root)
    lines = "".join(f"{path} {value}\n" for path, value in hashes.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def digests(
    files: Iterable[str], *, without: Collection[str] = (), root: Path = ROOT
) -> dict[str, str]:
    """Hash what each of some files and of those that they import does, sorted by path.

    Parameters
    ----------
    files, without, root
        As `closure` takes them.
    """
    paths = sorted(closure(files, without=without, root=root))
    return {path: _read(path, (root / path).read_bytes()).digest for path in paths}


def closure(files: Iterable[str], *, without: Collection[str] = (), root: Path = ROOT) -> set[str]:
    """Find some files and all files of this repository that they import, directly or not.

    Parameters
    ----------
    files : iterable of str
        Files, or folders of Python files, relative to `root`. What is not there is left out.
    without : collection of str
        Files, or folders of them, to leave out together with what only they import. What `files`
        names is in any case not left out.
    root : Path
        Folder of the packages.
    """
    reached = {file for name in files for file in files_of(name, root)}
    to_do = [imported for file in reached for imported in imports(file, root)]
    while to_do:
        file = to_do.pop()
        places = {file, *(str(folder) for folder in PurePosixPath(file).parents)}
        if file not in reached and places.isdisjoint(without):
            reached.add(file)
            to_do += imports(file, root)
    return reached


def files_of(name: str, root: Path = ROOT) -> list[str]:
    """List the file that a path relative to `root` is, or the Python files that it holds."""
    path = root / name
    files = [path] if path.is_file() else path.rglob("*.py")
    return sorted(file.relative_to(root).as_posix() for file in files)


def imports(file: str, root: Path = ROOT) -> set[str]:
    """Find the files of this repository that a file imports, at its top or inside a function.

    The `__init__.py` of its own package and of theirs run first and are among them. What only a
    type checker imports is not.

    Parameters
    ----------
    file : str
        Relative to `root`.
    root : Path
        Folder of the packages.
    """
    *folders, _ = file.split("/")
    modules = {".".join(folders)}
    for statement in _read(file, (root / file).read_bytes()).imports:
        modules |= set(_modules(statement, folders))
    paths = set()
    for module in modules:
        path = ""
        for part in module.split(".") if module.split(".")[0] in PACKAGES else ():
            path += f"/{part}" if path else part
            paths |= {f"{path}/__init__.py", f"{path}.py"}
    return {path for path in paths - {file} if (root / path).is_file()}


def plain(source: str | bytes) -> bytes:
    """Return what a Python file does, in a form that no other wording of it changes.

    Comments, formatting, docstrings and what only a type checker reads are not in it, nor is the
    constant text of what is told to people: under `raise`, in warnings and printed lines, in
    `contracts.messages.message`, in descriptions of settings and options. The expressions inside
    such texts are, and every other constant is.
    """
    return _written(_Unworded().visit(ast.parse(source)))


class _Read(NamedTuple):
    """What is asked of a file: the hash of its plain form, and its import statements."""

    digest: str
    imports: list[ast.Import | ast.ImportFrom]


@cache
def _read(file: str, content: bytes) -> _Read:
    if not file.endswith(".py"):  # a template
        return _Read(hashlib.sha256(content).hexdigest(), [])
    tree = _Unworded().visit(ast.parse(content, file))
    statements = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    return _Read(hashlib.sha256(_written(tree)).hexdigest(), statements)


def _modules(statement: ast.Import | ast.ImportFrom, folders: list[str]) -> list[str]:
    """Dotted names that a statement in a file in these folders may import."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    above = folders[: len(folders) - statement.level + 1] if statement.level else []
    base = ".".join([*above, *([statement.module] if statement.module else [])])
    return [base, *(f"{base}.{alias.name}" for alias in statement.names)]


class _Unworded(ast.NodeTransformer):
    """Takes out of a tree what is only said."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Drop docstrings: a text alone does nothing."""
        if isinstance(node.value, ast.Constant):
            return None
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """Drop what only a type checker reads."""
        self.generic_visit(node)
        return node.orelse if _name(node.test).endswith("TYPE_CHECKING") else node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return _Blanked().visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = _name(node.func)
        if name in _TOLD:
            return _Blanked().visit(node)
        for keyword in node.keywords:
            if keyword.arg and keyword.arg == _DESCRIBED.get(name):
                keyword.value = _Blanked().visit(keyword.value)
        return self.generic_visit(node)


class _Blanked(ast.NodeTransformer):
    """Empties the constant texts of a tree, and leaves its expressions."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        parts = [part for part in node.values if not isinstance(part, ast.Constant)]
        return ast.JoinedStr([self.visit(part) for part in parts]) if parts else ast.Constant("")


def _name(node: ast.expr) -> str:
    """Dotted name of what is called or asked; empty where it has none."""
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _written(tree: ast.AST) -> bytes:
    """Write a tree. Empty fields are left out: each version of Python adds some."""
    pieces: list[str] = []

    def write(value: object) -> None:
        if isinstance(value, ast.AST):
            pieces.append(f"{type(value).__name__}(")
            for name in value._fields:
                field = getattr(value, name, None)
                if field is not None and field != [] and name != "kind":  # of a string: u"..."
                    pieces.append(f"{name}=")
                    write(field)
            pieces.append(")")
        elif isinstance(value, list):
            pieces.append("[")
            for each in value:
                write(each)
            pieces.append("]")
        else:
            pieces.append(f"{value!a},")

    write(tree)
    return "".join(pieces).encode("ascii")
