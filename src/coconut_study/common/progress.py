"""Progress with an estimate of the time left, on a terminal and in a log file alike."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def bar(items: Iterable[Item], what: str, total: int | None = None, done: int = 0) -> Iterable[Item]:
    """`items`, counted on standard error on top of those `done`; a log file gets a line every ten seconds."""
    interval = 0.5 if sys.stderr.isatty() else 10
    return tqdm(items, desc=what, total=total, initial=done, mininterval=interval, leave=False)


def say(line: str) -> None:
    """A line on standard error, above the bars."""
    tqdm.write(line, file=sys.stderr)
