"""Killed, or failing, at every file operation: the same command then ends at the same bytes.

pytest tests/faults/test_kill_points.py                 a sample of the points, under two minutes
pytest -s -m slow tests/faults/test_kill_points.py      all of them, with a table, about half an hour
"""

from __future__ import annotations

import shutil
from time import monotonic

import pytest
from tabulate import tabulate

from .jobs import JOBS
from .trials import Bench, Server, compiled, sample

N_SAMPLE, SEED = 6, 0  # points of each job in the sample
STAGE = "training, stage 1"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to build the preload library with")
    server = Server(compiled(tmp_path_factory.mktemp("library")))
    yield server
    server.close()


@pytest.fixture(scope="module")
def benches(server, tmp_path_factory):
    """Every job with its undisturbed result; each starts from the results of those before it."""
    finished = tmp_path_factory.mktemp("finished")
    benches = {}
    for job in JOBS:
        bench = Bench(server, job, finished, tmp_path_factory.mktemp("job"))
        shutil.copytree(bench.scratch / "folder", finished, dirs_exist_ok=True)
        benches[job.name] = bench
    return benches


def failures(bench, points) -> list[str]:
    """One line for each point that is not survived."""
    wrong = [(point, bench.survives(point)) for point in points]
    return [f"{p.fault} at operation {p.at} ({p.operation} {p.path}): {why}" for p, why in wrong if why]


@pytest.mark.parametrize("name", [job.name for job in JOBS])
def test_a_job_survives_a_sample_of_faults(benches, name):
    bench = benches[name]
    assert failures(bench, sample([*bench.points()], N_SAMPLE, SEED)) == []


def test_results_are_on_the_disk_before_states_are_removed(benches):
    """Checkpoint and history were never written to the disk, and the states were deleted at once."""
    operations = [(operation, path) for _, operation, path in benches[STAGE].operations]
    first_removal = next(
        i for i, (operation, path) in enumerate(operations) if operation == "unlink" and "/state/" in path
        and path.endswith(".safetensors")
    )  # fmt: skip
    flushed = [path for operation, path in operations[:first_removal] if operation == "fsync"]
    names = [f"{name}" for name in benches[STAGE].expected if name.startswith("stage1/")]
    assert {path.rpartition("/")[2] for path in flushed} >= {name.rpartition("/")[2] for name in names}
    assert flushed.count("/stage1") == 2  # the names of the checkpoint and of the history


@pytest.mark.parametrize("fault", ["EIO", "EROFS"])
def test_states_that_cannot_be_removed_are_an_error(benches, fault):
    """They stayed behind, at exit status 0."""
    points = [
        point for point in benches[STAGE].points()
        if point.fault == fault and point.operation in ("unlink", "rmdir") and "/state" in point.path
        and ".part" not in point.path
    ]  # fmt: skip
    assert len(points) == 6  # two states, the journal, a lock and two folders
    assert failures(benches[STAGE], points) == []


@pytest.mark.slow
def test_every_job_survives_every_fault(benches):
    rows, wrong = [], {}
    for name, bench in benches.items():
        started, points = monotonic(), [*bench.points()]
        wrong[name] = failures(bench, points)
        survived = len(points) - len(wrong[name])
        rows.append((name, len(bench.operations), len(points), survived, round(monotonic() - started)))
        print(*wrong[name], rows[-1], sep="\n", flush=True)
    print(tabulate(rows, ["job", "operations", "points", "survived", "seconds"], "github"))
    assert not any(wrong.values())
