"""What computes."""

from __future__ import annotations

import torch


def cpu_threads() -> int | None:
    """The number of threads that share the sums of a CPU, whose last digits depend on it; None where an
    accelerator computes."""
    return None if torch.accelerator.is_available() else torch.get_num_threads()
