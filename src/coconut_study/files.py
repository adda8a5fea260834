"""Whole files or none: everything is written under a temporary name, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import TextIO

from coconut_study.errors import StudyError


def check_space(folder: Path, n_bytes: int) -> None:
    """StudyError when the disk of a folder has less room."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if (free := shutil.disk_usage(there).free) < n_bytes:
        raise StudyError(
            f"{folder}: this stage needs up to {n_bytes / 1e9:.2f} GB for its states and its checkpoint, the "
            f"disk has {free / 1e9:.2f} GB left; make room, and the same command goes on"
        )


def _temporary(path: Path) -> Path:
    """A name for this process alone; what processes that were killed left of the same file is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{escape(path.name)}.*.part"):
        if not _runs(int(left.name.split(".")[-2])):
            _remove(left)
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary name that becomes `path` when the block ends well, and vanishes when it does not."""
    part = _temporary(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """The same as an open text file."""
    with whole(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def written_folder(path: Path) -> Iterator[Path]:
    """The same as a folder; an earlier folder at `path` is replaced."""
    part = _temporary(path)
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        yield part
        shutil.rmtree(path, ignore_errors=True)
        part.replace(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
