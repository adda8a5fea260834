"""Jobs that run at the same time get GPUs of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coconut_study.common import gpus

# Marks every GPU it sees as taken, and fails where one is taken already by as many jobs as may share it.
JOB = """
import os, sys, time
from pathlib import Path
folder, gpus, most = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
seen = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
assert len(set(seen)) == gpus, seen
marks = [folder / f"{name}-{os.getpid()}" for name in seen]
for mark in marks:
    mark.touch()
for name in seen:
    assert len(list(folder.glob(f"{name}-*"))) <= most, f"too many jobs on {name}"
time.sleep(0.3)
(folder / f"took-{os.getpid()}").write_text(" ".join(seen))
for mark in marks:
    mark.unlink()
"""
# Stands for the library of NVIDIA's driver: four GPUs, of which the last may be divided into two parts.
DRIVER = """
import os
class NVMLError(Exception): pass
def nvmlInit():
    if "NO_NVML" in os.environ: raise NVMLError
def nvmlDeviceGetCount(): return 4
def nvmlDeviceGetHandleByIndex(i): return i
def nvmlDeviceGetUUID(gpu): return f"MIG-{gpu[1]}f" if isinstance(gpu, tuple) else f"GPU-{gpu}a"
def nvmlDeviceGetMaxMigDeviceCount(gpu): return 7
def nvmlDeviceGetMigDeviceHandleByIndex(gpu, i):
    if gpu < 3 or i > 1 or "DIVIDED" not in os.environ: raise NVMLError
    return gpu, i
