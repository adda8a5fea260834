"""Do thoughts matter: what becomes of answers when thoughts are replaced."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from coconut_study.common.errors import StudyError
from coconut_study.report import marks
from coconut_study.report.cells import rounded
from coconut_study.report.interventions import (
    CHANGE,
    CHOICE,
    CONTENTS,
    ESCAPE,
    FLIPS,
    MEAN,
    MIRROR,
    NOTHING,
    OPPOSITE,
    OWN,
    REDIRECTION,
    ROOT,
    SAME,
)
from coconut_study.report.palette import CONTROL, ROLES, SECONDARY, ZONE_EDGE
from coconut_study.report.scores import COIN
from coconut_study.report.style import Drawn, page

GROUPS = {"says the same": tuple(SAME), "says nothing": tuple(NOTHING), "says the opposite": tuple(OPPOSITE)}
PLACES = {  # of a panel, by thoughts, part and later
    ("all", "input", "kept"): "all thoughts",
    ("all", "both", "kept"): "all, in the cache",
    ("all", "steps", "kept"): "written steps",
    ("last", "input", "kept"): "the last alone",
    ("all but last", "input", "kept"): "all before\nthe last",
    ("all but last", "input", "recomputed"): "all before, the\nlast computed",
}
NAMES = {**CONTENTS, ROOT: "the mirror’s root"}
ACROSS = 6  # panels beside each other
NEAR = 5.0  # points around what is decided that are shaded
HOW = (
    f"{marks.HOW} Shaded: where answers would be if what is replaced decided; dotted: if it were ignored. "
    "Grey numbers: % on neither option, from 1 on."
)


class Panel(NamedTuple):
    """The conditions of a method that differ in content alone."""

    method: str
    place: str
    rows: pd.DataFrame  # of the table `interventions`: forced choices, by content
    seeds: pd.DataFrame  # of the same conditions in the table of runs
    chance: bool  # whether the method's forced choice with its own thoughts is not told from a coin's


def interventions(
    table: pd.DataFrame,
    seeds: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    dataset: str,
) -> Drawn:
    """Forced choices with other thoughts: a row for each content, a panel for each method and place.

    Rows are grouped by what the content says. Steps from group to group mean that what is replaced decides,
    a straight line that it is ignored. Methods that are asked with contents that say the opposite have
    panels, or all of them if there are none; one that does not choose better than a coin is grey.
    """
    table, seeds = table[table["dataset"] == dataset], seeds[seeds["dataset"] == dataset]
    if table.empty:
        raise StudyError(f"interventions.csv: has no rows of {dataset}")
    panels = _panels(table, seeds, roles)
    contents = [name for name in CONTENTS if any(name in panel.rows.index for panel in panels)]
    at = _heights(contents, any(ROOT in panel.rows.index for panel in panels))
    title = _title(table, panels[0], titles)
    n_rows, n_columns = ceil(len(panels) / ACROSS), min(len(panels), ACROSS)
    figure, axes = page(
        n_rows * (0.95 + 0.21 * max(at.values())), title, HOW,
        nrows=n_rows, ncols=n_columns, sharey=True,
    )  # fmt: skip
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.05)
    names = {panel.method: textwrap.fill(titles[panel.method], 14) for panel in panels}
    top = 19 + 13 * max(name.count("\n") + 1 for name in names.values())
    for number, axis in enumerate(axes.flat):
        axis.set_visible(number < len(panels))
        if number >= len(panels):
            continue
        panel, left = panels[number], number % n_columns == 0
        colour = CONTROL if panel.chance else ROLES[roles[panel.method]]
        _draw(axis, panel, at, colour, left=left)
        _above(axis, "at chance" if panel.chance else panel.place, 9, left, fontsize=8.2, color=SECONDARY)
        if (name := names.pop(panel.method, None)) is not None:
            _above(axis, name, top, left, va="top", weight="bold", color=colour)
    figure.supxlabel("forced choice of the right option, %", fontsize=9, color=SECONDARY)
    return Drawn(figure, title, _words(table, panels, titles, dataset))


def _panels(table: pd.DataFrame, seeds: pd.DataFrame, roles: Mapping[str, str]) -> list[Panel]:
    """The panels, methods with thoughts first."""
    choices = table[table["measure"] == CHOICE]
    told = choices[choices["content"].isin(OPPOSITE)]["method"].unique()
    shown = choices[choices["method"].isin(told)] if len(told) else choices
    methods = sorted(shown["method"].unique(), key=lambda name: list(ROLES).index(roles[name]))
    panels = []
    for method in methods:
        rows, runs = (one[one["method"] == method] for one in (shown, seeds))
        own = rows[rows["content"] == OWN].iloc[0]
        for condition, place in PLACES.items():
            if condition[1] != own["part"]:
                continue
            here, dots = (_at(one, condition) for one in (rows, runs))
            if not here.empty:
                panels.append(Panel(method, place, here, dots, bool(own["low"] <= COIN)))
    return panels


def _at(rows: pd.DataFrame, condition: tuple[str, str, str]) -> pd.DataFrame:
    """The rows of a place by content; where all thoughts are replaced, also the row of the prompt's root with
    all thoughts kept."""
    found = rows[(rows[["thoughts", "part", "later"]] == list(condition)).all(axis=1)].set_index("content")
    if condition[0] != "all" or found.empty:
        return found
    root = rows[(rows["thoughts"] == ROOT) & (rows["later"] == "kept")]
    return pd.concat([found, root.assign(content=ROOT).set_index("content")])


def _heights(contents: Sequence[str], root: bool) -> dict[str, float]:
    """The height of every content: groups lie below their names."""
    at, below = dict[str, float](), 0.0
    for group in [*GROUPS.values(), (ROOT,) * root]:
        rows = [name for name in group if name in contents or name == ROOT]
        at |= {name: below + i for i, name in enumerate(rows)}
        below += len(rows) + (1.1 if rows else 0)
    return at


def _draw(axis: Axes, panel: Panel, at: Mapping[str, float], colour: str, *, left: bool) -> None:
    """The marks of a panel; the one on the left names the rows."""
    axis.set(xlim=(-3, 103), xticks=[0, 50, 100])
    marks.rows(axis, [*at.values()], [NAMES[content] for content in at])
    axis.tick_params(labelleft=left)
    if left:
        _name_groups(axis, at)
    axis.axvline(panel.rows["ignored"].iloc[0], color=SECONDARY, linestyle=":", linewidth=1.2, zorder=1)
    for content, row in panel.rows.iterrows():
        height, own = at[str(content)], panel.seeds.loc[[content]]
        if not panel.chance:
            corner = (row["decided"] - NEAR, height - 0.5)
            axis.add_patch(Rectangle(corner, 2 * NEAR, 1, color=ZONE_EDGE, linewidth=0, zorder=0))
        marks.mean(axis, row["mean"], row["low"], row["high"], height, colour)
        marks.seeds(axis, own[CHOICE].tolist(), height, colour, near=4)
        if (escape := own[ESCAPE].mean()) >= 0.5:
            axis.annotate(f"{escape:.0f}", (1, height), (3, 0), xycoords=axis.get_yaxis_transform(),
                          textcoords="offset points", va="center", fontsize=8.2, color=SECONDARY)  # fmt: skip


def _name_groups(axis: Axes, at: Mapping[str, float]) -> None:
    """What the contents of each group say, above its rows."""
    for name, group in [*GROUPS.items(), ("in the prompt instead", (ROOT,))]:
        if places := [at[content] for content in group if content in at]:
            axis.annotate(name, (0, min(places) - 0.78), (-4, 0), xycoords=axis.get_yaxis_transform(),
                          textcoords="offset points", ha="right", va="center", fontsize=8.2,
                          color=SECONDARY)  # fmt: skip


def _above(axis: Axes, text: str, up: float, reserve: bool, **look: Any) -> None:
    """A text above the left end of a panel, `up` points up; `reserve` says whether room is made for it."""
    look = {"va": "bottom", "xycoords": "axes fraction", "textcoords": "offset points", **look}
    axis.annotate(text, (0, 1), (0, up), **look).set_in_layout(reserve)


# --------------------------------------------------------------------------------------------- in words


def _title(table: pd.DataFrame, panel: Panel, titles: Mapping[str, str]) -> str:
    """What the intervals say of the first method; no more than they bear."""
    name, rows = titles[panel.method], panel.rows
    own = rounded(rows["ignored"].iloc[0])
    if panel.chance:
        return f"{name} chooses at chance ({own} %): replacing its thoughts can show nothing"
    others = {MEAN: "mean ones", MIRROR: "the mirror’s"}
    said = [f"{own} % right with its own"]
    said += [f"{rounded(rows.at[c, 'mean'])} % with {what}" for c, what in others.items() if c in rows.index]
    of = table[table["method"] == panel.method]
    change, turned = (_found(of, panel, content, measure)
                      for content, measure in ((MEAN, CHANGE), (MIRROR, REDIRECTION)))  # fmt: skip
    if not (change["high"] < 0 or change["high"] >= 0):
        verdict = f"{name} and its thoughts"
    elif change["high"] >= 0:
        verdict = f"No need of what differs between {name}’s thoughts is detected"
    elif turned["low"] > 0:
        verdict = f"{name} chooses what its thoughts say"
    else:
        verdict = f"{name} needs its thoughts"
    return f"{verdict}: {', '.join(said)}{_last(of)}"


def _found(of: pd.DataFrame, panel: Panel, content: str, measure: str) -> pd.Series:
    """The row of a measure of the panel with a content; without numbers if there is none."""
    at = panel.rows.iloc[0][["part", "later"]]
    rows = of[(of["thoughts"] == "all") & (of["content"] == content) & (of["measure"] == measure)]
    rows = rows[(rows[["part", "later"]] == at).all(axis=1)]
    return rows.iloc[0] if len(rows) else pd.Series({"low": float("nan"), "high": float("nan")})


def _last(of: pd.DataFrame) -> str:
    """Whether the last thought alone turns answers around, and those before it do not."""
    flips = of[(of["measure"] == FLIPS) & (of["content"] == MIRROR) & (of["later"] == "kept")]
    flips = flips[flips["part"] == "input"].set_index("thoughts")
    if not {"last", "all but last"} <= set(flips.index):
        return ""
    return "; the last one holds the answer" * bool(
        flips.at["last", "low"] > flips.at["all but last", "high"]
    )


def _words(table: pd.DataFrame, panels: Sequence[Panel], titles: Mapping[str, str], dataset: str) -> str:
    """Every forced choice, and where thoughts redirect answers."""
    said = [f"Forced choice of the right option on {titles[dataset]}, percent, with other thoughts."]
    for panel in panels:
        place = panel.place.replace("\n", " ")
        each = [
            f"{NAMES[str(content)]}{' in the prompt' * (content == ROOT)} {marks.percent(row, 'mean')}"
            for content, row in panel.rows.iterrows()
        ]
        said.append(f"{titles[panel.method]}, {place}: {'; '.join(each)}.")
    turned = table[
        (table["measure"] == REDIRECTION) & (table["content"] == MIRROR) & (table["thoughts"] == "all")
    ]
    for _, row in turned[turned["part"] != "keys"].drop_duplicates("method").iterrows():
        span = "" if pd.isna(row["low"]) else f" [{rounded(row['low'])}, {rounded(row['high'])}]"
        said.append(
            f"{titles[row['method']]}: answers that the mirror’s flips minus those that another question’s "
            f"with the same answer flips: {rounded(row['mean'])}{span} points."
        )
    return " ".join(said)
