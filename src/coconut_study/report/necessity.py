"""When a model needs its thoughts: rows of methods at every number of layers and hops. Pure.

A cell of the map is a data set (a number of hops) and the shape of a model (layers, width). In it every row
is set against the row that has as many places without content: the difference is what content, or what the
row has in its place, is worth there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from coconut_study.report.cells import titled, with_interval
from coconut_study.report.intervals import estimate
from coconut_study.report.scores import ANSWER, SHARE, Bases, by_base, difference, scores
from coconut_study.report.verdicts import adjusted, decide, p_value

POINT = ["dataset", "method", "k"]


def necessity(
    counts: pd.DataFrame, *, map_cells: Sequence[Mapping[str, Any]], margin: float, bases: Bases
) -> pd.DataFrame:
    """One row per cell and row of the map: accuracy (%), and its difference in points to the row without
    content in the same cell, seed by seed and question by question, with the verdict on "it is above".

    `counts` is the table of `scores.by_group`. A cell has dataset, hops, layers, width, row, method, k,
    against (the method of the row without content, or None) and against_k. Differences within `margin` do not
    matter; `adjusted` is p after Holm's method over the cells of a row.
    """
    rows = []
    for cell in map_cells:
        own = _table(counts, [cell[name] for name in POINT])
        accuracy = estimate(by_base(own, bases[cell["method"]])).interval(SHARE)
        place = {name: cell[name] for name in ("dataset", "hops", "layers", "width", "row", "method")}
        rows.append((place | accuracy._asdict(), _difference(counts, cell, own, bases)))
    p = pd.Series([p_value(apart) for _, apart in rows], dtype=float)
    ps = p.groupby([row["row"] for row, _ in rows]).transform(lambda family: adjusted(family.tolist()))
    return pd.DataFrame(
        [
            row
            | {"difference": apart.mean, "difference low": apart.interval().low}
            | {"difference high": apart.interval().high, "p": p_value(apart), "adjusted": p}
            | {"margin": margin, "verdict": decide(apart, p, margin, alike=False).value}
            for (row, apart), p in zip(rows, ps, strict=True)
        ]
    )


def _difference(counts: pd.DataFrame, cell: Mapping[str, Any], own: pd.DataFrame, bases: Bases) -> Any:
    """The estimate of a row minus the row without content; without units for that row itself."""
    other = _table(counts, [cell["dataset"], cell["against"], cell["against_k"]])
    if not other.size:
        return estimate(other)
    return estimate(by_base(difference(own, other), bases[cell["method"]]))


def _table(counts: pd.DataFrame, point: Sequence[Any]) -> pd.DataFrame:
    """The score table of a data set, method and k; without rows if there are no such runs."""
    runs = counts[(counts[POINT] == point).all(axis=1)]
    return scores(runs, ANSWER) if len(runs) else pd.DataFrame()


def format_necessity(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per cell and row of the map, cell by cell."""
    rows = table.sort_values(["hops", "layers", "width"], kind="stable")
    return pd.DataFrame(
        {
            "hops": rows["hops"].astype(str),
            "layers": rows["layers"].astype(str),
            "width": rows["width"].astype(str),
            **titled(rows, titles),
            "accuracy (%)": with_interval(rows["mean"], rows["low"], rows["high"]),
            "seeds": rows["n"].astype(str),
            "over the row without content": with_interval(
                rows["difference"], rows["difference low"], rows["difference high"]
            ),
            "verdict": [
                verdict if pd.notna(difference) else "–"
                for verdict, difference in zip(rows["verdict"], rows["difference"], strict=True)
            ],
        }
    )
