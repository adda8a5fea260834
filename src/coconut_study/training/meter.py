"""Time and energy of training. Energy is read from the counter of an NVIDIA GPU (Volta or later)."""

from __future__ import annotations

from math import nan
from time import perf_counter

import torch


class Meter:
    """Seconds since the meter was made, and joules its GPU has used meanwhile.

    `seconds` and `joules` of earlier jobs are added. Joules are NaN without a counter.
    """

    def __init__(self, device: torch.device, seconds: float = 0.0, joules: float = 0.0) -> None:
        self.device = device
        self.start = perf_counter() - seconds
        self.first = energy_used(device) - joules

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return perf_counter() - self.start

    @property
    def joules(self) -> float:
        """Joules so far."""
        return energy_used(self.device) - self.first


def energy_used(device: torch.device) -> float:
    """Joules on the energy counter of a GPU; NaN for other devices, and where the driver has no counter."""
    if device.type != "cuda":
        return nan
    import pynvml

    try:
        pynvml.nvmlInit()
        gpu = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000
    except pynvml.NVMLError:
        return nan
