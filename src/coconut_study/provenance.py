"""Where a result comes from: the source files behind a step, and the card of a checkpoint."""

from __future__ import annotations

import ast
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
# Settings reach a step through its parameters; the others change no result.
UNTRACKED = frozenset(
    {"__init__", "__main__", "errors", "explain", "files", "progress", "provenance", "settings", "study"}
)
LIBRARIES = ("torch", "transformers", "tokenizers", "accelerate", "numpy", "networkx")


@cache
def sources(module: str) -> tuple[str, ...]:
    """The package files that `module` runs: itself and all it imports, found by reading the imports.

    A rule lists them as input, so that editing one reruns the steps that use it and no others.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found | UNTRACKED:
            found.add(name)
            waiting += _imports(PACKAGE / f"{name}.py")
    return tuple(str(PACKAGE / f"{name}.py") for name in sorted(found))


@cache
def _imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name:
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE.name}."):
            names.append(str(node.module).partition(".")[2])
    return names


def file_hash(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def key(module: str, *facts: str) -> str:
    """A name for a result that is determined by the code of a module, the libraries, and some facts."""
    code = [file_hash(Path(path)) for path in sources(module)]
    return sha256("\n".join([*code, *map(version, LIBRARIES), *facts]).encode()).hexdigest()[:16]


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
