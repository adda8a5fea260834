"""Progress with an estimate of the time left, for terminals and log files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sized
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def bar(items: Iterable[Item], what: str, total: int | None = None, done: int = 0) -> Iterable[Item]:
    """`items` with a progress bar on standard error that starts at `done` of `total`; none for a single one.

    A log file gets at most one line every ten seconds, the first after ten.
    """
    interval, delay = (0.5, 0) if sys.stderr.isatty() else (10, 10)
    alone = isinstance(items, Sized) and len(items) < 2
    return tqdm(
        items, desc=what, total=total, initial=done, mininterval=interval, delay=delay, leave=False,
        disable=alone,
    )  # fmt: skip


def say(line: str) -> None:
    """Write a line to standard error, above the progress bars."""
    tqdm.write(line, file=sys.stderr)


def duration(seconds: float) -> str:
    """A duration as people say it: 42 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
