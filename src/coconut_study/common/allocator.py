"""Memory of the process: what was freed stays for the next training step, and garbage is collected rarely.

An activation of a training step takes tens of megabytes. By default glibc requests them from the system and
returns them every time, and the system must clear each page at its first use, which took as long as the
arithmetic (docs/log.md). And Python looks for unreachable cycles after every few hundred new objects, which
takes an eighth of the time that PyTorch and transformers need to be imported.
"""

from __future__ import annotations

import ctypes
import gc
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEW_OBJECTS = 20_000  # between two collections; 700 in Python


def keep_freed() -> None:
    """Allocate everything from a heap that never shrinks; no effect on systems without glibc."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)


def collect_rarely() -> None:
    """Look for unreachable cycles less often."""
    gc.set_threshold(NEW_OBJECTS)
