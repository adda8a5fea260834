"""Facts about the device that numbers depend on."""

from __future__ import annotations

import torch


def cpu_threads() -> int | None:
    """Number of threads that torch uses on a CPU, on which the last digits of sums depend; None with an
    accelerator."""
    return None if torch.accelerator.is_available() else torch.get_num_threads()
