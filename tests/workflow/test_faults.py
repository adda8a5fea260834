"""A study that is struck at random moments and started again by the same command ends at the same bytes.

    pytest tests/workflow/test_faults.py                         a few faults in one run, a few minutes
    FAULTS=32 SEED=1 pytest -s tests/workflow/test_faults.py     32 faults in the whole smoke study

A restart is what a user would type: the same command, with `snakemake --unlock` where Snakemake asks for it.
States are saved after every update, so that there is one to go on from at almost any moment.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGINT, SIGKILL, SIGSTOP, SIGTERM
from subprocess import Popen, TimeoutExpired
from time import monotonic, sleep

import numpy as np
import psutil
import pytest

from .conftest import Project

pytestmark = pytest.mark.workflow

FAULTS, SEED = int(os.environ.get("FAULTS", 5)), int(os.environ.get("SEED", 0))
WHOLE = "FAULTS" in os.environ
ROOM = 512  # MB of the disk, when it is not full
PATIENCE = 600  # seconds until something hangs
WORK = 3  # seconds within which a job is struck when it has kept some work, if it lasts so long

OVERLAY = """
study: smoke
machine: {save_minutes: 0}
responding: {batch_size: 4}
datasets:
  balanced: {questions: {sizes: {train: 512}}}
  prosqa: {questions: {sizes: {train: 1024}}, schedule: {epochs: [2, 1, 2]}}
"""
MORE = """
ending: {methods: [coconut], questions: 64}
probing: {datasets: [prosqa], methods: [coconut], k: [1, 2], height: shortest, questions: null, case: 0}
decoding: {datasets: [prosqa], methods: [coconut], questions: 4, top: 3}
"""
ONE_RUN = """
runs: [{datasets: [prosqa], methods: [coconut], seeds: [1]}]
"""
TARGETS = [] if WHOLE else ["responses", "results/smoke/tables/learning.csv"]

TIMES = re.compile(r"(timings|clock)\.csv|tables/(costs|spent)\.")  # what is never twice the same
UNFINISHED = re.compile(r"(^|/)([^/]*\bstate|lock\d*|\..*\.part)(/|$)")


# ------------------------------------------------------------------------------------------------ the disk


class Disk:
    """A disk in memory that can be filled, where the system lets one be mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = self._mount(f"size={ROOM}m", "-t", "tmpfs")

    def fill(self, room: int) -> bool:
        """Leave so many bytes."""
        free = os.statvfs(self.folder)
        return self._mount(f"remount,size={(free.f_blocks - free.f_bfree) * free.f_bsize + room}")

    def empty(self) -> None:
        """Make room again."""
        assert not self.mounted or self._mount(f"remount,size={ROOM}m")

    def leave(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)

    def _mount(self, options: str, *kind: str) -> bool:
        command = ["mount", *kind, "-o", options, "tmpfs", str(self.folder)]
        with suppress(FileNotFoundError):
            return subprocess.run(command, capture_output=True).returncode == 0
        return False


# ----------------------------------------------------------------------------------------------- the study


