"""Figures of accuracy: one function each. They draw the numbers of tables and compute none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from coconut_study.evaluation.outcomes import Outcome
from coconut_study.report import marks
from coconut_study.report.cells import SHORTCUT, rounded
from coconut_study.report.palette import (
    CONTROL,
    INK,
    ON,
    OUTCOMES,
    PAPER,
    ROLES,
    RULE,
    SECONDARY,
    THOUGHTS,
    THOUGHTS_PALE,
    THOUGHTS_TINT,
)
from coconut_study.report.scores import ANSWER
from coconut_study.report.style import Drawn, page

PATHS = (Outcome.CORRECT_PATH, Outcome.LONGER_PATH, Outcome.WRONG_TARGET, Outcome.HALLUCINATION)
LABELS = (Outcome.CORRECT_LABEL, Outcome.INCORRECT_LABEL)
MARKS = "Dots: seeds; short bars: means; thin lines: 95 % intervals, from three seeds on."


class Baseline(NamedTuple):
    """What a rule that does no planning answers right, in percent, with its interval."""

    rule: str
    accuracy: float
    low: float
    high: float


def baselines(main: pd.DataFrame, dataset: str) -> list[Baseline]:
    """The rules of a data set in the table `main`, from the best to the worst."""
    rows = main[(main["dataset"] == dataset) & main["method"].str.startswith(SHORTCUT)]
    rows = rows.dropna(subset="accuracy").sort_values("accuracy", ascending=False, kind="stable")
    return [
        Baseline(row["method"].removeprefix(SHORTCUT), row["accuracy"], row["low"], row["high"])
        for _, row in rows.iterrows()
    ]


def percent(row: Mapping[str, Any] | pd.Series, name: str = "accuracy") -> str:
    """A percentage with its interval, in words."""
    span = "" if pd.isna(row["low"]) else f" [{rounded(row['low'])}, {rounded(row['high'])}]"
    return f"{rounded(row[name])} %{span}"


# ------------------------------------------------------------------------------------- answers of methods


def accuracy(
    main: pd.DataFrame,
    seeds: pd.DataFrame,
    paper: Mapping[str, Any],
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    dataset: str,
    paper_dataset: str | None,
) -> Drawn:
    """Right answers of every method on one data set: ours beside the paper's.

    Rows are methods. What rules answer that do no planning are lines and a shaded zone.
    """
    rows = main[(main["dataset"] == dataset) & ~main["method"].str.startswith(SHORTCUT)]
    rank = rows["method"].map(lambda name: list(ROLES).index(roles[name]))
    rows = rows.loc[rank.sort_values(kind="stable").index].reset_index(drop=True)
    rules = baselines(main, dataset)
    reported = rows["paper accuracy"].notna().any()
    theirs = paper.get("baselines", {}).get(paper_dataset)
    title = _headline(rows, rules, theirs, titles, roles)
    figure, axes = page(
        1.3 + 0.3 * len(rows), title, MARKS + " Shaded: right without planning." * bool(rules),
        ncols=1 + reported, width_ratios=[1.45, 1] if reported else [1], sharey=True,
    )  # fmt: skip
    at = _places(rows, roles)
    values = pd.concat([rows["accuracy"], rows["low"], rows["paper accuracy"], seeds["accuracy"]])
    for axis in axes[0]:
        marks.answers(axis, values.tolist())
        axis.set_ylim(max(at) + 0.6, -0.6)
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0)
        axis.set_yticks(at, [titles[name] for name in rows["method"]], fontsize=9.5, color=INK)
        if at[-1] > len(at) - 1:
            axis.axhline(at[_n_shown(rows, roles)] - 0.72, color=RULE, linewidth=0.8, zorder=1)
    for label, name in zip(axes[0][0].get_yticklabels(), rows["method"], strict=True):
        if roles[name] != "control":
            label.set(color=ROLES[roles[name]], weight="bold")
    _ours(axes[0][0], rows, seeds[seeds["dataset"] == dataset], at, roles, rules)
    marks.heading(axes[0][0], "This study", titles[dataset], up=13 * bool(rules))
    if reported:
        axes[0][1].tick_params(labelleft=False)
        _theirs(axes[0][1], rows, at, roles, theirs, coin=bool(rules))
        name = paper.get("names", {}).get(paper_dataset, paper_dataset)
        marks.heading(axes[0][1], "The paper", f"{name}; mean and s.d.", up=13 * bool(rules))
    return Drawn(figure, title, _words(rows, rules, theirs, titles, dataset))


def _places(rows: pd.DataFrame, roles: Mapping[str, str]) -> list[float]:
    """The height of every row: controls lie below a gap."""
    shown = _n_shown(rows, roles)
    return [i + 0.45 * (0 < shown <= i) for i in range(len(rows))]


def _n_shown(rows: pd.DataFrame, roles: Mapping[str, str]) -> int:
    return sum(roles[name] != "control" for name in rows["method"])


def _ours(
    axis: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, at: Sequence[float], roles: Mapping[str, str],
    rules: Sequence[Baseline],
) -> None:  # fmt: skip
    if rules:
        best = rules[0]
        uncertain = not pd.isna(best.low)
        marks.zone(axis, best.high if uncertain else best.accuracy, best.low if uncertain else None)
        marks.coin(axis)
        named = [marks.COIN]
        for rule in rules:
            if min(abs(rule.accuracy - other) for other in named) > 9:  # else their names would overlap
                marks.rule(axis, rule.accuracy)
                marks.above(axis, rule.accuracy, f"{rule.rule} {rounded(rule.accuracy)}", "left")
                named.append(rule.accuracy)
    for (_, row), height in zip(rows.iterrows(), at, strict=True):
        colour = ROLES[roles[row["method"]]]
        values = seeds.loc[seeds["method"] == row["method"], "accuracy"].tolist()
        marks.mean(axis, row["accuracy"], row["low"], row["high"], height, colour)
        marks.seeds(axis, values, height, colour)
        ends = [*values, row["accuracy"], *row[["low", "high"]].dropna()]
        weight = "normal" if colour == CONTROL else "bold"
        marks.number(axis, rounded(row["accuracy"]), min(ends), max(ends), height, colour, weight=weight)


def _theirs(
    axis: Axes, rows: pd.DataFrame, at: Sequence[float], roles: Mapping[str, str],
    rule: Mapping[str, Any] | None, *, coin: bool,
) -> None:  # fmt: skip
    if coin:
        marks.coin(axis)
    if rule is not None:
        marks.zone(axis, rule["accuracy"])
        marks.above(axis, rule["accuracy"], f"shortcut rule {rule['accuracy']}", "right")
    for (_, row), height in zip(rows.iterrows(), at, strict=True):
        if pd.isna(row["paper accuracy"]):
            continue
        colour = ROLES[roles[row["method"]]]
        sd = 0.0 if pd.isna(row["paper sd"]) else row["paper sd"]
        marks.reported(axis, row["paper accuracy"], row["paper sd"], height, colour)
        left, right = row["paper accuracy"] - sd, row["paper accuracy"] + sd
        marks.number(axis, rounded(row["paper accuracy"]), left, right, height, colour)


def _headline(
    rows: pd.DataFrame, rules: Sequence[Baseline], theirs: Mapping[str, Any] | None,
    titles: Mapping[str, str], roles: Mapping[str, str],
) -> str:  # fmt: skip
    """What the numbers say of the first method with continuous thoughts; no more than they bear."""
    first = {role: rows[rows["method"].map(roles) == role].head(1) for role in ROLES}
    if first["thoughts"].empty:
        return "Right answers of every method"
    ours = first["thoughts"].iloc[0]
    name = titles[ours["method"]]
    others = [(titles[row["method"]], row) for _, row in first["written"].iterrows()]
    others += [("the best shortcut", rule._asdict()) for rule in rules[:1]]
    ahead = all(ours["low"] > other["high"] for _, other in others)  # False if an interval is missing
    link = (" and " if ahead else ", ").join(
        f"{other} ({rounded(row['accuracy'])} %)" for other, row in others
    )
    said = f"{name} answers {rounded(ours['accuracy'])} %"
    if others:
        said += f", ahead of {link}" if ahead else f"; beside it: {link}"
    if theirs is not None and not pd.isna(ours["paper sd"]):
        apart = ours["paper accuracy"] - theirs["accuracy"]
        if abs(apart) <= ours["paper sd"]:
            said += "; on the paper’s questions a shortcut ties with it"
    return said


def _words(
    rows: pd.DataFrame, rules: Sequence[Baseline], theirs: Mapping[str, Any] | None,
    titles: Mapping[str, str], dataset: str,
) -> str:  # fmt: skip
    ours = [f"{titles[row['method']]} {percent(row)}, {row['seeds']:.0f} seeds" for _, row in rows.iterrows()]
    said = [f"Right answers on {titles[dataset]}: {'; '.join(ours)}."]
    if rules:
        best = percent(rules[0]._asdict())
        said.append(f"Without planning the best rule ({rules[0].rule}) reaches {best}, a coin 50 %.")
    paper = [
        f"{titles[row['method']]} {rounded(row['paper accuracy'])} %"
        for _, row in rows.iterrows()
        if not pd.isna(row["paper accuracy"])
    ]
    if paper:
        said.append(f"In the paper: {'; '.join(paper)}.")
    if theirs is not None:
        said.append(f"On its questions a rule ({theirs['rule']}) reaches {theirs['accuracy']} %.")
    return " ".join(said)


# ---------------------------------------------------------------------------------- number of thoughts


def sweep(
    table: pd.DataFrame,
    seeds: pd.DataFrame,
    main: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    dataset: str,
    method: str,
    references: Sequence[str],
) -> Drawn:
    """Right answers and kinds of responses by number of thoughts (paper Figure 5).

    Rows are those of `method` from k = 0 on, then `references`. Responses with a path and responses with a
    label alone have a panel each.
    """
    here = table[table["dataset"] == dataset]
    swept = here[here["method"] == method].sort_values("k", kind="stable")
    rows = pd.concat([swept, *(here[here["method"] == name] for name in references)])
    shares = rows.pivot(index=["method", "k"], columns="measure", values="mean")
    order = list(dict.fromkeys(zip(rows["method"], rows["k"], strict=True)))
    shares = shares.loc[order]
    n_swept = len(set(swept["k"]))
    at = [i + 0.45 * (i >= n_swept) for i in range(len(order))]
    title = _trend(swept[swept["measure"] == ANSWER], titles[method])
    figure, axes = page(
        1.35 + 0.3 * len(order), title, MARKS + _silent(shares[:n_swept], order),
        ncols=3, width_ratios=[1.25, 1, 1], sharey=True,
    )  # fmt: skip
    names = [f"k = {k}" if name == method else titles[name] for name, k in order]
    for axis in axes[0]:
        axis.set(ylim=(max(at) + 0.6, -0.6))
        axis.spines["left"].set_visible(False)
        axis.tick_params(axis="y", length=0, labelleft=axis is axes[0][0])
        axis.set_yticks(at, names, fontsize=9.5, color=INK)
    answers = rows[rows["measure"] == ANSWER]
    _answers(axes[0][0], answers, seeds[seeds["dataset"] == dataset], at, roles, baselines(main, dataset))
    marks.heading(axes[0][0], "Final answer", up=24)
    _stack(axes[0][1], shares, at, PATHS)
    marks.heading(axes[0][1], "Writes a path", up=24)
    _stack(axes[0][2], shares, at, LABELS)
    marks.heading(axes[0][2], "Label only", up=24)
    right = swept[swept["measure"] == ANSWER]
    words = [f"k = {row['k']}: {percent(row, 'mean')}" for _, row in right.iterrows()]
    kinds = [
        f"{kind.value} {rounded(share.iloc[0])} to {rounded(share.iloc[-1])} %"
        for kind in PATHS
        if (share := shares[kind.value][:n_swept]).max() > 0
    ]
    alt = f"Right answers of {titles[method]} by number of thoughts on {titles[dataset]}: {'; '.join(words)}."
    return Drawn(figure, title, f"{alt} From the first k to the last: {', '.join(kinds)}." if kinds else alt)


def _trend(answers: pd.DataFrame, name: str) -> str:
    first, last = answers.iloc[0], answers.iloc[-1]
    low, high = rounded(first["mean"]), rounded(last["mean"])
    if len(answers) > 1 and (first["high"] < last["low"] or last["high"] < first["low"]):
        verb = "rise" if first["mean"] < last["mean"] else "fall"
        change = f"right answers of {name} {verb} from {low} to {high} %"
        return f"From {first['k']} to {last['k']} thoughts, {change}"
    return f"{name} answers {low} % with {first['k']} thoughts and {high} % with {last['k']}"


def _silent(shares: pd.DataFrame, order: Sequence[tuple[str, int]]) -> str:
    """Which k leave no path that could be wrong."""
    written = shares[[outcome.value for outcome in PATHS]].sum(axis=1)
    silent = [str(k) for (_, k), share in zip(order, written, strict=False) if share < 0.5]
    if not silent or len(silent) == len(written):
        return ""
    return f" With k = {' or '.join(silent)} no path is written, so none can be wrong."


def _answers(
    axis: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, at: Sequence[float], roles: Mapping[str, str],
    rules: Sequence[Baseline],
) -> None:  # fmt: skip
    marks.answers(axis, [*rows["mean"], *rows["low"], *seeds[ANSWER]])
    if rules:
        marks.coin(axis)
        if rules[0].accuracy - marks.COIN > 9:
            marks.rule(axis, rules[0].accuracy)
            marks.above(axis, rules[0].accuracy, f"{rules[0].rule} {rounded(rules[0].accuracy)}", "left")
    for (_, row), height in zip(rows.iterrows(), at, strict=True):
        colour = ROLES[roles[row["method"]]]
        own = _of(seeds, row)
        marks.mean(axis, row["mean"], row["low"], row["high"], height, colour)
        marks.seeds(axis, own, height, colour, near=2)
        ends = [*own, row["mean"], *row[["low", "high"]].dropna()]
        marks.number(axis, rounded(row["mean"]), min(ends), max(ends), height, colour)


def _of(seeds: pd.DataFrame, row: pd.Series) -> list[float]:
    """The right answers of every run of the method and k of `row`."""
    return seeds.loc[(seeds["method"] == row["method"]) & (seeds["k"] == row["k"]), ANSWER].tolist()


def _stack(axis: Axes, shares: pd.DataFrame, at: Sequence[float], outcomes: Sequence[Outcome]) -> None:
    """Shares of outcomes as stacked bars, with the larger numbers on them."""
    left = np.zeros(len(shares))
    for outcome in outcomes:
        if (shares[outcome.value] == 0).all():
            continue
        axis.barh(
            at, shares[outcome.value], left=left, height=0.66, color=OUTCOMES[outcome], edgecolor=PAPER,
            linewidth=0.8, label=outcome.value,
        )  # fmt: skip
        for height, start, share in zip(at, left, shares[outcome.value], strict=True):
            if share >= 12:
                axis.text(start + share / 2, height, f"{share:.0f}", ha="center", va="center", fontsize=8.2,
                          color=ON[outcome])  # fmt: skip
        left += shares[outcome.value].to_numpy()
    for height, share in zip(at, left, strict=True):
        if share < 0.5:
            axis.text(1.5, height, "none", va="center", fontsize=8.2, color=SECONDARY)
    axis.set(xlim=(0, 100), xlabel="responses, %")
    if left.any():
        axis.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.98), ncols=2, borderpad=0, labelspacing=0.15,
                    handlelength=0.8, handletextpad=0.4, columnspacing=0.8, fontsize=8.2)  # fmt: skip


# -------------------------------------------------------------------------------------- learning curves


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
    coin = bool(baselines(main, dataset))
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


# ---------------------------------------------------------------------------------------- experiments


def comparison(
    table: pd.DataFrame,
    seeds: pd.DataFrame,
    main: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    x: str,
    xlabel: str,
) -> Drawn:
    """Right answers of the points of an experiment: one panel per data set, one line per series.

    `x` is "label", "tokens" or "k". Labels that are not numbers are rows instead of places on the axis.
    """
    names = list(dict.fromkeys(table["dataset"]))
    colours = _colours(table, roles)
    numeric = x != "label" or np.isfinite(pd.to_numeric(table["label"], errors="coerce")).all()
    n_rows = table.groupby("dataset").size().max()
    title, alt = _compared(table, titles)
    how = "Dots: seeds; lines: means and, upright, 95 % intervals, from three seeds on." if numeric else MARKS
    how += " Dotted: a coin." * any(baselines(main, name) for name in names)
    needed = 2.8 if numeric else 1.05 + 0.3 * n_rows
    figure, axes = page(needed, title, how, ncols=len(names), sharey=True, sharex=numeric)
    for axis, name in zip(axes[0], names, strict=True):
        rows, own = table[table["dataset"] == name], seeds[seeds["dataset"] == name]
        draw = _curves if numeric else _listed
        draw(axis, rows, own, colours, **({"x": x, "xlabel": xlabel} if numeric else {}))
        if baselines(main, name):
            marks.coin(axis, vertical=not numeric)
        marks.heading(axis, titles[name], up=0 if numeric else 13)
    if numeric:
        axes[0][0].set_ylabel(marks.ANSWERS)
    return Drawn(figure, title, alt)


def _colours(table: pd.DataFrame, roles: Mapping[str, str]) -> dict[str, str]:
    """The colour of every series: that of its first method; further series with thoughts are lighter."""
    thoughts = iter((THOUGHTS, THOUGHTS_TINT, THOUGHTS_PALE))
    first = table.groupby("series", sort=False)["method"].first()
    return {
        series: next(thoughts, THOUGHTS_PALE) if roles[method] == "thoughts" else ROLES[roles[method]]
        for series, method in first.items()
    }


def _compared(table: pd.DataFrame, titles: Mapping[str, str]) -> tuple[str, str]:
    """The best point of the experiment; in the alternative text, every point."""
    best = table.iloc[table["mean"].argmax()]
    points = [
        f"{titles[row['dataset']]}, {row['series']}, {row['label']}: {percent(row, 'mean')}"
        for _, row in table.iterrows()
    ]
    where = f" on {titles[best['dataset']]}" if table["dataset"].nunique() > 1 else ""
    title = f"{best['series']} at {best['label']}{where} answers most: {rounded(best['mean'])} %"
    return title, f"Right answers: {'; '.join(points)}."


def _curves(
    axis: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, colours: Mapping[str, str], *, x: str, xlabel: str
) -> None:
    axis.set(xlabel=xlabel, ylim=marks.span([*rows["mean"], *rows["low"], *seeds[ANSWER]]))
    ends = {}
    for series, line in rows.groupby("series", sort=False):
        at = pd.to_numeric(line[x])
        axis.plot(at, line["mean"], color=colours[series], zorder=2)
        axis.vlines(at, line["low"], line["high"], color=colours[series], linewidth=1, zorder=2)
        for (_, point), where in zip(line.iterrows(), at, strict=True):
            own = _of(seeds, point)
            axis.scatter([where] * len(own), own, s=24, color=colours[series], edgecolor=PAPER,
                         linewidth=0.7, zorder=4)  # fmt: skip
            if x == "tokens":
                axis.annotate(str(point["label"]), (where, point["mean"]), (5, 5), textcoords="offset points",
                              fontsize=8.2, color=colours[series])  # fmt: skip
        ends[series] = (line["mean"].iloc[-1], colours[series])
    if x != "tokens":
        axis.set_xticks(sorted(set(pd.to_numeric(rows[x]))))
    marks.labels(axis, ends)


def _listed(axis: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, colours: Mapping[str, str]) -> None:
    names = [f"{series}: {label}" for series, label in zip(rows["series"], rows["label"], strict=True)]
    marks.answers(axis, [*rows["mean"], *rows["low"], *seeds[ANSWER]])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    axis.set_yticks(range(len(rows)), names, color=INK)
    for at, (_, row) in enumerate(rows.iterrows()):
        colour, values = colours[row["series"]], _of(seeds, row)
        marks.mean(axis, row["mean"], row["low"], row["high"], at, colour)
        marks.seeds(axis, values, at, colour)
        ends = [*values, row["mean"], *row[["low", "high"]].dropna()]
        marks.number(axis, rounded(row["mean"]), min(ends), max(ends), at, colour)
