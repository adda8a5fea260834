"""Energy that a GPU has used, where its driver counts it (NVIDIA, since Volta)."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from math import nan
from typing import Any

import torch

DRIVER = "libnvidia-ml.so.1"  # comes with the driver


class Meter:
    """Joules that the GPU behind a device has used for whatever ran on it, since the meter was made and
    `before`; NaN where nothing tells it."""

    def __init__(self, device: torch.device, before: float = 0.0) -> None:
        self.device = device
        self.first = counted(device) - before

    @property
    def joules(self) -> float:
        """What it shows now."""
        return counted(self.device) - self.first


def counted(device: torch.device, load: Callable[[str], Any] = ctypes.CDLL) -> float:
    """Joules on the driver's counter; NaN where there is none."""
    if device.type != "cuda":
        return nan
    try:
        driver = load(DRIVER)
    except OSError:
        return nan
    gpu, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
    name = f"GPU-{torch.cuda.get_device_properties(device).uuid}".encode()
    failed = (
        driver.nvmlInit_v2()
        or driver.nvmlDeviceGetHandleByUUID(name, ctypes.byref(gpu))
        or driver.nvmlDeviceGetTotalEnergyConsumption(gpu, ctypes.byref(millijoules))
    )
    return nan if failed else millijoules.value / 1000
