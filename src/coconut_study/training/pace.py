"""How fast a stage trains, and the line that its log has for every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from coconut_study.common.progress import duration


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
