"""Where a result comes from: the source files behind a step, and the card of a checkpoint."""

from __future__ import annotations

import ast
import platform
import subprocess
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("torch", "transformers", "tokenizers", "accelerate", "numpy", "networkx")
# Modules of these names shape no result: they hold settings, parse arguments, word errors, show progress.
UNTRACKED = frozenset({"__init__", "settings", "options", "errors", "progress"})


# ----------------------------------------------------------------------------------- code behind a result


@cache
def code(target: str) -> str:
    """Sixteen hexadecimal digits that stand for the code behind a result.

    `target` is a module ("report.claims") or a command ("evaluation.commands:respond"). The code is that of
    the module, or of the body of the command and of what it uses in its file, and of all modules that these
    import, directly or not, wherever the import stands. Comments and docstrings do not count, nor do modules
    whose name is in `UNTRACKED`.
    """
    parts = [*_parts(target), *(_tree(source_path(name)) for name in modules(target))]
    return sha256("\n".join(_text(part) for part in parts).encode()).hexdigest()[:16]


@cache
def modules(target: str) -> tuple[str, ...]:
    """The modules whose code `code(target)` stands for, in alphabetical order; not the file of a command."""
    parts = _parts(target)
    waiting = [name for part in parts for name in _imported(part)] if parts else [target]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found and name.rpartition(".")[2] not in UNTRACKED:
            found.add(name)
            waiting += _imported(_tree(source_path(name)))
    return tuple(sorted(found))


def command(name: str) -> str:
    """The target of a command of the command line, in whichever package it stands: "train" gives
    "training.commands:train"; LookupError if there is none."""
    name = name.replace("-", "_")
    for path in sorted(PACKAGE.glob("*/commands.py")):
        if any(isinstance(node, ast.FunctionDef) and node.name == name for node in _tree(path).body):
            return f"{path.parent.name}.commands:{name}"
    raise LookupError(f"no package has a command {name}")


def source_path(module: str) -> Path:
    """The file of a module of this package."""
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _parts(target: str) -> list[ast.AST]:
    """The body of a command and the top-level statements of its file that it uses; none for a module."""
    module, _, name = target.partition(":")
    if not name:
        return []
    by_name: dict[str, Any] = {
        bound: node for node in _tree(source_path(module)).body for bound in _bound(node)
    }
    found: dict[str, ast.AST] = {name: ast.Module(by_name[name].body, [])}
    waiting = [name]
    while waiting:
        for used in _names(found[waiting.pop()]) & by_name.keys() - found.keys():
            found[used] = by_name[used]
            waiting.append(used)
    return list(found.values())


def _bound(node: ast.stmt) -> list[str]:
    """The names that a top-level statement binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _imported(node: ast.AST) -> list[str]:
    """The modules of this package that code imports, but for type checks alone."""
    if isinstance(node, ast.If) and _names(node.test) == {"TYPE_CHECKING"}:
        return []
    names = [name for child in ast.iter_child_nodes(node) for name in _imported(child)]
    if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{PACKAGE.name}."):
        parent = str(node.module).partition(".")[2]
        children = [f"{parent}.{alias.name}".lstrip(".") for alias in node.names]
        names += [child if source_path(child).is_file() else parent for child in children]
    return names


def _text(node: ast.AST) -> str:
    """Code as text, without comments and docstrings."""
    node = deepcopy(node)
    for one in ast.walk(node):
        if isinstance(one, ast.Module | ast.ClassDef | ast.FunctionDef) and _has_docstring(one):
            one.body = one.body[1:] or [ast.Pass()]
    return ast.unparse(node)


def _has_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> bool:
    return bool(node.body) and ast.get_docstring(node) is not None


def key(target: str, *facts: str) -> str:
    """A name for a result that is determined by the code of a command, the libraries, and some facts."""
    return sha256("\n".join([code(target), *map(version, LIBRARIES), *facts]).encode()).hexdigest()[:16]


# ------------------------------------------------------------------------------------------------- cards


def card(**facts: Any) -> dict[str, Any]:
    """What a checkpoint says of itself: `facts`, and the commit, versions, machine and time."""
    return {
        **facts,
        "commit": _commit(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _commit() -> str | None:
    """The commit of the checkout that holds the package, with + where it was changed; None outside git."""
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+"],
            cwd=PACKAGE, capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
