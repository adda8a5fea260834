"""Progress with an estimate of the time left, on a terminal and in a log file alike."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def bar(items: Iterable[Item], what: str, total: int | None = None) -> Iterable[Item]:
    """`items`, counted on standard error; a log file gets a line only every ten seconds."""
    return tqdm(items, desc=what, total=total, mininterval=0.5 if sys.stderr.isatty() else 10, leave=False)
