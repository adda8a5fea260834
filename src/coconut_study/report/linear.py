"""The table of linear probes. Pure.

`read` has one row per run, model (the trained one, or its base), number of thoughts, label, whose labels, and
node (`columns.LINEAR`). A run is scored by the median over nodes of the area under the ROC curve, in percent:
50 if the label cannot be read. Selectivity is by how much own labels are read better than those of another
question's graph. A probe has one score for all questions that it is tested on, the same for every run, so
intervals are over runs alone: they do not say what other questions would have given.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from coconut_study.report.cells import titled, with_interval
from coconut_study.report.intervals import UNBOUNDED, interval
from coconut_study.report.scores import POINTS, SHARE, Bases, by_base

METHOD = ["dataset", "method"]
AT = ["model", "thoughts", "label"]


def linear(read: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per method, model, number of thoughts and label: how well it is read, and its selectivity."""
    rows = []
    for (dataset, method), runs in read.groupby(METHOD, sort=False):
        medians = 100 * runs.groupby([*AT, "labels", "seed"], sort=False)["auc"].median().unstack("labels")
        for at, cell in medians.groupby(AT, sort=False):
            own, other = (cell[whose].droplevel(AT) for whose in ("own", "other"))
            span = _over_units(own, bases[method], SHARE)
            selectivity = _over_units(own - other, bases[method], POINTS)
            rows.append(
                {"dataset": dataset, "method": method, **dict(zip(AT, at, strict=True))}
                | {"nodes": _nodes(runs, at)}
                | span
                | {"selectivity": selectivity["mean"]}
                | {f"selectivity {end}": selectivity[end] for end in ("low", "high")}
            )
    return pd.DataFrame(rows)


def _nodes(runs: pd.DataFrame, at: tuple[str, int, str]) -> int:
    """The number of nodes whose labels are read."""
    cell = runs[(runs[AT] == list(at)).all(axis=1) & (runs["labels"] == "own")]
    return int(cell["node"].nunique())


def _over_units(
    score: pd.Series, bases: Mapping[int, str], bounds: tuple[float, float] = UNBOUNDED
) -> dict[str, float]:
    """The mean of one score per seed with its interval, and the number of units."""
    units = by_base(score.to_frame(), bases).iloc[:, 0]
    return interval(units.tolist(), bounds)._asdict()


def format_linear(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per method, model and number of thoughts; two columns per label."""
    at = [*METHOD, "model", "thoughts"]
    cells = table.assign(
        auc=with_interval(table["mean"], table["low"], table["high"], 0),
        more=with_interval(table["selectivity"], table["selectivity low"], table["selectivity high"], 0),
    )
    order = table.drop_duplicates(at).reset_index(drop=True)
    columns = {}
    for label in dict.fromkeys(table["label"]):
        own = cells[cells["label"] == label].set_index(at)
        for name, column in (("auc", label), ("more", f"{label}, selectivity")):
            found = own[name].reindex(pd.MultiIndex.from_frame(order[at]))
            columns[column] = found.fillna("–").tolist()
    return pd.DataFrame(
        {
            **titled(order, titles),
            "model": order["model"],
            "thoughts": order["thoughts"].astype(str),
            **columns,
        }
    )
