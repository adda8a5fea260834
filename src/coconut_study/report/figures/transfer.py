"""Right answers to the questions of other data sets than runs were trained on."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from coconut_study.report import marks
from coconut_study.report.cells import rounded
from coconut_study.report.palette import CONTROL, PAPER, ROLES
from coconut_study.report.scores import ANSWER
from coconut_study.report.style import Drawn, page
from coconut_study.report.transfer import ALL

ACROSS = {"rows": 3, "lines": 4}  # panels beside each other
WIDE = {"rows": 28, "lines": 20}  # characters of a panel's title
DASHES: Sequence[Any] = ("-", (0, (5, 1.5)), (0, (2, 1)), (0, (5, 1.5, 1, 1.5)))  # of lines of one colour
LINES = (
    "Small dots: seeds; upright lines: 95 % intervals, from three seeds on; rings: as many thoughts as in "
    "training; level lines: methods without thoughts."
)


class Panel(NamedTuple):
    """The questions of a data set, all or those of one number of steps, and what runs answer right."""

    asked: str
    title: str
    how: str
    rows: pd.DataFrame  # of the table `transfer`
    seeds: pd.DataFrame  # of the table `transfer_seeds`
    coin: bool


class Line(NamedTuple):
    """How a method looks, and the number of thoughts that it was trained with."""

    title: str
    colour: str
    dashes: Any
    k: int


def transfer(
    table: pd.DataFrame,
    seeds: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    trained: str,
) -> Drawn:
    """Right answers of all runs that were trained on one data set: a panel for each data set asked, its own
    first, and for each number of steps if the questions of a data set differ in it.

    Rows are methods. If some are asked at several k, these are across, and every method is a line.
    """
    table, seeds = (one[one["trained"] == trained] for one in (table, seeds))
    panels = _panels(table, seeds, titles, trained)
    lines = _styled(
        table, titles, roles, {one["method"]: one["k"] for one in rows if one["dataset"] == trained}
    )
    several = bool((table.groupby(["asked", "method"])["k"].nunique() > 1).any())
    title = _headline(table, lines, titles, roles, trained, several=several)
    how = LINES if several else marks.HOW
    how += " Dotted: a coin." * any(panel.coin for panel in panels)
    kind = "lines" if several else "rows"
    n_rows = ceil(len(panels) / ACROSS[kind])
    n_across = ceil(len(panels) / n_rows)
    needed = n_rows * (1.95 if several else 0.85 + 0.28 * len(lines))
    figure, axes = page(needed, title, how, nrows=n_rows, ncols=n_across, sharey=True)
    places = [*axes.flat]
    everything = [*table["mean"], *table["low"], *seeds[ANSWER]]
    for axis, panel in zip(places, panels, strict=False):
        (_curves if several else _rows)(axis, panel, lines, everything)
        marks.heading(axis, textwrap.fill(panel.title, WIDE[kind]), panel.how)
        if panel.coin:
            marks.coin(axis, vertical=not several, label=False)
    for axis in places[len(panels) :]:
        axis.set_axis_off()
    for number, axis in enumerate(places[: len(panels)]):
        if number + n_across < len(panels):  # another panel lies below
            axis.set_xlabel("")
    if several:
        for axis in axes[:, 0]:
            axis.set_ylabel(marks.ANSWERS)
        has_room = len(panels) < len(places)  # in the empty place beside the last panel
        for mark in _named(places[len(panels) - 1], panels[-1], lines):
            mark.set_in_layout(not has_room)
    return Drawn(figure, title, _words(panels, lines, titles[trained]))


def _panels(table: pd.DataFrame, seeds: pd.DataFrame, titles: Mapping[str, str], trained: str) -> list[Panel]:
    """The panels in order: of the own data set, and of the others."""
    panels = []
    for asked in sorted(dict.fromkeys(table["asked"]), key=lambda name: name != trained):
        here, dots = (one[one["asked"] == asked] for one in (table, seeds))
        steps = [one for one in dict.fromkeys(here["steps"]) if one != ALL]
        for number in steps or [ALL]:
            how = ["trained on" if asked == trained else "not trained on"] + [f"{number} steps"] * bool(steps)
            rows = here[here["steps"] == number]
            panels.append(
                Panel(asked, titles[asked], ", ".join(how), rows,
                      dots[dots["steps"] == number], bool(rows["null"].notna().all()))
            )  # fmt: skip
    return panels


def _styled(
    table: pd.DataFrame, titles: Mapping[str, str], roles: Mapping[str, str], trained_k: Mapping[str, int]
) -> dict[str, Line]:
    """The methods by role, those of one colour with lines of their own."""
    names = sorted(dict.fromkeys(table["method"]), key=lambda name: list(ROLES).index(roles[name]))
    lines: dict[str, Line] = {}
    for name in names:
        colour = ROLES[roles[name]]
        n_alike = sum(line.colour == colour for line in lines.values())
        lines[name] = Line(titles[name], colour, DASHES[n_alike % len(DASHES)], trained_k[name])
    return lines


def _rows(axis: Axes, panel: Panel, lines: Mapping[str, Line], everything: Sequence[float]) -> None:
    marks.answers(axis, everything)
    marks.rows(axis, range(len(lines)), [line.title for line in lines.values()])
    for at, (method, line) in enumerate(lines.items()):
        for _, row in panel.rows[panel.rows["method"] == method].iterrows():
            marks.point(axis, row, marks.of_runs(panel.seeds, row), at, line.colour, halo=True)


def _curves(axis: Axes, panel: Panel, lines: Mapping[str, Line], everything: Sequence[float]) -> None:
    axis.set(ylim=marks.span(everything), xlabel="thoughts k", xticks=sorted(set(panel.rows["k"])))
    middle = (len(lines) - 1) / 2
    for number, (method, line) in reversed([*enumerate(lines.items())]):  # thoughts lie on top
        rows = panel.rows[panel.rows["method"] == method].sort_values("k")
        apart = 0.11 * (number - middle)
        width = 1.6 if line.colour != CONTROL else 1.2
        marks.curve(axis, (rows["k"] + apart).tolist(), rows, panel.seeds, line.colour, size=9,
                    linestyle=line.dashes, linewidth=width)  # fmt: skip
        if len(rows) == 1:
            axis.axhline(rows["mean"].iloc[0], color=line.colour, linestyle=line.dashes, linewidth=width)
        at = rows[rows["k"] == line.k]
        axis.plot(at["k"] + apart, at["mean"], marker="o", markersize=6.5, color=line.colour,
                  markerfacecolor=PAPER, markeredgewidth=1.4, zorder=5)  # fmt: skip


def _named(axis: Axes, panel: Panel, lines: Mapping[str, Line]) -> list[Any]:
    """The names of lines beside the panel, at the height where they end."""
    last = panel.rows.sort_values("k").groupby("method")["mean"].last()
    ends, dashes = {}, {}
    for method, line in lines.items():
        if method in last:
            name = textwrap.fill(line.title, 18)
            ends[name], dashes[name] = (last[method], line.colour), line.dashes
    return marks.labels(axis, ends, apart=0.23, styles=dashes)


def _headline(
    table: pd.DataFrame, lines: Mapping[str, Line], titles: Mapping[str, str], roles: Mapping[str, str],
    trained: str, *, several: bool,
) -> str:  # fmt: skip
    """What the first method with continuous thoughts answers right with as many as in training, of its own
    questions, and on how many other data sets the interval lies above a coin."""
    where = f"Trained on {titles[trained]}"
    first = next((name for name in lines if roles[name] == "thoughts"), None)
    if first is None:
        return f"{where}: right answers to the questions of this and of other data sets"
    rows = table[(table["method"] == first) & (table["k"] == lines[first].k) & (table["steps"] == ALL)]
    rows = rows.set_index("asked")
    others = rows.drop(index=trained, errors="ignore")
    with_k = f" with {lines[first].k} thoughts" * several
    said = f"{where}, {titles[first]}{with_k} answers"
    if trained in rows.index:
        said += f" {rounded(rows['mean'][trained])} % of its own questions"
    if len(others) == 1:
        return f"{said}, and {rounded(others['mean'].iloc[0])} % of those of {titles[others.index[0]]}"
    if others.empty or others[["low", "null"]].isna().any(axis=None):
        return said
    above = int((others["low"] > others["null"]).sum())
    many = {0: "none of", len(others): "all"}.get(above, f"{above} of")
    return f"{said}; it is above a coin on {many} {len(others)} other data sets"


def _words(panels: Sequence[Panel], lines: Mapping[str, Line], trained: str) -> str:
    """Every mean with as many thoughts as in training, and the highest one if that is another."""
    said = []
    for panel in panels:
        cells = [_of_method(panel.rows[panel.rows["method"] == name], line) for name, line in lines.items()]
        said.append(f"{panel.title} ({panel.how}): {'; '.join(filter(None, cells))}.")
    return f"Right answers of methods trained on {trained}. {' '.join(said)}"


def _of_method(rows: pd.DataFrame, line: Line) -> str:
    own = rows[rows["k"] == line.k]
    if own.empty:
        return ""
    said = f"{line.title} {marks.percent(own.iloc[0], 'mean')}"
    best = rows.loc[rows["mean"].idxmax()]
    if best["mean"] > own["mean"].iloc[0]:
        said += f", at most {rounded(best['mean'])} % with k = {best['k']}"
    return said
