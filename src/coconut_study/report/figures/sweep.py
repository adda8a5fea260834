"""Right answers and kinds of responses by number of thoughts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from coconut_study.evaluation.outcomes import Outcome
from coconut_study.report import marks
from coconut_study.report.cells import rounded
from coconut_study.report.palette import (
    ON,
    OUTCOMES,
    PAPER,
    ROLES,
    SECONDARY,
)
from coconut_study.report.scores import ANSWER, COIN
from coconut_study.report.style import Drawn, page

PATHS = (Outcome.CORRECT_PATH, Outcome.LONGER_PATH, Outcome.WRONG_TARGET, Outcome.HALLUCINATION)
LABELS = (Outcome.CORRECT_LABEL, Outcome.INCORRECT_LABEL)


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
        1.35 + 0.3 * len(order), title, marks.HOW + _silent(shares[:n_swept], order),
        ncols=3, width_ratios=[1.25, 1, 1], sharey=True,
    )  # fmt: skip
    names = [f"k = {k}" if name == method else titles[name] for name, k in order]
    for axis in axes[0]:
        marks.rows(axis, at, names, fontsize=9.5)
        axis.tick_params(labelleft=axis is axes[0][0])
    answers = rows[rows["measure"] == ANSWER]
    _answers(
        axes[0][0], answers, seeds[seeds["dataset"] == dataset], at, roles, marks.baselines(main, dataset)
    )
    marks.heading(axes[0][0], "Final answer", up=24)
    _stack(axes[0][1], shares, at, PATHS)
    marks.heading(axes[0][1], "Writes a path", up=24)
    _stack(axes[0][2], shares, at, LABELS)
    marks.heading(axes[0][2], "Label only", up=24)
    right = swept[swept["measure"] == ANSWER]
    words = [f"k = {row['k']}: {marks.percent(row, 'mean')}" for _, row in right.iterrows()]
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
    rules: Sequence[marks.Baseline],
) -> None:  # fmt: skip
    marks.answers(axis, [*rows["mean"], *rows["low"], *seeds[ANSWER]])
    if rules:
        coin = marks.coin(axis)
        best = rules[0]
        if best.accuracy - COIN > 9:
            marks.rule(axis, best.accuracy)
            texts = marks.shortened(best.rule, rounded(best.accuracy))
            marks.named(axis, best.accuracy, texts, filter(None, [coin]), lines=2)
    for (_, row), height in zip(rows.iterrows(), at, strict=True):
        marks.point(axis, row, marks.of_runs(seeds, row), height, ROLES[roles[row["method"]]], near=2)


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
