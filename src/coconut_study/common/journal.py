"""The journal of training: how far it is and how fast, in a file that `coconut watch` reads, and in the log.

It shapes no result. The file lies with the saved states of unfinished work, and goes with them when the work
is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

from coconut_study.common.progress import duration, say

NAME = "progress.jsonl"
SECONDS = 2.0  # between two rows, except at the ends of epochs
Row = dict[str, Any]  # has at least "epoch" (from 1) and "update" (done in this epoch)


class Journal:
    """Adds rows to the file at `path` (None: to none), and tells them to `told`.

    If the file cannot be written, that is said once, and the work goes on without it.
    """

    def __init__(
        self, path: Path | None, seconds: float = SECONDS, told: Callable[[Row], None] | None = None
    ) -> None:
        self.path, self.seconds, self.told = path, seconds, told
        self.last = -seconds

    def resume(self, epoch: int, update: int) -> None:
        """Keep only the rows up to that of `update` updates in `epoch`, after which the work goes on."""
        if self.path is not None:
            kept = [row for row in read(self.path) if (row["epoch"], row["update"]) <= (epoch, update)]
            self._write(kept, "w")

    def add(self, row: Row, *, always: bool = False) -> None:
        """Add a row, unless it is less than `seconds` after the one before and not `always` added."""
        if always or monotonic() - self.last >= self.seconds:
            self.last = monotonic()
            self._write([row], "a")
            if self.told is not None:
                self.told(row)

    def _write(self, rows: Sequence[Row], mode: str) -> None:
        if self.path is None:
            return
        try:
            with self.path.open(mode, encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
        except OSError as error:
            say(f"{self.path}: the progress cannot be written ({error.strerror})")
            self.path = None


def read(path: Path) -> list[Row]:
    """The rows of a journal; none if there is no such file. A line that was being written is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [row for line in lines if (row := _row(line)) is not None]


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and {"epoch", "update"} <= row.keys() else None


# ---------------------------------------------------------------------------------------- how fast


class Pace:
    """Counts the updates of this job, of `batch_size` questions each, since its first."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.start = perf_counter()
        self.updates = 0

    def count(self) -> None:
        """Count an update."""
        self.updates += 1

    def row(self, left: int) -> dict[str, float]:
        """Questions per second, and the seconds that `left` more updates take at this pace, evaluations
        between them included; nothing before the first update."""
        if not self.updates:
            return {}
        each = (perf_counter() - self.start) / self.updates
        return {
            "questions_per_second": round(self.batch_size / each, 1),
            "seconds_left": round(each * left, 1),
        }


def sentence(row: Mapping[str, Any]) -> str:
    """The row of an epoch in the journal as a line of a log."""
    parts = [f"loss {row['loss']:.4f}", f"{100 * row['accuracy']:.1f} % right"]
    if "following" in row:
        parts.append(f"{100 * row['following']:.1f} % following")
    parts.append(f"learning rate {row['learning_rate']:.2g}")
    if "thought_norm" in row:
        parts.append(f"thought norm {row['thought_norm']:.2f}")
    if "questions_per_second" in row:
        parts.append(f"{row['questions_per_second']:.0f} questions a second")
        if row["seconds_left"]:
            parts.append(f"{duration(row['seconds_left'])} left")
    return f"stage {row['stage']}, epoch {row['epoch']} of {row['epochs']}: {', '.join(parts)}"
