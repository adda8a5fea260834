"""Progress with an estimate of the time left, for terminals and log files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sized
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def bar(items: Iterable[Item], what: str, total: int | None = None, done: int = 0) -> Iterable[Item]:
    """`items` with a progress bar on standard error that starts at `done` of `total`; none for a single one.

    A log file gets at most one line every ten seconds.
    """
    interval = 0.5 if sys.stderr.isatty() else 10
    alone = isinstance(items, Sized) and len(items) < 2
    return tqdm(items, desc=what, total=total, initial=done, mininterval=interval, leave=False, disable=alone)


def say(line: str) -> None:
    """Write a line to standard error, above the progress bars."""
    tqdm.write(line, file=sys.stderr)
