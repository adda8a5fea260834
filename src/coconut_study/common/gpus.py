"""Assigns GPUs to jobs that run at the same time on one machine.

Snakemake counts GPUs but does not assign them, so every job would use the first. Here a job locks as many
free GPUs as it needs, then its process is replaced by its command:

    python -m coconut_study.common.gpus --gpus 2 -- python -m coconut_study train ...

The operating system releases a lock when the process ends, even if it is killed. Locks hold for all jobs of a
user on a machine, whichever Snakemake started them.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import sleep

from filelock import FileLock

VISIBLE = "CUDA_VISIBLE_DEVICES"
BATCH_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")  # set if a scheduler assigns GPUs
DRIVER = Path("/proc/driver/nvidia/gpus")  # one folder per GPU


def main() -> None:
    """Replace this process with a command that sees only its own GPUs."""
    parser = argparse.ArgumentParser(prog="python -m coconut_study.common.gpus", description=main.__doc__)
    parser.add_argument("--gpus", type=int, required=True, help="number of GPUs that the command needs")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="number of jobs that may share a GPU")
    parser.add_argument("command", nargs="+")
    wanted = parser.parse_args()
    names = pool(os.environ) if wanted.gpus else []
    batch_job = next((os.environ[name] for name in BATCH_JOBS if name in os.environ), "")
    if names and not (batch_job and len(names) == wanted.gpus):
        if len(names) < wanted.gpus:
            sys.exit(f"error: this job needs {wanted.gpus} GPUs, and this machine has {len(names)}")
        folder = Path(tempfile.gettempdir()) / f"coconut-study-gpus-{os.getuid()}" / (batch_job or "all")
        os.environ[VISIBLE] = ",".join(take(names, wanted.gpus, wanted.jobs_per_gpu, folder))
        print(f"{VISIBLE}={os.environ[VISIBLE]}", file=sys.stderr, flush=True)
    os.execvp(wanted.command[0], wanted.command)


def pool(environment: Mapping[str, str]) -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them."""
    if (visible := environment.get(VISIBLE)) is None:
        return [str(number) for number in range(_count())]
    names = [name.strip() for name in visible.split(",") if name.strip()]
    return names[: names.index("-1")] if "-1" in names else names  # as CUDA reads it


def _count() -> int:
    """Number of GPUs of the driver; 0 without a driver. Some containers have the driver without NVML."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return pynvml.nvmlDeviceGetCount()
    except pynvml.NVMLError:
        return len(list(DRIVER.iterdir())) if DRIVER.is_dir() else 0


def take(names: Sequence[str], gpus: int, jobs_per_gpu: int, folder: Path) -> list[str]:
    """Wait until `gpus` GPUs are free, lock a place for a job on each, and return their names.

    Up to `jobs_per_gpu` jobs share a GPU. `folder` has one lock file per place; the locks last until this
    process ends, also after it is replaced by a command.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        with FileLock(folder / "taking"):  # else two jobs could each lock a part of what both need
            locks = _free_places(names, gpus, jobs_per_gpu, folder)
            if len(locks) == gpus:
                for lock in locks.values():
                    os.set_inheritable(lock, True)
                return sorted(locks, key=names.index)
            for lock in locks.values():
                os.close(lock)
        sleep(random.uniform(0.2, 0.5))


def _free_places(names: Sequence[str], gpus: int, jobs_per_gpu: int, folder: Path) -> dict[str, int]:
    """Locks on up to `gpus` free places, on the GPUs with the fewest jobs first: descriptors by GPU name."""
    locks: dict[str, int] = {}
    for place in range(jobs_per_gpu):
        for name in names:
            if len(locks) < gpus and name not in locks:
                lock = os.open(folder / f"gpu{name.replace('/', '-')}.{place}", os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    locks[name] = lock
                except BlockingIOError:
                    os.close(lock)
    return locks


if __name__ == "__main__":
    main()
