"""Times of pieces of work, taken in turns so that a drifting machine touches all of them alike."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from statistics import median
from time import perf_counter

import torch

from bench.work import Work


def seconds(works: Mapping[str, Work], repeats: int, device: torch.device) -> dict[str, float]:
    """Median seconds of each work over `repeats` rounds, after one that is not timed."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for round_ in range(repeats + 1):
        for name, work in works.items():
            start = _now(device)
            work()
            times[name] += [_now(device) - start] * (round_ > 0)
    return {name: median(found) for name, found in times.items()}


def peak_memory(work: Work, device: torch.device) -> float:
    """Most memory that a work holds on a GPU, in MB; NaN on a CPU."""
    if device.type != "cuda":
        return float("nan")
    torch.cuda.reset_peak_memory_stats(device)
    work()
    return torch.cuda.max_memory_allocated(device) / 2**20


def matmul_flops(device: torch.device, dtype: torch.dtype, size: int) -> float:
    """FLOP/s of a large square matrix product: what the device can do at best."""
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    taken = seconds({"matmul": lambda: a @ b}, 5, device)
    return 2 * size**3 / taken["matmul"]


def device_name(device: torch.device) -> str:
    """The device as a reader would name it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter()
