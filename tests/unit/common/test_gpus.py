"""Jobs that run at the same time get GPUs of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pynvml
import pytest

from coconut_study.common import gpus

# Marks every GPU it sees as taken, and fails where one is taken already by as many jobs as may share it.
JOB = """
import os, sys, time
from pathlib import Path
folder, gpus, most = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
seen = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
assert len(set(seen)) == gpus, seen
marks = [folder / f"gpu{name}-{os.getpid()}" for name in seen]
for mark in marks:
    mark.touch()
for name in seen:
    assert len(list(folder.glob(f"gpu{name}-*"))) <= most, f"too many jobs on GPU {name}"
time.sleep(0.3)
(folder / f"took-{os.getpid()}").write_text(" ".join(seen))
for mark in marks:
    mark.unlink()
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with four GPUs and no scheduler."""
    for name in gpus.BATCH_JOBS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "jobs").mkdir()
    return tmp_path / "jobs"


def start(gpus: int, *command: object, jobs_per_gpu: int = 1) -> subprocess.Popen:
    options = ["--gpus", gpus, "--jobs-per-gpu", jobs_per_gpu, "--", sys.executable, *command]
    return subprocess.Popen(
        [sys.executable, "-m", "coconut_study.common.gpus", *map(str, options)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def seen(gpus: int) -> str:
    """What a job sees that needs as many GPUs."""
    job = start(gpus, "-c", "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))")
    out, said = job.communicate(timeout=30)
    assert job.returncode == 0, said
    return out.strip()


@pytest.mark.parametrize("jobs_per_gpu", [1, 2])
def test_no_gpu_ever_has_more_jobs_than_may_share_it(machine, jobs_per_gpu):
    """Ten jobs with one GPU and four with two, all at once; every one ends, and all four GPUs have work."""
    needs = [1, 1, 2, 1, 1, 1, 2, 1, 2, 1, 1, 1, 2, 1]
    jobs = [start(n, "-c", JOB, machine, n, jobs_per_gpu, jobs_per_gpu=jobs_per_gpu) for n in needs]
    for job in jobs:
        _, said = job.communicate(timeout=60)
        assert job.returncode == 0, said
    took = [path.read_text().split() for path in machine.glob("took-*")]
    assert sorted(map(len, took)) == sorted(needs)
    assert {name for names in took for name in names} == {"0", "1", "2", "3"}


def test_a_job_without_locks_would_be_caught(machine):
    """The test above can fail: jobs that all take the first GPU do."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "0"}
    command = [sys.executable, "-c", JOB, str(machine), "1", "1"]
    jobs = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(6)]
    ended = [job.wait(timeout=60) for job in jobs]
    assert any(ended)


def wait_for(path: Path) -> None:
    until = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < until, f"{path} does not come"
        time.sleep(0.02)


def test_a_killed_job_frees_its_gpus(machine):
    """All four are held by a job that sleeps; another waits, and has them as soon as the first is killed."""
    sleeper = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    first = start(4, "-c", sleeper, machine / "first")
    wait_for(machine / "first")
    second = start(3, "-c", JOB, machine, 3, 1)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=1.5)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    _, said = second.communicate(timeout=30)
    assert second.returncode == 0, said
    assert "CUDA_VISIBLE_DEVICES=0,1,2" in said


def test_a_command_takes_the_place_of_the_process(machine):
    """A signal to the job reaches the command, and its status is the job's."""
    job = start(1, "-c", "import sys; sys.exit(7)")
    assert job.wait(timeout=30) == 7
    sleeper = start(1, "-c", "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)",
                    machine / "there")  # fmt: skip
    wait_for(machine / "there")
    sleeper.terminate()
    assert sleeper.wait(timeout=30) == -signal.SIGTERM


def test_gpus_that_a_scheduler_gave_are_left_alone(machine, monkeypatch):
    """In a job of Slurm with as many GPUs as it needs nothing is locked; a larger one is shared out."""
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert seen(1) == "2"
    assert not list(machine.parent.glob("coconut-study-gpus-*"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    assert seen(1) == "4"
    assert list(machine.parent.glob("coconut-study-gpus-*/17/gpu4.0"))


def test_without_gpus_nothing_changes(machine, monkeypatch):
    assert seen(0) == "0,1,2,3"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert seen(2) == ""
    assert not list(machine.parent.glob("coconut-study-gpus-*"))


def test_more_gpus_than_there_are_is_one_sentence(machine):
    job = start(5, "-c", "print('runs')")
    out, said = job.communicate(timeout=30)
    assert (job.returncode, out) == (1, "")
    assert said.strip() == "error: this job needs 5 GPUs, and this machine has 4"


def test_the_driver_is_asked_where_nothing_is_said(tmp_path, monkeypatch):
    """By NVML; without it by the driver's own list; without that there are none."""

    def no_library():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 2)
    assert gpus.pool({}) == ["0", "1"]
    monkeypatch.setattr(pynvml, "nvmlInit", no_library)
    monkeypatch.setattr(gpus, "DRIVER", tmp_path / "gpus")
    assert gpus.pool({}) == []
    for name in ("0000:01:00.0", "0000:02:00.0", "0000:03:00.0"):
        (tmp_path / "gpus" / name).mkdir(parents=True)
    assert gpus.pool({}) == ["0", "1", "2"]
    assert gpus.pool({"CUDA_VISIBLE_DEVICES": " GPU-1, 3"}) == ["GPU-1", "3"]
    assert gpus.pool({"CUDA_VISIBLE_DEVICES": "1,-1,2"}) == ["1"]
