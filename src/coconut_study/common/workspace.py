"""Unfinished work, kept beside the output it is for, so that a job that was killed goes on where it was.

A workspace is a folder that no rule declares: Snakemake clears what is declared when a job fails or starts
again. It belongs to one process at a time, and holds work for one key, a hash of all that determines the
output. What lies in it is whole, and checked when it is read.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from coconut_study.common.errors import StudyError
from coconut_study.common.files import written
from coconut_study.common.progress import say

T = TypeVar("T")
Keeping = Callable[[str, Callable[[], Any]], Any]  # a name and how a piece of work is done -> its result


@contextmanager
def workspace(folder: Path, key: str, process: int = 0) -> Iterator[Path]:
    """The part of a workspace that is for `key`; what is there for other keys is removed.

    It is removed when the block ends well and stays when it does not. Each of several processes that work
    together has the folder with its own number. StudyError when another process holds it.
    """
    own = folder / key
    with _held(folder, f"lock{process}"):
        for other in folder.iterdir():
            if other.is_dir() and other != own:
                shutil.rmtree(other, ignore_errors=True)
        own.mkdir(exist_ok=True)
        yield own
        if process == 0:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(folder: Path, name: str) -> Iterator[None]:
    """A lock that ends with the process, however it ends."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise StudyError(f"{folder}: another process works here; wait for it or end it") from error
            if (folder / name).exists():  # else the one before removed it when it was done
                yield
                return


# ------------------------------------------------------------------------------------ many pieces of work


class Pieces:
    """Results of pieces of work, each kept when it is done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, compute: Callable[[], T]) -> T:
        """The result kept under a name (a JSON value), or the one computed now and kept."""
        path = self.folder / f"{name}.json"
        if path.exists():
            try:
                return _unsealed(path)
            except StudyError as error:
                say(f"{error}; it is made again")
        value = compute()
        with written(path) as file:
            text = json.dumps(value)
            file.write(f"{sha256(text.encode()).hexdigest()}\n{text}\n")
        return value


def _unsealed(path: Path) -> Any:
    checksum, _, text = path.read_bytes().partition(b"\n")
    if checksum.decode(errors="replace") != sha256(text.removesuffix(b"\n")).hexdigest():
        raise StudyError(f"{path}: this piece of work is damaged (its checksum differs)")
    return json.loads(text)


def at_once(_: str, compute: Callable[[], T]) -> T:
    """A piece of work that is not kept."""
    return compute()
