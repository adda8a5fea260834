"""The headline: right answers of every method, ours beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Text

from coconut_study.report import marks
from coconut_study.report.cells import SHORTCUT, rounded
from coconut_study.report.palette import (
    CONTROL,
    ROLES,
    RULE,
)
from coconut_study.report.style import Drawn, page


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
    rules = marks.baselines(main, dataset)
    reported = rows["paper accuracy"].notna().any()
    theirs = paper.get("baselines", {}).get(paper_dataset)
    title = _headline(rows, rules, theirs, titles, roles)
    figure, axes = page(
        1.3 + 0.3 * len(rows), title, marks.HOW + " Shaded: right without planning." * bool(rules),
        ncols=1 + reported, width_ratios=[1.45, 1] if reported else [1], sharey=True,
    )  # fmt: skip
    at = _places(rows, roles)
    values = pd.concat([rows["accuracy"], rows["low"], rows["paper accuracy"], seeds["accuracy"]])
    for axis in axes[0]:
        marks.answers(axis, values.tolist())
        marks.rows(axis, at, [titles[name] for name in rows["method"]], fontsize=9.5)
        if at[-1] > len(at) - 1:
            axis.axhline(at[_n_shown(rows, roles)] - 0.72, color=RULE, linewidth=0.8, zorder=1)
    for label, name in zip(axes[0][0].get_yticklabels(), rows["method"], strict=True):
        if roles[name] != "control":
            label.set(color=ROLES[roles[name]], weight="bold")
    lines = _ours(axes[0][0], rows, seeds[seeds["dataset"] == dataset], at, roles, rules)
    up = 2 + 11 * lines if lines else 0
    marks.heading(axes[0][0], "This study", titles[dataset], up=up)
    if reported:
        axes[0][1].tick_params(labelleft=False)
        _theirs(axes[0][1], rows, at, roles, theirs, coin=bool(rules))
        name = paper.get("names", {}).get(paper_dataset, paper_dataset)
        marks.heading(axes[0][1], "The paper", f"{name}; mean and s.d.", up=up)
    return Drawn(figure, title, _words(rows, rules, theirs, titles, dataset))


def _places(rows: pd.DataFrame, roles: Mapping[str, str]) -> list[float]:
    """The height of every row: controls lie below a gap."""
    shown = _n_shown(rows, roles)
    return [i + 0.45 * (0 < shown <= i) for i in range(len(rows))]


def _n_shown(rows: pd.DataFrame, roles: Mapping[str, str]) -> int:
    return sum(roles[name] != "control" for name in rows["method"])


def _ours(
    axis: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, at: Sequence[float], roles: Mapping[str, str],
    rules: Sequence[marks.Baseline],
) -> int:  # fmt: skip
    """Our panel; the number of lines of text above it."""
    words: list[Text] = []
    if rules:
        best = rules[0]
        uncertain = not pd.isna(best.low)
        marks.zone(axis, best.high if uncertain else best.accuracy, best.low if uncertain else None)
        words += filter(None, [marks.coin(axis)])
        for rule in rules:
            texts = marks.shortened(rule.rule, rounded(rule.accuracy))
            if rule is best:
                word = marks.named(axis, rule.accuracy, texts, words, lines=3)
            else:
                word = marks.named(axis, rule.accuracy, texts[:1], words, lines=_lines(words))
            if word is not None:
                marks.rule(axis, rule.accuracy)
                words.append(word)
    for (_, row), height in zip(rows.iterrows(), at, strict=True):
        colour = ROLES[roles[row["method"]]]
        values = seeds.loc[seeds["method"] == row["method"], "accuracy"].tolist()
        weight = "normal" if colour == CONTROL else "bold"
        marks.point(axis, row, values, height, colour, value="accuracy", weight=weight)
    return _lines(words)


def _lines(words: Sequence[Text]) -> int:
    """The most lines of text that a word has."""
    return max((word.get_text().count("\n") + 1 for word in words), default=0)


def _theirs(
    axis: Axes, rows: pd.DataFrame, at: Sequence[float], roles: Mapping[str, str],
    rule: Mapping[str, Any] | None, *, coin: bool,
) -> None:  # fmt: skip
    name = marks.coin(axis) if coin else None
    if rule is not None:
        marks.zone(axis, rule["accuracy"])
        word = marks.above(axis, rule["accuracy"], f"shortcut rule {rule['accuracy']}", "right")
        if name is not None and marks.overlaps(word, [name]):  # the other panel has it, too
            name.remove()
    for (_, row), height in zip(rows.iterrows(), at, strict=True):
        if pd.isna(row["paper accuracy"]):
            continue
        colour = ROLES[roles[row["method"]]]
        sd = 0.0 if pd.isna(row["paper sd"]) else row["paper sd"]
        marks.reported(axis, row["paper accuracy"], row["paper sd"], height, colour)
        left, right = row["paper accuracy"] - sd, row["paper accuracy"] + sd
        marks.number(axis, rounded(row["paper accuracy"]), left, right, height, colour)


def _headline(
    rows: pd.DataFrame, rules: Sequence[marks.Baseline], theirs: Mapping[str, Any] | None,
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
    rows: pd.DataFrame, rules: Sequence[marks.Baseline], theirs: Mapping[str, Any] | None,
    titles: Mapping[str, str], dataset: str,
) -> str:  # fmt: skip
    ours = [
        f"{titles[row['method']]} {marks.percent(row)}, {row['seeds']:.0f} seeds"
        for _, row in rows.iterrows()
    ]
    said = [f"Right answers on {titles[dataset]}: {'; '.join(ours)}."]
    if rules:
        best = marks.percent(rules[0]._asdict())
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
