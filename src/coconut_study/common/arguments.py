"""Arguments in files, since a command line holds 128 KB at most: `@FILE` stands for the lines of FILE."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from coconut_study.common.files import written
from coconut_study.common.reading import read_text


def in_file(folder: Path, *arguments: str) -> str:
    """Write arguments to a file in `folder`, named by its content; `@FILE` for the command line.

    A file with other content at its place is replaced.
    """
    text = "".join(f"{argument}\n" for argument in arguments)
    path = folder / sha256(text.encode()).hexdigest()[:16]
    if not path.is_file() or path.read_text("utf-8", errors="replace") != text:
        with written(path) as file:
            file.write(text)
    return f"@{path}"


def expanded(argument: str) -> list[str]:
    """The arguments that one argument stands for: the lines of FILE for `@FILE`, else itself."""
    if not argument.startswith("@"):
        return [argument]
    text = read_text(Path(argument[1:]), "arguments", blank=True)
    return text.removesuffix("\n").split("\n") if text else []
