"""Whole files or none: everything is written under a temporary name, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import escape
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from coconut_study.common.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd


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


def file_hash(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def read_yaml(path: Path) -> Any:
    """What a YAML file holds."""
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StudyError(f"{path}: cannot be read ({one_line(error)})") from error


def read_csv(path: Path, columns: Sequence[str], **reading: Any) -> pd.DataFrame:
    """A table; StudyError names a column that it lacks."""
    import pandas as pd

    try:
        table = pd.read_csv(path, **reading)
    except (OSError, ValueError) as error:
        raise StudyError(f"{path}: cannot be read as a table ({one_line(error)})") from error
    if lacking := [column for column in columns if column not in table]:
        raise StudyError(f"{path}: has no column {', '.join(lacking)}; it has {', '.join(map(str, table))}")
    return table


def one_line(error: Exception) -> str:
    """The message of an error on a single line."""
    return " ".join(str(error).split())


def read_all(paths: list[Path], columns: Sequence[str]) -> pd.DataFrame:
    """The rows of several tables."""
    import pandas as pd

    return pd.concat((read_csv(path, columns) for path in paths), ignore_index=True)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table whole or not at all."""
    with written(path) as file:
        table.to_csv(file, index=False, float_format="%.10g", lineterminator="\n")


def text_of(path: Path, of: str = "questions") -> str:
    """The text of a file of questions, or of something else; StudyError when it has none to be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}); give a file of {of}") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: is not UTF-8 text; give a file of {of}") from error
    if not text.strip():
        raise StudyError(f"{path}: holds no {of}")
    return text
