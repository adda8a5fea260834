"""Columns of the CSV files that evaluation writes. Writers and readers take them from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

RUN = ("dataset", "method", "seed")

GRADES = (
    *RUN, "k", "question", "group", "outcome", "right", "right number", "tokens", "finished", "edges",
    "wrong edges",
)  # fmt: skip
TIMINGS = ("k", "questions", "seconds")
CLOCK = (*RUN, "batch size", "questions", "seconds", "device", "k")
ENDING = (
    *RUN,
    "question",
    "group",
    "fixed k",
    "fixed right",
    "classifier k",
    "classifier right",
    "threshold",
)
VALUES = (*RUN, "question", "group", "k", "frontier", "node", "height", "correct", "option", "value")
DECODED = (*RUN, "question", "thought", "rank", "token", "probability")
TRACING = (*RUN, "question", "group", "layer", "place", "p right", "p wrong")
LINEAR = (*RUN, "model", "thoughts", "label", "labels", "node", "questions", "auc")
REMOVAL = (*RUN, "question", "group", "thought", "removed", "p right", "p wrong")
ATTENTION = (*RUN, "model", "group", "thought", "layer", "head", "facts", "questions", "attention", "score")
INTERVENTIONS = (
    *RUN, "question", "group", "thoughts", "content", "part", "later", "p right", "p wrong", "right",
)  # fmt: skip

# The columns that tell the rows of a run apart, for each of these files.
KEYS = {
    GRADES: ("k", "question"),
    CLOCK: ("batch size",),
    ENDING: ("question",),
    VALUES: ("question", "k", "node"),
    DECODED: ("question", "thought", "rank"),
    TRACING: ("question", "layer", "place"),
    LINEAR: ("model", "thoughts", "label", "labels", "node"),
    REMOVAL: ("question", "thought", "removed"),
    ATTENTION: ("model", "group", "thought", "layer", "head", "facts"),
    INTERVENTIONS: ("question", "thoughts", "content", "part", "later"),
}


def with_run(table: pd.DataFrame, run: Mapping[str, Any]) -> pd.DataFrame:
    """`table` with the dataset, method and seed of its run as first columns."""
    return table.assign(**run)[[*run, *table]]
