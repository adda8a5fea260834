"""Memory that was freed stays with the process, for the next training step.

An activation of a training step takes tens of megabytes. By default glibc requests them from the system and
returns them every time, and the system must clear each page at its first use, which took as long as the
arithmetic (docs/log.md).
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed() -> None:
    """Allocate everything from a heap that never shrinks; no effect on systems without glibc."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)