class Study(Project):
    """A project whose study is started, struck and started again."""

    def __init__(self, disk: Disk, log: Path) -> None:
        super().__init__(disk.folder)
        self.disk, self.log = disk, log
        self.results = self.folder / "results" / "smoke"
        self.random = np.random.default_rng(SEED)
        self.overlay = self.write("overlay.yaml", OVERLAY + (MORE if WHOLE else ONE_RUN))
        self.waiting: list[str] = []
        self.dealt: list[str] = []
        self.hanging: list[psutil.Process] = []
        self.starts = self.locked = self.resumed = self.met = 0
        started = monotonic()
        assert self.start(), log.read_text()[-3000:]
        self.seconds = monotonic() - started
        self.undisturbed = self.contents()

    def start(self) -> bool:
        """Start the study, and strike it by the faults that wait until it ends; whether it ends well."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *TARGETS]
        command += ["--configfile", "config/smoke.yaml", self.overlay]
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src")}
        hanging = self.hanging
        with self.log.open("w") as log:
            snakemake = Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        while self.waiting and self._await_moment(snakemake) and KINDS[self.waiting[0]](self, snakemake):
            self.dealt.append(self.waiting.pop(0))
        well = snakemake.wait(PATIENCE) == 0
        self.starts += 1
        self.disk.empty()
        self._read_logs()
        if "cannot be locked" in self.log.read_text():
            self.locked += 1
            assert self.snakemake("--unlock", also=self.overlay).returncode == 0
        else:
            for process in hanging:
                _signal(process, SIGCONT)
        return well

    def _await_moment(self, snakemake: Popen) -> bool:
        """Wait until a moment when something is trained or asked, in the whole study now and then any moment
        of what is left; False when the study ends before."""
        if WHOLE and self.random.random() < 0.25:
            done = sum(len(files) for *_, files in os.walk(self.results))
            left = self.seconds * max(1 - done / len(self.undisturbed), 0.1)
            return not _ends(snakemake, self.random.uniform(0, left))
        return bool(self.await_workers(snakemake)) and not _ends(snakemake, self.random.uniform(0, WORK))

    def await_workers(self, snakemake: Popen) -> list[psutil.Process]:
        """The jobs that have kept some of their work, as soon as there is one; none when the study ends."""
        while not (found := [process for process in self._processes() if _works(process)]):
            if _ends(snakemake, 0.05):
                break
        return found

    def await_orphans(self) -> None:
        """Wait for jobs that outlive Snakemake."""
        until = monotonic() + PATIENCE
        while self._processes():
            assert monotonic() < until
            sleep(0.1)

    def _processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.cwd() == str(self.folder):
                    found.append(process)
        return found

    def _read_logs(self) -> None:
        """Count what the jobs say of a restart; the next one writes other logs."""
        for path in (self.folder / "logs").rglob("*.log"):
            text = path.read_text(errors="replace")
            self.resumed += text.count("resuming after")
            self.met += text.count("another process works here")
            path.unlink()

    def contents(self) -> dict[str, bytes]:
        """What is in every file of the results but what holds times."""
        names = {str(path.relative_to(self.results)): path for path in self.results.rglob("*")}
        return {
            name: _untimed(path) if path.name == "card.json" else path.read_bytes()
            for name, path in names.items()
            if path.is_file() and not TIMES.search(name)
        }

    def left(self) -> list[str]:
        """States, locks and temporary files."""
        found = [str(path.relative_to(self.results)) for path in self.results.rglob("*")]
        snakemake = [self.folder / ".snakemake" / name for name in ("locks", "incomplete")]
        found = [name for name in found if UNFINISHED.search(name)]
        return found + [str(path) for folder in snakemake for path in folder.rglob("*") if path.is_file()]

    def wipe(self) -> None:
        """Begin again."""
        shutil.rmtree(self.results)

    def end(self) -> None:
        for process in self._processes():
            _signal(process, SIGKILL)
        self.await_orphans()


def _signal(process: psutil.Process, number: int) -> None:
    with suppress(psutil.Error):
        process.send_signal(number)


def _ends(snakemake: Popen, seconds: float) -> bool:
    with suppress(TimeoutExpired):
        snakemake.wait(seconds)
        return True
    return False


def _works(process: psutil.Process) -> bool:
    """Whether a process has kept some of its work."""
    with suppress(psutil.Error, FileNotFoundError):
        locks = [Path(file.path) for file in process.open_files() if "state/lock" in file.path]
        return any(any(lock.parent.glob("*/[!.]*")) for lock in locks)
    return False


def _untimed(card: Path) -> bytes:
    facts = json.loads(card.read_text())
    return json.dumps(facts | {"finished": None, "seconds": None, "seal": None}).encode()


# ---------------------------------------------------------------------------------------------- the faults


def to_workers(number: int) -> Callable[[Study, Popen], bool]:
    def strike(study: Study, snakemake: Popen) -> bool:
        workers = study.await_workers(snakemake)
        for process in workers:
            _signal(process, number)
        return bool(workers)

    return strike


def to_snakemake(number: int) -> Callable[[Study, Popen], bool]:
    def strike(_: Study, snakemake: Popen) -> bool:
        snakemake.send_signal(number)
        return True

    return strike


def to_all(number: int) -> Callable[[Study, Popen], bool]:
    def strike(_: Study, snakemake: Popen) -> bool:
        with suppress(ProcessLookupError):
            os.killpg(snakemake.pid, number)
        return True

    return strike


def hung(study: Study, snakemake: Popen) -> bool:
    """The next start meets jobs that still hold their work; when it has ended they go on."""
    study.hanging = study.await_workers(snakemake)
    for process in study.hanging:
        _signal(process, SIGSTOP)
    snakemake.kill()
    return bool(study.hanging)


def full_disk(study: Study, _: Popen) -> bool:
    return study.disk.fill(4096 * int(study.random.integers(32)))


KINDS = {
    "the trainer is killed": to_workers(SIGKILL),
    "Snakemake is killed, its jobs live on": to_snakemake(SIGKILL),
    "the disk is full": full_disk,
    "Ctrl-C": to_all(SIGINT),
    "SIGTERM to the trainer": to_workers(SIGTERM),
    "Snakemake is killed, its jobs hang": hung,
    "SIGTERM to Snakemake": to_snakemake(SIGTERM),
    "SIGINT to Snakemake": to_snakemake(SIGINT),
    "SIGTERM to all": to_all(SIGTERM),
}


# ----------------------------------------------------------------------------------------------- the tests


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    disk = Disk(tmp_path_factory.mktemp("disk"))
    yield disk
    disk.leave()


@pytest.fixture(scope="module")
def study(disk, tmp_path_factory):
    """A study that has run once undisturbed."""
    handler = signal.signal(SIGINT, signal.default_int_handler)  # a job in the background would ignore it
    study = Study(disk, tmp_path_factory.mktemp("log") / "snakemake.log")
    yield study
    signal.signal(SIGINT, handler)
    study.end()


def test_a_disk_can_be_filled(disk):
    if not disk.mounted:
        pytest.skip("mounting a tmpfs takes root: here the study is not struck by a full disk")
    (disk.folder / "file").write_bytes(bytes(4096))
    assert disk.fill(4096)
    with pytest.raises(OSError, match="No space left"):
        (disk.folder / "other").write_bytes(bytes(8192))
    disk.empty()
    (disk.folder / "other").write_bytes(bytes(8192))


def test_an_undisturbed_study_leaves_nothing_unfinished(study):
    assert study.left() == []
    assert any(name.endswith("model.safetensors") for name in study.undisturbed)
    assert any(name.endswith("grades.csv") for name in study.undisturbed)


def test_a_study_struck_at_random_moments_ends_at_the_same_bytes(study):
    kinds = [kind for kind in KINDS if study.disk.mounted or kind != "the disk is full"]
    study.waiting = [kinds[number % len(kinds)] for number in range(FAULTS)]
    if WHOLE:
        study.random.shuffle(study.waiting)
    began, rounds = monotonic(), 0
    while study.waiting:
        study.wipe()
        while not study.start():
            assert study.starts < 10 * FAULTS, study.log.read_text()[-3000:]
        study.await_orphans()
        rounds += 1
        found = study.contents()
        assert found.keys() == study.undisturbed.keys()
        assert [name for name in found if found[name] != study.undisturbed[name]] == []
        assert study.left() == []
    print(
        f"\n{len(study.dealt)} faults in {rounds} rounds, {study.starts - 1} starts (a lock refused "
        f"{study.locked}); {study.resumed} times a stage went on with its state, {study.met} times a job met "
        f"another at work; {monotonic() - began:.0f} s, {study.seconds:.0f} s undisturbed"
    )
    print(*(f"{n:4} {kind}" for kind, n in Counter(study.dealt).items()), sep="\n")
    assert len(study.dealt) == FAULTS
    assert study.resumed > 0
