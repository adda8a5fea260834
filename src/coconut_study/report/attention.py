"""The table of what thoughts attend to. Pure.

`given` has one row per run, model (the trained one, or its base), group, thought, layer, head and kind of
facts (`columns.ATTENTION`). Heads have no order that runs share, so a layer has two rows: the mean over its
heads, and its leading head, the one with the highest mu on the even groups, measured on the odd ones.

Three measures, each 0 for a head that does not search:

mu         score of facts with a reached head minus that of the others, in nats
frontier   attention to a fact at the frontier minus that to one whose head is not reached, in points
next       attention to the fact to follow next minus that to a fact at the frontier, in points: whether the
           way to the right option is known before it is walked
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from coconut_study.report.cells import titled, with_interval
from coconut_study.report.scores import RUN, Bases, mean_of, means

METHOD = ["dataset", "method"]
AT = ["model", "layer", "thought"]
MU, FRONTIER, NEXT = "mu", "frontier", "next"
MEASURES = {MU: "mu (nats)", FRONTIER: "frontier minus others (points)", NEXT: "next minus frontier (points)"}
KINDS = ("reached", "frontier", "next", "other")
ALL, LEADING = "all", "leading"


def attention(given: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per method, model, layer, thought, heads (all of a layer, or its leading one) and measure."""
    measured = _measured(given)
    rows = []
    for (dataset, method), runs in measured.groupby(METHOD, sort=False):
        for at, cell in runs.groupby(AT, sort=False):
            for heads, chosen in _chosen(cell):
                for measure in MEASURES:
                    known = chosen.dropna(subset=measure)
                    if not known.empty:
                        rows.append(
                            {"dataset": dataset, "method": method, **dict(zip(AT, at, strict=True))}
                            | {"heads": heads, "measure": measure}
                            | mean_of(means(known, measure), bases[method])
                        )
    return pd.DataFrame(rows)


def _measured(given: pd.DataFrame) -> pd.DataFrame:
    """The measures of every run, model, layer, thought, head and group."""
    at = [*RUN, *AT, "head", "group"]
    wide = given.pivot(index=at, columns="facts", values=["attention", "score"])
    wide = wide.reindex(columns=pd.MultiIndex.from_product([["attention", "score"], KINDS]))
    percent, score = 100 * wide["attention"], wide["score"]
    return pd.DataFrame(
        {
            MU: score["reached"] - score["other"],
            FRONTIER: percent["frontier"] - percent["other"],
            NEXT: percent["next"] - percent["frontier"],
        }
    ).reset_index()


def _chosen(cell: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of all heads, and those of the leading head of every run on the odd groups."""
    yield ALL, cell
    even = cell[cell["group"] % 2 == 0].groupby(["seed", "head"])[MU].mean()
    leading = {seed: heads.idxmax()[1] for seed, heads in even.dropna().groupby(level="seed")}
    led = cell["head"] == cell["seed"].map(leading)
    yield LEADING, cell[led & (cell["group"] % 2 == 1)]


def format_attention(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per method, model, layer, thought and heads; one column per measure."""
    at = [*METHOD, *AT, "heads"]
    cells = table.assign(cell=with_interval(table["mean"], table["low"], table["high"]))
    order = table.drop_duplicates(at).reset_index(drop=True)
    columns = {
        title: cells[cells["measure"] == measure]
        .set_index(at)["cell"]
        .reindex(pd.MultiIndex.from_frame(order[at]))
        .fillna("–")
        .tolist()
        for measure, title in MEASURES.items()
    }
    where = {name: order[name].astype(str) for name in (*AT, "heads")}
    return pd.DataFrame({**titled(order, titles), **where, **columns})
