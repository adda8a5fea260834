"""The table of tracing: where, by layer and place, a restored state brings the answer back. Pure.

`traces` has one row per question, layer and place (`columns.TRACING`). A run is scored by its forced choice
T, 100 p(right) / (p(right) + p(wrong)) in percent, and a place by its effect: the share of the way from the
corrupt to the clean T that restoring it takes, (T - T corrupt) / (T clean - T corrupt), in percent. It is the
ratio of the means over questions. Where T does not fall with the root, there is nothing to bring back.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from coconut_study.report.cells import rounded, titled, with_interval
from coconut_study.report.scores import POINTS, RUN, Bases, mean_of, means, ratio

METHOD = ["dataset", "method"]
AT = ["layer", "place"]
SPAN = ("mean", "low", "high")


def tracing(traces: pd.DataFrame, *, bases: Bases, margin: float) -> pd.DataFrame:
    """One row per method, layer and place: T of the clean and of the corrupt run, and the effect with its
    interval.

    Effects are missing if T falls by no more than `margin` points, or if the interval of the fall holds 0.
    """
    rows = []
    for (dataset, method), runs in _scored(traces).groupby(METHOD, sort=False):
        patched = runs[runs["layer"] >= 0]
        fall = mean_of(means(runs[runs["place"] == "clean"], "fall"), bases[method], POINTS)
        told = fall["mean"] > margin and not fall["low"] <= 0
        for (layer, place), cell in patched.groupby(AT, sort=False):
            span = _effect(cell, bases[method]) if told else fall | dict.fromkeys(SPAN)
            rows.append(
                {"dataset": dataset, "method": method, "layer": layer, "place": place}
                | {"questions": cell["question"].nunique()}
                | {"clean": cell["clean"].mean(), "corrupt": cell["corrupt"].mean()}
                | span
            )
    return pd.DataFrame(rows).astype(dict.fromkeys(SPAN, float))


def _scored(traces: pd.DataFrame) -> pd.DataFrame:
    """The rows with T, that of the clean and of the corrupt run, how far it falls between these two (`fall`)
    and how far it rises above that of the corrupt run (`restored`)."""
    right, wrong = traces["p right"], traces["p wrong"]
    scored = traces.assign(T=100 * right / (right + wrong))
    outer = scored[scored["layer"] < 0].pivot(index=[*RUN, "question"], columns="place", values="T")
    scored = scored.merge(outer, on=[*RUN, "question"])
    return scored.assign(fall=scored["clean"] - scored["corrupt"], restored=scored["T"] - scored["corrupt"])


def _effect(cell: pd.DataFrame, bases: Mapping[int, str]) -> dict[str, float]:
    """The effect of a layer and place with its interval."""
    return mean_of(100 * ratio(means(cell, "restored"), means(cell, "fall")), bases)


def format_tracing(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per method and place, one column per layer."""
    at = [*METHOD, "place"]
    cells = table.assign(cell=with_interval(table["mean"], table["low"], table["high"], 0))
    wide = cells.pivot(index=at, columns="layer", values="cell")
    order = table.drop_duplicates(at)
    wide = wide.loc[list(order[at].itertuples(index=False, name=None))].reset_index(drop=True)
    numbers = {name: order[name].map(rounded).reset_index(drop=True) for name in ("clean", "corrupt")}
    order = order.reset_index(drop=True)
    layers = {f"layer {layer}": wide[layer].fillna("–") for layer in wide.columns}
    return pd.DataFrame(
        {
            **titled(order, titles),
            "questions": order["questions"].astype(str),
            "T clean (%)": numbers["clean"],
            "T corrupt (%)": numbers["corrupt"],
            "restored": order["place"],
            **layers,
        }
    )
