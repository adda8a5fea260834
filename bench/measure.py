"""Times of pieces of work, which take turns so that a change of the machine's speed affects all of them."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from statistics import median
from time import perf_counter

import torch

from bench.work import Work


def seconds(works: Mapping[str, Work], repeats: int, device: torch.device) -> dict[str, float]:
    """Median seconds of each work over `repeats` rounds, after one round that is not timed."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for round_ in range(repeats + 1):
        for name, work in works.items():
            start = _now(device)
            work()
            times[name] += [_now(device) - start] * (round_ > 0)
    return {name: median(found) for name, found in times.items()}


def peak_memory(work: Work, device: torch.device) -> float:
    """Peak memory of a work on a GPU in MB; NaN on a CPU."""
    if device.type != "cuda":
        return float("nan")
    torch.cuda.reset_peak_memory_stats(device)
    work()
    return torch.cuda.max_memory_allocated(device) / 2**20


def matmul_flops(device: torch.device, dtype: torch.dtype, size: int) -> float:
    """FLOP/s of a product of two square matrices: the most that the device reaches in practice."""
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    taken = seconds({"matmul": lambda: a @ b}, 5, device)
    return 2 * size**3 / taken["matmul"]


def device_name(device: torch.device) -> str:
    """The name of the device, with the number of threads for a CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter()
