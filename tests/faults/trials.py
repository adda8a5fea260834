"""Every file operation of a command as a point at which something goes wrong.

A trial runs a command in a fresh folder with one fault at one of its file operations, then the same command
again without a fault. It survives if the second run ends well with the files of an undisturbed run, to the
last byte, and nothing else is left in the folder; and if the first run, where it was not killed, ends in one
sentence that names a file, or well and with the same files.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("preload.c")
BEFORE, MIDDLE, AFTER, SHORT, ERROR = range(1, 6)  # as in preload.c
FAULTS: dict[str, tuple[int, int]] = {
    "killed before": (BEFORE, 0),
    "killed in the middle": (MIDDLE, 0),
    "killed after": (AFTER, 0),
    "short write": (SHORT, 0),
    "ENOSPC": (ERROR, errno.ENOSPC),
    "EIO": (ERROR, errno.EIO),
    "EROFS": (ERROR, errno.EROFS),
}
OF_WRITES = {"killed in the middle", "short write"}
AFTERWARDS = {"rename", "mkdir", "open"}  # operations after which a kill differs from one before the next
# Facts of a card that no two runs share, or that change when somebody commits meanwhile.
VARYING = {"finished", "seconds", "energy_joules", "seal", "sha256", "commit"}
SENTENCE = re.compile(r"error: [^ :]+: .")  # that names a file
TIMINGS = re.compile(r"timings\.csv$|clock\.csv$")


@dataclass(frozen=True)
class Job:
    """A command, and the files it starts from, by the name they have in its folder."""

    name: str
    command: tuple[str, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """A file operation of a job (counted from 1) and what goes wrong at it."""

    job: Job
    at: int
    operation: str
    path: str
    fault: str


@dataclass
class Server:
    """Runs commands in forked children (see server.py)."""

    preload: Path
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        environment = os.environ | {
            "LD_PRELOAD": str(self.preload), "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false",
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            cwd=SOURCE.parents[2],
        )  # fmt: skip
        assert self._answer() == "ready"

    def run(
        self, job: Job, folder: Path, at: int = 0, fault: str | None = None, log: Path | None = None
    ) -> int:
        """The exit status of a command, negative for a signal, as `subprocess` gives it."""
        how, error = FAULTS[fault] if fault else (0, 0)
        trial = {
            "command": job.command, "folder": str(folder), "at": at, "how": how, "error": error,
            "log": str(log or ""), "output": str(self.output(folder)),
        }  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(trial) + "\n")
        self.process.stdin.flush()
        return os.waitstatus_to_exitcode(int(self._answer()))

    @staticmethod
    def output(folder: Path) -> Path:
        """Where the last command in a folder has written what it prints."""
        return folder.with_name(f"{folder.name}.output")

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


class Bench:
    """A job with its undisturbed result, and trials of it."""

    def __init__(self, server: Server, job: Job, finished: Path, scratch: Path) -> None:
        self.server, self.job, self.finished, self.scratch = server, job, finished, scratch
        folder, log = self.fresh(), scratch / "operations.tsv"
        assert server.run(job, folder, log=log) == 0, server.output(folder).read_text()
        self.expected = contents(folder)
        self.operations = [line.split("\t") for line in log.read_text().splitlines()]

    def fresh(self) -> Path:
        """A folder with nothing but the inputs of the job."""
        folder = self.scratch / "folder"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in self.job.inputs:
            source, target = self.finished / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        return folder

    def points(self) -> Iterator[Point]:
        """Every fault at every operation."""
        for number, operation, path in self.operations:
            for fault in FAULTS:
                if fault in OF_WRITES and operation != "write":
                    continue
                if fault == "killed after" and operation not in AFTERWARDS:
                    continue
                yield Point(self.job, int(number), operation, path, fault)

    def survives(self, point: Point) -> str | None:
        """What went wrong in a trial; None if it survived."""
        folder = self.fresh()
        status = self.server.run(self.job, folder, point.at, point.fault)
        if wrong := self._judged(point, status, folder):
            return wrong
        if status == 0 and (wrong := self._compared(folder)):
            return f"ends well, but {wrong}"
        if (again := self.server.run(self.job, folder)) != 0:
            return f"the second run ends with {again}: {self._printed(folder)}"
        return self._compared(folder)

    def _compared(self, folder: Path) -> str | None:
        """How a folder differs from that of an undisturbed run."""
        found = contents(folder)
        left, lost = found.keys() - self.expected.keys(), self.expected.keys() - found.keys()
        if left or lost:
            return f"left over: {sorted(left)}, missing: {sorted(lost)}"
        differing = [name for name in found if found[name] != self.expected[name]]
        return f"other bytes: {differing}" if differing else None

    def _judged(self, point: Point, status: int, folder: Path) -> str | None:
        printed = self._printed(folder)
        if point.fault.startswith("killed"):
            return None if status == -signal.SIGKILL else f"not killed, but {status}: {printed}"
        if status not in (0, 1):
            return f"ends with {status}: {printed}"
        sentences = [line for line in printed.splitlines() if SENTENCE.match(line)]
        if "Traceback" in printed or len(sentences) != status:
            return f"not one sentence: {printed}"
        return None

    def _printed(self, folder: Path) -> str:
        return self.server.output(folder).read_text(errors="replace")[-2000:]


def contents(folder: Path) -> dict[str, object]:
    """Every file and empty folder below a folder; the content of what is the same in every run."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir():
            found |= {} if any(path.iterdir()) else {name: "empty folder"}
        elif TIMINGS.search(name):
            found[name] = None
        elif path.name == "card.json":
            card = json.loads(path.read_text())
            found[name] = {key: value for key, value in card.items() if key not in VARYING}
        else:
            found[name] = path.read_bytes()
    return found


def compiled(folder: Path) -> Path:
    """The preload library; FileNotFoundError or CalledProcessError where there is no C compiler for it."""
    library = folder / "preload.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True, capture_output=True
    )
    return library


def sample(points: list[Point], number: int, seed: int) -> list[Point]:
    """Some of the points, every fault alike often as far as there are points of it."""
    rng = np.random.default_rng(seed)
    by_fault: dict[str, list[Point]] = {}
    for index in rng.permutation(len(points)):
        by_fault.setdefault(points[index].fault, []).append(points[index])
    chosen: list[Point] = []
    while len(chosen) < min(number, len(points)):
        for fault in sorted(by_fault, key=lambda name: Counter(p.fault for p in chosen)[name]):
            if by_fault[fault]:
                chosen.append(by_fault[fault].pop())
                break
    return chosen
