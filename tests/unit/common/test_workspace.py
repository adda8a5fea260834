"""Unfinished work: for one key, one job at a time, and damage is noticed."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from coconut_study.common.errors import StudyError
from coconut_study.common.workspace import Pieces, workspace


class Killed(Exception):
    pass


def test_a_workspace_is_for_one_key_and_ends_with_its_work(tmp_path):
    folder = tmp_path / "state"
    for begun in (False, True):
        with suppress(Killed), workspace(folder, "one") as own:
            assert (own / "work").exists() == begun
            (own / "work").write_text("")
            raise Killed
    with workspace(folder, "two") as own:
        assert not (folder / "one").exists()
        assert list(own.iterdir()) == []
    assert not folder.exists()


def test_two_writers_never_meet(tmp_path):
    command = [
        sys.executable, "-c",
        "import sys, pathlib; from coconut_study.common.workspace import workspace\n"
        "with workspace(pathlib.Path(sys.argv[1]), 'key'): print('in', flush=True); sys.stdin.read()",
        str(tmp_path / "state"),
    ]  # fmt: skip
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "in\n"
    with pytest.raises(StudyError, match="another process works here"), workspace(tmp_path / "state", "key"):
        pass
    other.kill()
    other.communicate()
    with workspace(tmp_path / "state", "key") as own:
        assert own.is_dir()


def test_pieces_are_done_once_and_again_where_they_are_damaged(tmp_path, capsys):
    done = []

    def work():
        done.append(1)
        return {"rows": [0.1, None, "é"]}

    assert Pieces(tmp_path)("a", work) == Pieces(tmp_path)("a", work) == {"rows": [0.1, None, "é"]}
    assert len(done) == 1
    path = tmp_path / "a.json"
    path.write_bytes(path.read_bytes()[:-6])
    assert Pieces(tmp_path)("a", work) == {"rows": [0.1, None, "é"]}
    assert len(done) == 2
    assert f"{path}: this piece of work is damaged" in capsys.readouterr().err


UNFINISHED = """
import os, pathlib, signal, sys
from coconut_study.common.files import written_path
from coconut_study.common.workspace import workspace
with workspace(pathlib.Path(sys.argv[1]), "key") as own, written_path(own / sys.argv[2]) as file:
    (file.parent / ".tmpOfALibrary").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_killed_processes_were_writing_is_removed_before_the_work_goes_on(tmp_path):
    """Each kill in the middle of a state left a temporary file of its size, which nothing counted."""
    folder = tmp_path / "state"
    for name in ("one", "two", "one"):
        killed = subprocess.run([sys.executable, "-c", UNFINISHED, str(folder), name])
        assert killed.returncode == -signal.SIGKILL
    assert [*(folder / "key").iterdir()]
    with workspace(folder, "key") as own:
        assert [*own.iterdir()] == []


def test_a_workspace_without_work_is_removed(tmp_path):
    with suppress(Killed), workspace(tmp_path / "state", "key"):
        raise Killed
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_is_named_as_such(tmp_path, monkeypatch, number):
    """The message was that another process works there, or a traceback."""

    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StudyError, match="the file system cannot lock files"), workspace(tmp_path / "w", "a"):
        pass
