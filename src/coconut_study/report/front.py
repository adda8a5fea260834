"""The start page of the report: what a study found on a data set, in up to three sentences. Pure.

Numbers are those of the tables `main`, `sweep` and `interventions`; what is decided says the table `claims`,
and nothing else. A sentence is left out if its table, or its method in the table, is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import pandas as pd

from coconut_study.report import marks
from coconut_study.report.catalog import SPAN, TABLES
from coconut_study.report.cells import SHORTCUT, rounded
from coconut_study.report.interventions import CHOICE, MEAN, MIRROR, OWN, WHOLE
from coconut_study.report.scores import ANSWER

READS = {  # of each table, the columns that are read
    "main": ("dataset", "method", "accuracy", "low", "high"),
    "sweep": ("dataset", "method", "k", "measure", *SPAN),
    "interventions": ("dataset", "method", "thoughts", "content", "part", "measure", *SPAN, "decided"),
    "claims": ("claim", "dataset", "methods", "difference", "low", "high", "unit", "verdict"),
}
WHOSE = {OWN: "its own thoughts", MEAN: "the mean of other questions’", MIRROR: "the mirror question’s"}

Side = Mapping[str, Any]


class Sentence(NamedTuple):
    """What was found, and the chapter of the report that has the rest."""

    text: str
    chapter: str


def front(
    tables: Mapping[str, pd.DataFrame],
    paper: Mapping[str, Any],
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    stand_ins: Mapping[str, Any],
    dataset: str,
) -> list[Sentence]:
    """What the first method with continuous thoughts answers, beside the first with written steps and rules;
    what more thoughts do; and whether they decide the answer.

    `tables` are those of `READS` that there are, by name, at least `main`; `paper` has the claims;
    `stand_ins` is that of `stand_ins.StandIns`.
    """
    here = {name: table[table["dataset"] == dataset] for name, table in tables.items()}
    methods = [name for name in here["main"]["method"] if not name.startswith(SHORTCUT)]
    thoughts, written = (
        next((name for name in methods if roles[name] == role), None) for role in ("thoughts", "written")
    )
    named = [name for name in (thoughts, written) if name is not None]
    found: list[tuple[str, str, Sequence[Side]]] = []  # tables, what they say, and the sides of a claim
    if named:
        said = _answers(here["main"], named, titles, dataset)
        found += [("main", said, [{"method": name} for name in named])]
    if thoughts is not None and "sweep" in here:
        said = _more(here["sweep"], thoughts, titles)
        found += [("sweep", said, [{"method": thoughts}, {"method": thoughts, "k": 0}])]
    if thoughts is not None and "interventions" in here:
        said = _replaced(here["interventions"], thoughts, titles)
        found += [("interventions", said, [{"method": thoughts, "measure": "necessity"}, {"value": 0}])]
    claims = Claims(paper["claims"], stand_ins["methods"], here.get("claims"))
    return [
        Sentence(said + _verdict(claims, sides), TABLES[name].chapter.value)
        for name, said, sides in found
        if said
    ]


# ----------------------------------------------------------------------------------------------- numbers


def _answers(main: pd.DataFrame, named: Sequence[str], titles: Mapping[str, str], dataset: str) -> str:
    """Right answers of methods, the best rule, and a coin where questions have two options."""
    rows = main.set_index("method")
    said = [f"{titles[name]} {marks.percent(rows.loc[name])}" for name in named]
    if rules := marks.baselines(main, dataset):
        best = rules[0]
        said += [f"the best rule that does not plan ({best.rule}) {marks.percent(best._asdict())}"]
        said += [f"a coin {marks.COIN:.0f} %"]
    return f"Right answers on {titles[dataset]}: {', '.join(said)}."


def _more(sweep: pd.DataFrame, method: str, titles: Mapping[str, str]) -> str:
    """Right answers with the fewest and with the most thoughts; "" if there is one number of them."""
    rows = sweep[(sweep["method"] == method) & (sweep["measure"] == ANSWER)].sort_values("k")
    if len(rows) < 2:
        return ""
    fewest, most = (
        f"{marks.percent(row, 'mean')} {marks.after(row['k'])}" for _, row in rows.iloc[[0, -1]].iterrows()
    )
    return f"{titles[method]} answers {fewest} and {most}."


def _replaced(table: pd.DataFrame, method: str, titles: Mapping[str, str]) -> str:
    """The forced choice with all thoughts replaced, and what it would be if they did not count or if nothing
    else did; "" if none were."""
    rows = table[(table["method"] == method) & (table["measure"] == CHOICE) & (table["thoughts"] == "all")]
    rows = rows[rows["part"].isin(WHOLE)].drop_duplicates("content").set_index("content")
    others = [name for name in (MEAN, MIRROR) if name in rows.index]
    if not others:
        return ""
    chosen = [f"{marks.percent(rows.loc[name], 'mean')} with {WHOSE[name]}" for name in (OWN, *others)]
    nulls = f"{rounded(rows.loc[OWN, 'mean'])} % with any if thoughts did not count"
    nulls += f", {' and '.join(rounded(rows.loc[name, 'decided']) for name in others)} % if nothing else did"
    return f"Forced choice of the right option, {titles[method]}: {', '.join(chosen)} ({nulls})."


# ---------------------------------------------------------------------------------------------- verdicts


class Claims(NamedTuple):
    """The claims of the paper, which of our methods stand for its, and the verdicts on a data set."""

    paper: Sequence[Mapping[str, Any]]
    stand_ins: Mapping[str, Sequence[str]]
    verdicts: pd.DataFrame | None


def _verdict(claims: Claims, sides: Sequence[Side]) -> str:
    """What became of the paper's claim about two sides, which name our methods; "" if it was not tested."""
    if claims.verdicts is None:
        return ""
    for claim, (first, second) in product(claims.paper, (sides, sides[::-1]) if len(sides) == 2 else ()):
        theirs = [claim[name] for name in ("more", "less", "one", "other") if name in claim]
        if all(_same(claims, *pair) for pair in zip((first, second), theirs, strict=True)):
            methods = ", ".join(dict.fromkeys(side["method"] for side in (first, second) if "method" in side))
            table = claims.verdicts
            for _, row in table[
                (table["claim"] == claim["claim"]) & (table["methods"] == methods)
            ].iterrows():
                return f" Claim “{row['claim']}”: {row['verdict']}{_difference(row)}."
    return ""


def _same(claims: Claims, ours: Side, theirs: Side) -> bool:
    """Whether a side of ours is what a side of a claim speaks of."""
    alike = {**ours, "method": None} == {**theirs, "method": None}
    return alike and ("method" not in theirs or ours["method"] in claims.stand_ins.get(theirs["method"], ()))


def _difference(row: pd.Series) -> str:
    """The difference between the sides of a claim, if it has an interval."""
    if pd.isna(row["low"]):
        return ""
    span = f"[{rounded(row['low'])}, {rounded(row['high'])}]"
    return f" (difference {rounded(row['difference'])} {span} {row['unit']})"
