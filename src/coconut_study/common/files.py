"""Files that are complete or absent: they are written in a temporary folder, then moved to their place.

They are on the disk before they get their name, so this also holds after a power failure.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from glob import escape
from hashlib import file_digest, sha256
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, TextIO

from coconut_study.common.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

PART = re.compile(r"\.([0-9a-f]{8})\.(\d{1,9})\.part$")  # end of the name of a temporary folder
GIVEN_UP = 86400  # seconds after which the process of a temporary folder of another system counts as ended
RUST = re.compile(r"\(os error (\d+)\)")  # how libraries written in Rust say which error of the system it was


@contextmanager
def written_path(path: Path) -> Iterator[Path]:
    """A temporary path to write to; the file becomes `path` if the block succeeds and is removed if not."""
    with _part(path) as part:
        new = part / path.name
        yield new
        _flush(new)
        new.replace(path)


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """Open `path` for writing; it appears only if the block succeeds."""
    with written_path(path) as new, new.open("w", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def written_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `path`, and replaces what is there, only if the block succeeds."""
    with _part(path) as part:
        new = part / "new"
        new.mkdir()
        yield new
        for one in (*new.rglob("*"), new):
            _flush(one)
        if path.exists():
            path.replace(part / "old")
        new.replace(path)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table with ten significant digits."""
    with written(path) as file:
        table.to_csv(_Rows(file), index=False, float_format="%.10g", lineterminator="\r\n")


class _Rows:
    """A file of rows that end in a line feed.

    The module csv quotes the line ends that it writes itself, and no others. So it writes a carriage return
    and a line feed, and cells may hold either.
    """

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, row: str) -> int:
        """Write a row that ends in a carriage return and a line feed."""
        return self.file.write(row.removesuffix("\r\n") + "\n")


def check_space(folder: Path, n_bytes: int) -> None:
    """StudyError if the disk of `folder` has less than `n_bytes` free."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if (free := shutil.disk_usage(existing).free) < n_bytes:
        raise StudyError(
            f"{folder}: the states and the checkpoint of this stage need up to {n_bytes / 1e9:.2f} GB, the "
            f"disk has {free / 1e9:.2f} GB left; free space and run the same command again"
        )


def remove_parts(folder: Path, name: str = "*") -> None:
    """Remove the temporary folders of `name` in `folder` that killed processes left."""
    for part in folder.glob(f".{name}.*.part"):
        with suppress(FileNotFoundError):  # another process removes it, too
            if _is_left(part):
                shutil.rmtree(part)


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """A temporary folder of this process for `path`, on the same disk; errors of the system name `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{_system()}.{os.getpid()}.part")
    with _named(path, part):
        remove_parts(path.parent, escape(path.name))
        part.mkdir()
        try:
            yield part
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        _flush(path.parent)
        shutil.rmtree(part)


@contextmanager
def _named(path: Path, part: Path) -> Iterator[None]:
    """Raise errors of the system without a file name, or about a file in `part`, as OSErrors about `path`."""
    try:
        yield
    except Exception as error:
        file = getattr(error, "filename", None)
        number = error.errno if isinstance(error, OSError) else _number_in(error)
        if number is None or not str(file or part).startswith(str(part)):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def _number_in(error: Exception) -> int | None:
    """The number of the error of the system that a library written in Rust reports; None for others."""
    found = RUST.search(str(error))
    return int(found[1]) if found else None


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # what some file systems say of folders
            raise
    finally:
        os.close(opened)


def _is_left(part: Path) -> bool:
    """True if the process of a temporary folder has ended, or is this one, which makes it anew.

    The number of a process says nothing on another system (a machine, or a container that has numbers of its
    own), whose folders are left alone for a day.
    """
    if (found := PART.search(part.name)) is None:
        return False
    if found[1] != _system():
        return time() - part.stat().st_mtime > GIVEN_UP
    return int(found[2]) == os.getpid() or not _is_running(int(found[2]))


@cache
def _system() -> str:
    """Eight hexadecimal digits for the running system, and the namespace in it, that numbers processes."""
    try:
        facts = Path("/proc/sys/kernel/random/boot_id").read_text() + os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux
        facts = platform.node()
    return sha256(facts.encode()).hexdigest()[:8]


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
