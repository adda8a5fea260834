"""Where a result comes from: a digest of the code that made it, and the facts on the card of a result.

The digest follows imports by reading the source files, so that nothing has to be imported to compute it.
Comments, docstrings, formatting and imports for type checkers do not change it.
"""

from __future__ import annotations

import ast
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from coconut_study.common.errors import StudyError, explain
from coconut_study.common.reading import read_json

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("torch", "transformers", "tokenizers", "accelerate", "numpy", "networkx")
# Modules with these names shape no result: they hold settings, parse arguments, word errors, show progress,
# look for what is missing, or describe a checkpoint to others. The catalog of tables and figures holds
# records; each counts for its own result.
UNTRACKED = frozenset(
    {
        "settings", "options", "errors", "progress", "journal", "tracker", "preflight", "catalog",
        "model_card", "custom_generate",
    }
)  # fmt: skip


# ----------------------------------------------------------------------------------- code behind a result


def code(target: str) -> str:
    """Sixteen hexadecimal digits that stand for the code behind a result.

    `target` is a module ("report.claims") or a command ("evaluation.commands:respond"). The code of a module
    is that of `modules(target)`. The code of a command is its body, what the body uses of the rest of its
    file, and that of `modules(target)`; the signature, which describes the options, is left out.
    """
    parts = [*_statements(target), *map(_tree, modules(target))]
    return sha256("\n".join(map(_text, parts)).encode()).hexdigest()[:16]


def modules(target: str) -> list[str]:
    """The modules that the code of `target` imports, directly or not, in alphabetical order.

    Imports inside functions count. A module is one of its own modules; the file of a command is not. Modules
    with a name in `UNTRACKED`, and what only they import, are left out.
    """
    waiting = [name for part in _statements(target) for name in _imports(part)] if ":" in target else [target]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached and name.rpartition(".")[2] not in UNTRACKED:
            reached.add(name)
            waiting += _imports(_tree(name))
    return sorted(reached)


def command(name: str) -> str:
    """The target of a command: "training.commands:train" for "train"; LookupError if there is none."""
    name = name.replace("-", "_")
    for path in sorted(PACKAGE.glob("*/commands.py")):
        module = f"{path.parent.name}.commands"
        if any(isinstance(node, ast.FunctionDef) and node.name == name for node in _tree(module).body):
            return f"{module}:{name}"
    raise LookupError(f"no package has a command {name}")


def source_path(module: str) -> Path:
    """The file of a module, whose name is given without that of this package: "report.claims"."""
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


def key(target: str, *facts: str) -> str:
    """Sixteen hexadecimal digits for the code of `target`, the versions of the libraries, and `facts`."""
    return sha256("\n".join([code(target), *map(version, LIBRARIES), *facts]).encode()).hexdigest()[:16]


def _statements(target: str) -> list[ast.stmt]:
    """The top-level statements that a command uses in its file, then its body; nothing for a module."""
    module, _, name = target.partition(":")
    if not name:
        return []
    tree = _tree(module)
    defining: dict[str, Any] = {bound: node for node in tree.body for bound in _bound(node)}
    command = defining[name]
    parameters = {one.arg for one in ast.walk(command.args) if isinstance(one, ast.arg)}
    visible = defining.keys() - parameters
    new = {defining[one] for node in command.body for one in _names(node) & visible}
    used: set[ast.stmt] = set()
    while new:
        used |= new
        new = {defining[one] for node in new for one in _names(node) & defining.keys()} - used
    return [*(node for node in tree.body if node in used), *command.body]


def _bound(node: ast.stmt) -> list[str]:
    """The names that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]


@cache
def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


@cache
def _imports(node: ast.AST) -> tuple[str, ...]:
    """The modules of this package that a piece of code imports."""
    found = [one for one in _inside(node) if isinstance(one, ast.ImportFrom)]
    return tuple(_module(one) for one in found if f"{one.module}.".startswith(f"{PACKAGE.name}."))


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and all statements inside it; expressions hold none."""
    yield node
    for block in _blocks(node):
        for one in block:
            yield from _inside(one)


def _blocks(node: ast.AST) -> list[list[ast.AST]]:
    """The lists of statements inside a statement, and of handlers and cases, which hold some."""
    fields = (getattr(node, name, None) for name in ("body", "orelse", "finalbody", "handlers", "cases"))
    return [field for field in fields if isinstance(field, list)]


def _module(node: ast.ImportFrom) -> str:
    """The module that one import is of: `from a import b` is of a.b if that is a module, else of a."""
    parent = str(node.module).partition(".")[2]
    child = f"{parent}.{node.names[0].name}".lstrip(".")
    return child if source_path(child).is_file() else parent


@cache
def _text(node: ast.AST) -> str:
    return ast.unparse(node)


def _tree(module: str) -> ast.Module:
    return _parsed(source_path(module).read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> ast.Module:
    return _Effective().visit(ast.parse(text))


class _Effective(ast.NodeTransformer):
    """Leaves of code what has an effect, with one import statement for each imported name."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Visits statements, not expressions."""
        for block in _blocks(node):
            visited = [self.visit(one) for one in block]
            block[:] = [
                one for new in visited for one in (new if isinstance(new, list) else [new]) if one is not None
            ]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Removes docstrings."""
        return None if isinstance(node.value, ast.Constant) else node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """Removes what is for type checkers only."""
        return None if _names(node.test) == {"TYPE_CHECKING"} else self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.AST]:
        """Splits `from a import b, c`, so that a command depends on no names that only others import."""
        return [ast.ImportFrom(node.module, [alias], node.level) for alias in node.names]


# ------------------------------------------------------------------------------------------------- cards


def card(**facts: Any) -> dict[str, Any]:
    """The card of a checkpoint: `facts`, what made it, and the time."""
    return {**facts, **origin(), "finished": datetime.now(UTC).isoformat(timespec="seconds")}


def origin() -> dict[str, Any]:
    """The commit and the versions that a result is made with."""
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


class Spec(BaseModel):
    """What is read of the specification of a stage."""

    model_config = ConfigDict(strict=True, extra="allow")

    questions: dict[str, Any] = {}


class Facts(BaseModel):
    """The facts that are read from the card of a checkpoint, which may have more."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)

    sha256: dict[str, str] = {}
    spec: Spec = Spec()
    data: dict[str, str] = {}
    thoughts: NonNegativeInt | None = None
    device: str | None = None
    processes: NonNegativeInt = 0
    seconds: float = 0.0
    energy_joules: float | None = None


def read_card(path: Path) -> dict[str, Any]:
    """The facts on the card of a checkpoint; StudyError if one has a wrong type."""
    facts = read_json(path)
    try:
        Facts.model_validate(facts)
    except ValidationError as error:
        raise StudyError(f"{path}: {'; '.join(explain(error, Facts))}") from error
    return facts


def _commit() -> str | None:
    """The commit of the checkout that this package is in, with + if it was changed; None outside git."""
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+"],
            cwd=PACKAGE, capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
