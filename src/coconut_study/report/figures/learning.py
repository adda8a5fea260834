"""Learning curves over the stages."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from coconut_study.report import marks
from coconut_study.report.cells import rounded
from coconut_study.report.palette import (
    CONTROL,
    ROLES,
)
from coconut_study.report.style import Drawn, page


def learning(
    table: pd.DataFrame,
    stages: pd.DataFrame,
    main: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    dataset: str,
) -> Drawn:
    """Validation accuracy against training questions seen: one line per method, with a gap where a stage
    begins, because it begins with more steps hidden."""
    rows = table[table["dataset"] == dataset]
    drops = _drops(stages[stages["dataset"] == dataset])
    title, alt = _course(rows, drops, titles, roles, titles[dataset])
    coin = bool(marks.baselines(main, dataset))
    how = "Lines: means on validation questions; shaded: 95 % intervals, from three seeds on; dotted"
    how += f", with the change in points: a new stage begins{'; dotted across: a coin' * coin}."
    figure, axes = page(2.75, title, how)
    axis = axes[0][0]
    axis.set(
        xlim=(0, rows["seen"].max()),
        ylim=(-1, 101),
        xlabel="training questions seen, thousands",
        ylabel=marks.ANSWERS,
    )
    axis.xaxis.set_major_formatter(lambda seen, _: f"{seen / 1000:g}")
    if coin:
        marks.coin(axis, vertical=False)
    for method, line in rows.groupby("method", sort=False):
        _line(axis, line, drops[drops["method"] == method], ROLES[roles[method]])
    ends = rows.groupby("method", sort=False).last()
    marks.labels(
        axis,
        {titles[name]: (row["mean"], ROLES[roles[name]]) for name, row in ends.iterrows()},
    )
    return Drawn(figure, title, alt)


def _drops(stages: pd.DataFrame) -> pd.DataFrame:
    """Where a stage begins: method, stage, the accuracy `before` and `after`, in percent."""
    before = stages.groupby("method", sort=False)["last mean"].shift()
    table = stages.assign(before=before, after=stages["first mean"])[["method", "stage", "before", "after"]]
    return table.dropna()


def _line(axis: Axes, line: pd.DataFrame, drops: pd.DataFrame, colour: str) -> None:
    control = colour == CONTROL
    for _, stage in line.groupby("stage"):
        axis.plot(
            stage["seen"],
            stage["mean"],
            color=colour,
            linewidth=1 if control else 2,
            zorder=2 if control else 3,
        )
        if stage["n"].min() > 2 and not control:
            axis.fill_between(
                stage["seen"], stage["low"], stage["high"], color=colour, alpha=0.18, linewidth=0
            )
    for _, drop in drops.iterrows():
        seen = line.loc[line["stage"] == drop["stage"], "seen"].min()
        ends = [drop["before"], drop["after"]]
        axis.plot([seen, seen], ends, color=colour, linestyle=":", linewidth=1, zorder=1)
        if not control and abs(ends[0] - ends[1]) > 8:
            axis.annotate(
                f"{drop['after'] - drop['before']:+.0f}".replace("-", "−"), (seen, sum(ends) / 2), (-3, 0),
                textcoords="offset points", ha="right", va="center", fontsize=8.5, color=colour,
            )  # fmt: skip


def _course(
    rows: pd.DataFrame, drops: pd.DataFrame, titles: Mapping[str, str], roles: Mapping[str, str], where: str
) -> tuple[str, str]:
    """Where the first methods with thoughts and with written steps end, and what a new stage takes: title and
    alternative text."""
    ends = rows.groupby("method", sort=False)["mean"].last()
    first = {roles[str(name)]: str(name) for name in reversed(ends.index)}
    said = {
        name: f"{titles[name]} ends training at {rounded(ends[name])} %"
        for role in ("thoughts", "written")
        if (name := first.get(role)) is not None
    }
    thoughts = first.get("thoughts", "")
    own = drops[drops["method"] == thoughts]
    if (taken := (own["before"] - own["after"]).max()) > 0:
        said[thoughts] = said[thoughts].replace(
            " ends", f" loses up to {taken:.0f} points when a stage begins, and ends", 1
        )
    title = "; ".join(said.values()) or "Right answers in the course of training"
    each = "; ".join(f"{titles[name]} {rounded(end)} %" for name, end in ends.items())
    changes = ", ".join(
        f"stage {row['stage']} from {rounded(row['before'])} to {rounded(row['after'])} %"
        for _, row in own.iterrows()
    )
    alt = f"Right answers on validation questions of {where} at the end of training: {each}."
    return title, alt + (f" Where stages of {titles[thoughts]} begin: {changes}." if changes else "")
