"""The table of removed directions. Pure.

`rows` has one row per run, question, thought and what is removed from it (`columns.REMOVAL`). A run is scored
by its forced choice T, 100 p(right) / (p(right) + p(wrong)) in percent: T with the direction removed minus T
as it is, 0 if the answer does not rest on the direction. A change is one only if it is told from 0, and none
only if two one-sided tests say that it is within the margin (`verdicts.decide`).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from coconut_study.report.cells import titled, with_interval
from coconut_study.report.intervals import estimate
from coconut_study.report.scores import POINTS, RUN, Bases, by_base, means
from coconut_study.report.verdicts import Verdict, adjusted, decide, p_value

METHOD = ["dataset", "method"]
AT = ["thought", "removed"]
NONE, PATH = "none", "path"
BEYOND = "path minus random"  # on the same questions
WORDS = {
    PATH: "the node on the path",
    "sibling": "a node beside the path",
    "random": "as much in a random direction",
    BEYOND: "the node on the path, minus as much in a random direction",
}
SAID = {
    Verdict.SUPPORTED: "within the margin",
    Verdict.CONTRADICTED: "changes",
    Verdict.UNDECIDED: "undecided",
}  # of the claim that T stays as it is


def removal(rows: pd.DataFrame, *, bases: Bases, margin: float) -> pd.DataFrame:
    """One row per method, thought and what is removed: the change of T in points, with its interval, and
    whether it is one.

    Changes within `margin` points do not matter (`p within` is that of equivalence). `adjusted` is p after
    Holm's method over all rows of a data set.
    """
    found = []
    for (dataset, method), runs in _changes(rows).groupby(METHOD, sort=False):
        for thought, cells in runs.groupby("thought"):
            for what in WORDS:
                known = cells.dropna(subset=what)
                if not known.empty:
                    change = estimate(by_base(means(known, what), bases[method]))
                    place = {"dataset": dataset, "method": method, "thought": thought, "removed": what}
                    found.append((place | {"questions": known["question"].nunique()}, change))
    p = pd.Series([p_value(change) for _, change in found], dtype=float)
    family = [place["dataset"] for place, _ in found]
    ps = p.groupby(family).transform(lambda one: adjusted(one.tolist()))
    return pd.DataFrame(
        [
            place
            | change.interval(POINTS)._asdict()
            | {"p": p_value(change), "adjusted": p, "p within": change.p_within(margin), "margin": margin}
            | {"verdict": SAID[decide(change, p, margin, alike=True)]}
            for (place, change), p in zip(found, ps, strict=True)
        ]
    )


def _changes(rows: pd.DataFrame) -> pd.DataFrame:
    """For every run, question and thought the change of T by what is removed; missing where there is none."""
    T = 100 * rows["p right"] / (rows["p right"] + rows["p wrong"])
    at = [*RUN, "thought", "group", "question"]
    wide = rows.assign(T=T).pivot(index=at, columns="removed", values="T")
    changes = wide.sub(wide[NONE], axis=0).reindex(columns=[name for name in WORDS if name != BEYOND])
    changes[BEYOND] = changes[PATH] - changes["random"]
    return changes.reset_index()


def format_removal(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per method, thought and what is removed."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "thought": table["thought"].astype(str),
            "removed": table["removed"].map(WORDS),
            "questions": table["questions"].astype(str),
            "seeds": table["n"].astype(str),
            "change of T (points)": with_interval(table["mean"], table["low"], table["high"]),
            "verdict": table["verdict"],
        }
    )
