"""GPUs for jobs that run beside each other on one machine: each gets its own.

Snakemake counts GPUs and hands none out, so every job would take the first. Here a job locks as many as it
needs, of those that are free, then becomes its command:

    python -m coconut_study.devices --gpus 2 -- python -m coconut_study train ...

The system frees a lock when its process ends, however it ends. It counts for all jobs of a user on a machine,
whichever Snakemake started them.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import sleep

VISIBLE = "CUDA_VISIBLE_DEVICES"
BATCH_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")  # set where a scheduler hands GPUs out
DRIVER = Path("/proc/driver/nvidia/gpus")


def main() -> None:
    """Become a command that sees the GPUs it has, and no others."""
    parser = argparse.ArgumentParser(prog="python -m coconut_study.devices", description=main.__doc__)
    parser.add_argument("--gpus", type=int, required=True, help="that the command needs")
    parser.add_argument("--jobs-per-gpu", type=int, default=1, help="that may share a GPU")
    parser.add_argument("command", nargs="+")
    wanted = parser.parse_args()
    found = pool(os.environ) if wanted.gpus else []
    batch_job = next((os.environ[name] for name in BATCH_JOBS if name in os.environ), "")
    if found and not (batch_job and len(found) == wanted.gpus):
        if len(found) < wanted.gpus:
            sys.exit(f"error: this job needs {wanted.gpus} GPUs, and this machine has {len(found)}")
        folder = Path(tempfile.gettempdir()) / f"coconut-study-gpus-{os.getuid()}" / (batch_job or "all")
        os.environ[VISIBLE] = ",".join(take(found, wanted.gpus, wanted.jobs_per_gpu, folder))
        print(f"{VISIBLE}={os.environ[VISIBLE]}", file=sys.stderr, flush=True)
    os.execvp(wanted.command[0], wanted.command)


def pool(environment: Mapping[str, str]) -> list[str]:
    """The GPUs that this process may use, by the names they have in CUDA_VISIBLE_DEVICES."""
    if (visible := environment.get(VISIBLE)) is None:
        return [str(number) for number in range(_count())]
    names = [name.strip() for name in visible.split(",") if name.strip()]
    return names[: names.index("-1")] if "-1" in names else names  # as CUDA reads it


def _count() -> int:
    """How many GPUs the driver lists; 0 without one."""
    try:
        listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    except OSError:
        return len(list(DRIVER.iterdir())) if DRIVER.is_dir() else 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def take(names: Sequence[str], gpus: int, jobs_per_gpu: int, folder: Path) -> list[str]:
    """Wait until as many GPUs have room for a job more, and lock a place on each of them.

    The locks last as long as this process and what it becomes.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        with _alone(folder):  # else two jobs might each lock a part of what both need
            held = _free_places(names, gpus, jobs_per_gpu, folder)
            if len(held) == gpus:
                for lock in held.values():
                    os.set_inheritable(lock, True)
                return sorted(held, key=names.index)
            for lock in held.values():
                os.close(lock)
        sleep(random.uniform(0.2, 0.5))


def _free_places(names: Sequence[str], gpus: int, jobs_per_gpu: int, folder: Path) -> dict[str, int]:
    """Locks on up to as many GPUs, those with the most room first."""
    held: dict[str, int] = {}
    for place in range(jobs_per_gpu):
        for name in names:
            if len(held) < gpus and name not in held:
                lock = os.open(folder / f"gpu{name.replace('/', '-')}.{place}", os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    held[name] = lock
                except BlockingIOError:
                    os.close(lock)
    return held


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A block that one process at a time is in."""
    with (folder / "taking").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
