"""Files that are complete or absent: they are written under a temporary name, then renamed.

Reading raises StudyError with the path and what is wrong with the file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import escape
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from coconut_study.common.errors import StudyError, one_line

if TYPE_CHECKING:
    import pandas as pd


# ---------------------------------------------------------------------------------------------- writing


@contextmanager
def written_path(path: Path) -> Iterator[Path]:
    """A temporary path to write to; it is renamed to `path` if the block succeeds and removed if not."""
    part = _temporary(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """Open `path` for writing; it appears only if the block succeeds."""
    with written_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        yield file


@contextmanager
def written_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it becomes `path`, and replaces what is there, only if the block succeeds."""
    part = _temporary(path)
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        yield part
        shutil.rmtree(path, ignore_errors=True)
        part.replace(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table with ten significant digits."""
    with written(path) as file:
        table.to_csv(file, index=False, float_format="%.10g", lineterminator="\n")


def check_space(folder: Path, n_bytes: int) -> None:
    """StudyError if the disk of `folder` has less than `n_bytes` free."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if (free := shutil.disk_usage(existing).free) < n_bytes:
        raise StudyError(
            f"{folder}: the states and the checkpoint of this stage need up to {n_bytes / 1e9:.2f} GB, the "
            f"disk has {free / 1e9:.2f} GB left; free space and run the same command again"
        )


def _temporary(path: Path) -> Path:
    """A temporary path of this process for `path`; removes those that killed processes left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{escape(path.name)}.*.part"):
        if not _is_running(int(left.name.split(".")[-2])):
            _remove(left)
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _is_running(process: int) -> bool:
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


# ---------------------------------------------------------------------------------------------- reading


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def read_text(path: Path, content: str = "questions") -> str:
    """The text of a file of questions, or of other `content`; StudyError if it cannot be read or is blank."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}); give a file of {content}") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: is not UTF-8 text; give a file of {content}") from error
    if not text.strip():
        raise StudyError(f"{path}: holds no {content}")
    return text


def read_yaml(path: Path) -> Any:
    """The content of a YAML file."""
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StudyError(f"{path}: cannot be read ({one_line(error)})") from error


def read_csv(path: Path, columns: Sequence[str], **options: Any) -> pd.DataFrame:
    """A table that has `columns`; StudyError names those that it lacks. `options` are those of pandas."""
    import pandas as pd

    try:
        table = pd.read_csv(path, **options)
    except (OSError, ValueError) as error:
        raise StudyError(f"{path}: cannot be read as a table ({one_line(error)})") from error
    if missing := [column for column in columns if column not in table]:
        raise StudyError(f"{path}: has no column {', '.join(missing)}; it has {', '.join(map(str, table))}")
    return table
