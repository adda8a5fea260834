"""The columns that commands look for in the tables they are given."""

from __future__ import annotations

RUN = ("dataset", "method", "seed")
SPAN = ("mean", "low", "high")

# What runs leave.
GRADES = (*RUN, "k", "outcome", "right", "right number", "tokens")
TIMES = (*RUN, "batch size", "questions", "seconds", "device")
ENDS = (*RUN, "fixed k", "fixed right", "classifier k", "classifier right")
VALUES = (*RUN, "k", "question", "node", "height", "correct", "value")
DECODED = (*RUN, "question", "thought", "token", "probability")
HISTORY = ("stage", "epoch", "questions", "loss", "accuracy")
SHORTCUTS = ("rule", "accuracy")
STATISTICS = ("measure", "value")

# What is made of it, to be drawn.
MAIN = ("dataset", "method", "accuracy", "low", "high", "paper accuracy")
SEEDS = (*RUN, "accuracy")
SWEEP = ("dataset", "method", "k", "measure", *SPAN)
LEARNING = ("dataset", "method", "stage", "epoch", "seen", "n", *SPAN)
STAGES = ("dataset", "method", "stage", *(f"{end} {part}" for end in ("first", "last") for part in SPAN))
COMPARISON = ("dataset", "series", "label", "k", "tokens", *SPAN)
PARALLELISM = ("dataset", "method", "k", "top", "percentile", "value")
HEIGHTS = ("dataset", "method", "k", "height", "correct", *SPAN, "lowest seed", "highest seed", "candidates")
