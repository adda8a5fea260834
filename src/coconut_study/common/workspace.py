"""Folders for unfinished work, from which a job that was killed resumes.

A workspace lies beside the output it is for. No rule declares it, because Snakemake removes declared files
when a job fails or starts again. One process at a time uses it, and it has work for one key: a hash of all
that determines the output. Its files are written completely, and checked when they are read.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from coconut_study.common.errors import StudyError
from coconut_study.common.files import remove_parts, written
from coconut_study.common.progress import say

T = TypeVar("T")
# Called with the name of a piece of work and a function that computes its result; returns the result.
PieceRunner = Callable[[str, Callable[[], Any]], Any]


@contextmanager
def workspace(folder: Path, key: str, process: int = 0) -> Iterator[Path]:
    """The subfolder for `key` of a workspace; everything else in it is removed.

    The workspace is removed if the block succeeds, or fails before anything is saved. Processes that work
    together use the same folder, each with its own number `process`. StudyError if another job uses the
    workspace.
    """
    own = folder / key
    with _locked(folder, f"lock{process}"):
        if process == 0:
            _clear(folder, own)
        own.mkdir(exist_ok=True)
        try:
            yield own
        except BaseException:
            if process == 0 and not any(own.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        if process == 0:
            shutil.rmtree(folder)


def _clear(folder: Path, own: Path) -> None:
    """Remove the work for other keys, and what killed processes left of files that they were writing."""
    for other in folder.iterdir():
        if other.is_dir() and other != own:
            shutil.rmtree(other)
    remove_parts(own)


@contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    """Hold a lock of the operating system, which releases it when the process ends, even if it is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / name, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise StudyError(f"{folder}: another process works here; wait for it or end it") from error
    except OSError as error:
        if error.filename is not None:
            raise
        raise StudyError(
            f"{folder}: the file system cannot lock files ({error.strerror}); keep results on one that can"
        ) from error
    try:
        yield
    finally:
        lock.release()


# ---------------------------------------------------------------------------------------- pieces of work


class Pieces:
    """Results of pieces of work, each saved in a folder when it is computed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, compute: Callable[[], T]) -> T:
        """The result (a JSON value) saved under `name`; if there is none, it is computed and saved."""
        path = self.folder / f"{name}.json"
        if path.exists():
            try:
                return _read(path)
            except StudyError as error:
                say(f"{error}; it is computed again")
        value = compute()
        with written(path) as file:
            text = json.dumps(value)
            file.write(f"{sha256(text.encode()).hexdigest()}\n{text}\n")
        return value


def _read(path: Path) -> Any:
    checksum, _, text = path.read_bytes().partition(b"\n")
    if checksum.decode(errors="replace") != sha256(text.removesuffix(b"\n")).hexdigest():
        raise StudyError(f"{path}: this piece of work is damaged (its checksum differs)")
    return json.loads(text)


def unsaved(_: str, compute: Callable[[], T]) -> T:
    """Compute a piece of work without saving it."""
    return compute()
