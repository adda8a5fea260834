"""Assigns GPUs to jobs that run at the same time on one machine.

Snakemake counts GPUs but does not assign them, so every job would use the first. Here a job locks as many
free GPUs as it needs, then its process is replaced by its command:

    python -m coconut_study.common.gpus --gpus 2 -- python -m coconut_study train ...

The operating system releases a lock when the process ends, even if it is killed. A lock has the name of the
UUID of its GPU and lies in the cache folder of the user, so that locks hold for all jobs of a user, whichever
Snakemake started them and whatever CUDA_VISIBLE_DEVICES calls a GPU, and nobody else can change them.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import platform
import random
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from errno import EPERM
from itertools import takewhile
from pathlib import Path
from time import sleep

from platformdirs import user_cache_path

VISIBLE = "CUDA_VISIBLE_DEVICES"
BATCH_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")  # set if a scheduler assigns GPUs
DRIVER = Path("/proc/driver/nvidia/gpus")  # one folder per GPU
UUID = re.compile(r"(GPU|MIG)-[0-9a-f-]+")


def main() -> None:
    """Replace this process with a command that sees only its own GPUs."""
    parser = argparse.ArgumentParser(prog="python -m coconut_study.common.gpus", description=main.__doc__)
    parser.add_argument("--gpus", type=int, required=True, help="number of GPUs that the command needs")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="number of jobs that may share a GPU")
    parser.add_argument("command", nargs="+")
    wanted = parser.parse_args()
    gpus = pool(os.environ) if wanted.gpus else []
    assigned = len(gpus) == wanted.gpus and any(name in os.environ for name in BATCH_JOBS)
    if gpus and not assigned:
        if len(gpus) < wanted.gpus:
            sys.exit(f"error: this job needs {wanted.gpus} GPUs, and this machine has {len(gpus)}")
        os.environ[VISIBLE] = ",".join(_taken(gpus, wanted.gpus, wanted.jobs_per_gpu))
        print(f"{VISIBLE}={os.environ[VISIBLE]}", file=sys.stderr, flush=True)
    os.execvp(wanted.command[0], wanted.command)


def _taken(gpus: Sequence[str], count: int, jobs_per_gpu: int) -> list[str]:
    """GPUs that are locked in the cache folder; an error about that folder ends the process."""
    folder = user_cache_path("coconut-study") / "gpus"
    try:
        make_private(folder)
        return take(gpus, count, jobs_per_gpu, folder)
    except OSError as error:
        reason = f"{error.filename or folder}: GPUs cannot be locked there ({error.strerror})"
        sys.exit(f"error: {reason}; set XDG_CACHE_HOME to a folder of your own")


# ------------------------------------------------------------------------------------------------ names


def pool(environment: Mapping[str, str]) -> list[str]:
    """UUIDs of the GPUs that this process may use, each once.

    Numbers in CUDA_VISIBLE_DEVICES are those of nvidia-smi. As in CUDA, a name of no GPU ends the list. The
    names themselves are returned if no driver tells what they stand for.
    """
    uuids = _uuids()
    if (visible := environment.get(VISIBLE)) is None:
        return list(dict.fromkeys(uuids.values()))
    names = (name.strip() for name in visible.split(",") if name.strip())
    return list(dict.fromkeys(takewhile(bool, (_uuid(name, uuids) for name in names))))


def _uuid(name: str, uuids: Mapping[str, str]) -> str:
    """The UUID for a name, which may be the beginning of a UUID; empty if it is not the name of one GPU."""
    if name == "-1":
        return ""
    if not uuids or name in uuids:
        return uuids.get(name, name)
    found = {uuid for known, uuid in uuids.items() if known.startswith(name) and not name.isdecimal()}
    return found.pop() if len(found) == 1 else ""


def _uuids() -> dict[str, str]:
    """The UUID for each number and name of a GPU; empty without a driver.

    A GPU that is divided into parts (MIG) stands for its first part, as in CUDA. Some containers have the
    driver without NVML, but with its files.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
        gpus = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        found = [(pynvml.nvmlDeviceGetUUID(gpu), _parts(gpu)) for gpu in gpus]
    except pynvml.NVMLError:
        said = [UUID.search(file.read_text()) for file in sorted(DRIVER.glob("*/information"))]
        found = [(one[0], {}) for one in said if one is not None]
    uuids: dict[str, str] = {}
    for number, (uuid, parts) in enumerate(found):
        first = next(iter(parts.values()), uuid)
        uuids |= {str(number): first, uuid: first} | {part: part for part in parts.values()}
        uuids |= {f"MIG-{uuid}/{name}": part for name, part in parts.items()}
    return uuids


def _parts(gpu: object) -> dict[str, str]:
    """The UUID of each part (MIG) of a GPU, by its place: 1/0; empty if the GPU is not divided."""
    import pynvml

    parts: dict[str, str] = {}
    try:
        for i in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
            part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, i)
            instances = pynvml.nvmlDeviceGetGpuInstanceId(part), pynvml.nvmlDeviceGetComputeInstanceId(part)
            parts["{}/{}".format(*instances)] = pynvml.nvmlDeviceGetUUID(part)
    except pynvml.NVMLError:  # there is no further part
        pass
    return parts


# ------------------------------------------------------------------------------------------------ locks


def make_private(folder: Path) -> None:
    """Make a folder if there is none; PermissionError if another user can change it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(EPERM, "this is not a folder that you alone can change", str(folder))


def take(gpus: Sequence[str], count: int, jobs_per_gpu: int, folder: Path) -> list[str]:
    """Wait until `count` of the GPUs are free, lock a place for a job on each, and return them.

    Up to `jobs_per_gpu` jobs share a GPU. `folder` has one lock file per place; the locks last until this
    process ends, also after it is replaced by a command.
    """
    while True:
        with _taking(folder):  # else two jobs could each lock a part of what both need
            locks = _free_places(gpus, count, jobs_per_gpu, folder)
            if len(locks) == count:
                for lock in locks.values():
                    os.set_inheritable(lock, True)
                return sorted(locks, key=gpus.index)
            for lock in locks.values():
                os.close(lock)
        sleep(random.uniform(0.2, 0.5))


@contextmanager
def _taking(folder: Path) -> Iterator[None]:
    lock = _open(folder / "taking")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _free_places(gpus: Sequence[str], count: int, jobs_per_gpu: int, folder: Path) -> dict[str, int]:
    """Locks on up to `count` free places, on the GPUs with the fewest jobs first: descriptors by GPU."""
    locks: dict[str, int] = {}
    for place in range(jobs_per_gpu):
        for gpu in gpus:
            if len(locks) < count and gpu not in locks:
                lock = _open(folder / f"{_lock_name(gpu)}.{place}")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    locks[gpu] = lock
                except BlockingIOError:
                    os.close(lock)
    return locks


def _lock_name(gpu: str) -> str:
    """The UUID; for a name that is not one, the name and that of this machine, since others may have it."""
    return gpu if UUID.fullmatch(gpu) else f"{platform.node()}-{gpu.replace('/', '-')}"


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


if __name__ == "__main__":
    main()