def nvmlDeviceGetGpuInstanceId(part): return part[1] + 5
def nvmlDeviceGetComputeInstanceId(part): return 0
"""
ALL = ["GPU-0a", "GPU-1a", "GPU-2a", "GPU-3a"]
SLEEP = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with four GPUs and no scheduler; a folder for the marks of jobs."""
    for name in (*gpus.BATCH_JOBS, gpus.VISIBLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("jobs", "modules"):
        (tmp_path / name).mkdir()
    (tmp_path / "modules" / "pynvml.py").write_text(DRIVER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "jobs"


@pytest.fixture
def locks(machine):
    """The folder of the locks; it does not exist yet."""
    return machine.parent / ".cache" / "coconut-study" / "gpus"


def start(gpus: int, *command: object, jobs_per_gpu: int = 1, **environment: object) -> subprocess.Popen:
    options = ["--gpus", gpus, "--jobs-per-gpu", jobs_per_gpu, "--", sys.executable, *command]
    return subprocess.Popen(
        [sys.executable, "-m", "coconut_study.common.gpus", *map(str, options)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {name: str(value) for name, value in environment.items()},
    )  # fmt: skip


def ended(job: subprocess.Popen) -> tuple[int, str, str]:
    out, said = job.communicate(timeout=60)
    return job.returncode, out.strip(), said.strip()


def seen(gpus: int, **environment: object) -> str:
    """What a job sees that needs as many GPUs."""
    print_it = "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))"
    status, out, said = ended(start(gpus, "-c", print_it, **environment))
    assert status == 0, said
    return out


@pytest.mark.parametrize("jobs_per_gpu", [1, 2])
def test_no_gpu_ever_has_more_jobs_than_may_share_it(machine, jobs_per_gpu):
    """Ten jobs with one GPU and four with two, all at once; every one ends, and all four GPUs have work."""
    needs = [1, 1, 2, 1, 1, 1, 2, 1, 2, 1, 1, 1, 2, 1]
    jobs = [start(n, "-c", JOB, machine, n, jobs_per_gpu, jobs_per_gpu=jobs_per_gpu) for n in needs]
    for job in jobs:
        status, _, said = ended(job)
        assert status == 0, said
    took = [path.read_text().split() for path in machine.glob("took-*")]
    assert sorted(map(len, took)) == sorted(needs)
    assert {name for names in took for name in names} == {*ALL}


def test_a_job_without_locks_would_be_caught(machine):
    """The test above can fail: jobs that all take the first GPU do."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "0"}
    command = [sys.executable, "-c", JOB, str(machine), "1", "1"]
    jobs = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(6)]
    statuses = [job.wait(timeout=60) for job in jobs]
    assert any(statuses)


def wait_for(path: Path) -> None:
    until = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < until, f"{path} does not come"
        time.sleep(0.02)


def test_a_killed_job_frees_its_gpus(machine):
    """All four are held by a job that sleeps; another waits, and has them as soon as the first is killed."""
    first = start(4, "-c", SLEEP, machine / "first")
    wait_for(machine / "first")
    second = start(3, "-c", JOB, machine, 3, 1)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=1.5)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    status, _, said = ended(second)
    assert (status, said) == (0, "CUDA_VISIBLE_DEVICES=GPU-0a,GPU-1a,GPU-2a")


def test_a_command_takes_the_place_of_the_process(machine):
    """A signal to the job reaches the command, and its status is the job's."""
    assert ended(start(1, "-c", "import sys; sys.exit(7)"))[0] == 7
    sleeper = start(1, "-c", SLEEP, machine / "there")
    wait_for(machine / "there")
    sleeper.terminate()
    assert ended(sleeper)[0] == -signal.SIGTERM


# ------------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("visible", "gpu"),
    [("1", "GPU-1a"), ("GPU-1a", "GPU-1a"), ("GPU-1", "GPU-1a"), ("MIG-0f", "MIG-0f"), ("3", "MIG-0f"),
     ("GPU-3a", "MIG-0f"), ("MIG-GPU-3a/5/0", "MIG-0f"), ("MIG-1", "MIG-1f")],
)  # fmt: skip
def test_a_gpu_is_locked_by_its_uuid_whatever_it_is_called(machine, locks, visible, gpu):
    """`0` and `GPU-...`, or two temporary folders, gave the same GPU to two jobs."""
    assert seen(1, CUDA_VISIBLE_DEVICES=visible, DIVIDED=1, TMPDIR=machine) == gpu
    assert {path.name for path in locks.iterdir()} == {"taking", f"{gpu}.0"}


def test_jobs_that_call_a_gpu_by_other_names_wait_for_each_other(machine):
    first = start(1, "-c", SLEEP, machine / "first", CUDA_VISIBLE_DEVICES="GPU-2", TMPDIR="/tmp")
    wait_for(machine / "first")
    second = start(1, "-c", "pass", CUDA_VISIBLE_DEVICES=2, TMPDIR=machine)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=1)
    first.kill()
    first.communicate()
    assert ended(second)[0] == 0


def test_a_name_of_no_gpu_ends_the_list_and_a_second_name_counts_once(machine):
    assert seen(2, CUDA_VISIBLE_DEVICES=" 3, GPU-1,GPU-3a,-1,2") == "GPU-3a,GPU-1a"
    assert seen(1, CUDA_VISIBLE_DEVICES="2,7,1") == "GPU-2a"
    status, _, said = ended(start(2, "-c", "pass", CUDA_VISIBLE_DEVICES="2,GPU-,1"))
    assert (status, said) == (1, "error: this job needs 2 GPUs, and this machine has 1")


def test_without_nvml_the_files_of_the_driver_are_read(machine, monkeypatch, tmp_path):
    """Without a driver, names are taken as they are."""
    monkeypatch.syspath_prepend(tmp_path / "modules")
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    monkeypatch.setenv("NO_NVML", "1")
    monkeypatch.setattr(gpus, "DRIVER", tmp_path / "gpus")
    assert gpus.pool({}) == []
    assert gpus.pool({"CUDA_VISIBLE_DEVICES": " GPU-1, 3,-1,4"}) == ["GPU-1", "3"]
    for number, bus in enumerate(("0000:01:00.0", "0000:02:00.0")):
        (tmp_path / "gpus" / bus).mkdir(parents=True)
        text = f"Model: \t\t NVIDIA H100\nGPU UUID: \t GPU-{number}a\nBus Location: \t {bus}\n"
        (tmp_path / "gpus" / bus / "information").write_text(text)
    assert gpus.pool({}) == ["GPU-0a", "GPU-1a"]
    assert gpus.pool({"CUDA_VISIBLE_DEVICES": "1,GPU-0"}) == ["GPU-1a", "GPU-0a"]


def test_gpus_that_a_scheduler_gave_are_left_alone(machine, locks):
    """In a job of Slurm with as many GPUs as it needs nothing is locked; a larger one is shared out."""
    assert seen(1, SLURM_JOB_ID=17, CUDA_VISIBLE_DEVICES=2) == "2"
    assert not locks.exists()
    assert seen(1, SLURM_JOB_ID=17, CUDA_VISIBLE_DEVICES="2,3") == "GPU-2a"
    assert (locks / "GPU-2a.0").exists()


def test_without_gpus_nothing_changes(machine, locks):
    assert seen(0, CUDA_VISIBLE_DEVICES="0,1") == "0,1"
    assert seen(2, CUDA_VISIBLE_DEVICES="") == ""
    assert not locks.exists()


def test_more_gpus_than_there_are_is_one_sentence(machine):
    said = "error: this job needs 5 GPUs, and this machine has 4"
    assert ended(start(5, "-c", "print('runs')")) == (1, "", said)


# ------------------------------------------------------------------------------------------------ locks


def test_a_link_in_the_temporary_folder_empties_no_file(machine, tmp_path):
    """Locks lay in a folder that anybody can name and make, and were opened for writing through links."""
    (tmp_path / "precious").write_text("precious")
    for folder in (tmp_path / f"coconut-study-gpus-{os.getuid()}" / "all", tmp_path / "coconut-study"):
        folder.mkdir(parents=True)
        for name in ("taking", "gpu0.0", "gpuGPU-0a.0", "GPU-0a.0"):
            (folder / name).symlink_to(tmp_path / "precious")
    assert seen(1, TMPDIR=tmp_path) == "GPU-0a"
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.parametrize("name", ["taking", "GPU-0a.0"])
def test_a_lock_is_not_opened_through_a_link(machine, locks, tmp_path, name):
    locks.mkdir(parents=True)
    (tmp_path / "precious").write_text("precious")
    (locks / name).symlink_to(tmp_path / "precious")
    status, out, said = ended(start(1, "-c", "print('runs')"))
    assert (status, out) == (1, "")
    assert said.startswith(f"error: {locks / name}: GPUs cannot be locked there (")
    assert (tmp_path / "precious").read_text() == "precious"


def test_the_content_of_a_lock_stays(machine, locks):
    locks.mkdir(parents=True)
    (locks / "GPU-0a.0").write_text("content")
    assert seen(1) == "GPU-0a"
    assert (locks / "GPU-0a.0").read_text() == "content"


@pytest.mark.parametrize("how", ["link", "writable", "file"])
def test_a_folder_that_others_can_change_is_refused(machine, locks, tmp_path, how):
    locks.parent.mkdir(parents=True)
    if how == "link":
        locks.symlink_to(tmp_path)
    elif how == "file":
        locks.write_text("")
    else:
        locks.mkdir()
        locks.chmod(0o777)
    status, out, said = ended(start(1, "-c", "print('runs')"))
    assert (status, out, len(said.splitlines())) == (1, "", 1)
    assert said.startswith(f"error: {locks}: GPUs cannot be locked there (")
    assert said.endswith("; set XDG_CACHE_HOME to a folder of your own")
