"""Freed memory is kept for the next step, not handed back to the system.

An activation of a training step is tens of megabytes, which glibc takes from the system and gives back every
time; a page must then be cleared at its first touch, which took as long as the arithmetic (docs/log.md).
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_freed() -> None:
    """Serve every allocation from a heap that does not shrink; on systems without glibc nothing changes."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)
