"""Files are complete or absent, errors name them, and only what nobody writes any more is removed."""

import errno
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from coconut_study.common.files import written, written_folder, written_path

WRITER = """
import sys, time
from pathlib import Path
from coconut_study.common.files import written_folder, written_path
folder = Path(sys.argv[1])
with written_path(folder / "file.csv") as file, written_folder(folder / "folder") as new:
    file.write_text("half")
    (new / "one").write_text("half")
    print("writes", flush=True)
    sys.stdin.read()
"""
ELSEWHERE = [
    "unshare",
    "--user",
    "--map-root-user",
    "--pid",
    "--fork",
    "--kill-child",
]  # process numbers of its own


@contextmanager
def writer(folder, *before):
    """A process that has begun to write a file and a folder, until its input ends."""
    process = subprocess.Popen(
        [*before, sys.executable, "-c", WRITER, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        if process.stdout.readline() != "writes\n":
            pytest.skip("this system lets nobody number processes anew")
        yield process
    finally:
        process.kill()
        process.communicate()


def write(folder):
    with written(folder / "file.csv") as file, written_folder(folder / "folder") as new:
        file.write("whole")
        (new / "one").write_text("whole")


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_temporary_files_of_killed_processes_are_removed(tmp_path):
    with writer(tmp_path):
        assert len(names(tmp_path)) == 2
    write(tmp_path)
    assert names(tmp_path) == {"file.csv", "folder"}


def test_a_file_that_another_process_writes_is_left_alone(tmp_path):
    with writer(tmp_path) as other:
        write(tmp_path)
        assert len(names(tmp_path)) == 4
        other.communicate("", timeout=30)
        assert other.returncode == 0
    assert names(tmp_path) == {"file.csv", "folder"}
    assert (tmp_path / "file.csv").read_text() == "half"


def test_a_file_that_a_process_of_another_container_writes_is_left_alone_for_a_day(tmp_path):
    """Its process number is that of no process here, or of another: a living temporary file was removed."""
    with writer(tmp_path, *ELSEWHERE) as other:
        write(tmp_path)
        assert len(names(tmp_path)) == 4
        other.communicate("", timeout=30)
        assert other.returncode == 0
    assert names(tmp_path) == {"file.csv", "folder"}
    with writer(tmp_path, *ELSEWHERE) as other:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()
    left = names(tmp_path) - {"file.csv", "folder"}
    write(tmp_path)
    assert names(tmp_path) == left | {"file.csv", "folder"}
    for name in left:
        os.utime(tmp_path / name, (time.time() - 100_000,) * 2)
    write(tmp_path)
    assert names(tmp_path) == {"file.csv", "folder"}


def test_other_hidden_files_are_left_alone(tmp_path):
    """The name of .file.csv.old.part ended every job that wrote file.csv."""
    others = {".file.csv.old.part", ".file.csv.1.part", ".file.csv.12345678.x.part"}
    for name in others:
        (tmp_path / name).write_text("")
    write(tmp_path)
    assert names(tmp_path) == others | {"file.csv", "folder"}


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (OSError(errno.EIO, "Input/output error"), errno.EIO),
        (Exception("Read-only file system (os error 30)"), errno.EROFS),
        (RuntimeError("I/O error: No space left on device (os error 28)"), errno.ENOSPC),
    ],
)  # fmt: skip
@pytest.mark.parametrize("write", [written, written_path, written_folder])
def test_an_error_of_the_system_names_the_file_that_is_written(tmp_path, write, error, number):
    """Errors without a file name, and those of tokenizers and safetensors, ended in a traceback."""
    with pytest.raises(OSError, match="result") as raised, write(tmp_path / "result"):
        raise error
    assert (raised.value.errno, raised.value.filename) == (number, str(tmp_path / "result"))
    assert not names(tmp_path)


def test_errors_about_other_files_and_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(FileNotFoundError) as raised, written(tmp_path / "result"):
        (tmp_path / "other").read_text()
    assert raised.value.filename == str(tmp_path / "other")
    with pytest.raises(ZeroDivisionError), written(tmp_path / "result"):
        1 / 0  # noqa: B018


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    write(tmp_path)
    with pytest.raises(ZeroDivisionError), written_folder(tmp_path / "folder") as new:
        (new / "two").write_text(f"{1 / 0}")
    assert names(tmp_path / "folder") == {"one"}
    with written_folder(tmp_path / "folder") as new:
        (new / "two").write_text("")
    assert names(tmp_path / "folder") == {"two"}
