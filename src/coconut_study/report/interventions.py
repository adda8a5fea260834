"""Tables of interventions: what becomes of answers when thoughts are replaced. Pure.

`rows` has one row per question and condition, as the runs list them (`columns.INTERVENTIONS`): which thoughts
are replaced, by what content, in which part, and what becomes of later thoughts. `p right` and `p wrong` are
the probabilities of the two options where the answer is written.

| measure       | of one question                                                                           |
|---------------|-------------------------------------------------------------------------------------------|
| forced choice | 100 p right / (p right + p wrong), in percent; 50 if both are 0                           |
| escape        | 100 (1 - p right - p wrong), in percent: what is on neither option                        |
| flips         | 100 if the forced choice is 50 points or more below that with its own thoughts, else 0    |
| right answers | 100 if the free answer is right, else 0                                                   |
| change        | the forced choice minus that with its own thoughts, in points                             |
| redirection   | flips minus those by thoughts of another question with the same answer, in points: what   |
|               | the content changes, beyond what any foreign thoughts change; of contents that say the    |
|               | opposite alone                                                                            |

All differences are between the same run's answers to the same question.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

import pandas as pd

from coconut_study.report.cells import rounded, titled, with_interval
from coconut_study.report.scores import POINTS, RUN, SHARE, Bases, mean_of, means

CHOICE, ESCAPE, FLIPS, RIGHT = "forced choice", "escape", "flips", "right answers"
CHANGE, REDIRECTION = "change", "redirection"
OF_RUNS = (CHOICE, ESCAPE, FLIPS, RIGHT)
BOUNDS = {**dict.fromkeys(OF_RUNS, SHARE), CHANGE: POINTS, REDIRECTION: POINTS}
FLIP = 50.0  # points

# What thoughts say when they are replaced, and its contents in words. A random question has other options.
OWN, DONOR, MEAN, REMOVED, MIRROR = "own", "same answer", "mean", "removed", "mirror"
ROOT = "root"  # not a thought: the prompt's root, replaced by the mirror's
SAME = {OWN: "its own", DONOR: "another’s, same answer"}
NOTHING = {
    MEAN: "mean of others",
    "noise": "noise of the same norm",
    "zero": "zeros",
    "pause": "pause",
    "random": "a random question’s",
    REMOVED: "removed",
}
OPPOSITE = {MIRROR: "the mirror’s", "other answer": "another’s, other answer", "twin": "the twin’s"}
CONTENTS = SAME | NOTHING | OPPOSITE

CONDITION = ["thoughts", "content", "part", "later"]
QUESTION = [*RUN, "question"]
WHOLE = ("input", "both")  # where a thought is replaced as a whole: its input, or what the cache holds of it


def measured(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column for every measure; a measure is missing where it is of other contents;
    `forced choice own` is that with the question's own thoughts, and so on."""
    both = rows["p right"] + rows["p wrong"]
    choice = (100 * rows["p right"] / both).where(both > 0, 50.0)
    found = rows.assign(**{CHOICE: choice, ESCAPE: 100 * (1 - both), RIGHT: 100.0 * rows["right"]})
    own = found[found["content"] == OWN].drop_duplicates(QUESTION)[[*QUESTION, CHOICE, ESCAPE, RIGHT]]
    found = found.merge(own, how="left", on=QUESTION, suffixes=("", " own"), validate="many_to_one")
    found[CHANGE] = found[CHOICE] - found[f"{CHOICE} own"]
    found[FLIPS] = 100.0 * (found[CHANGE] <= -FLIP)
    at = [*QUESTION, "thoughts", "part", "later"]
    donors = found[found["content"] == DONOR].set_index(at)[FLIPS].rename("donor")
    found = found.join(donors, on=at)
    found[REDIRECTION] = (found[FLIPS] - found["donor"]).where(found["content"].isin(OPPOSITE))
    return found


def interventions(rows: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per data set, method, condition and measure: mean and interval over units and groups.

    `ignored` is what the measure would be if the model did not look at what was replaced, and `decided` what
    the forced choice would be if nothing else decided: as with its own thoughts where their content says the
    same, a coin's 50 where it says nothing, and 100 minus that of its own where it says the opposite.
    """
    at = ["dataset", "method", *CONDITION]
    return pd.DataFrame(
        [
            dict(zip(at, key, strict=True))
            | {"measure": measure, "questions": over["question"].nunique()}
            | mean_of(means(over, measure), bases[key[1]], bounds)
            | {"ignored": _ignored(over, measure), "decided": _decided(over, measure)}
            for key, cell in measured(rows).groupby(at, sort=False)
            for measure, bounds in BOUNDS.items()
            if not (over := cell.dropna(subset=measure)).empty
        ]
    )


def _ignored(cell: pd.DataFrame, measure: str) -> float:
    return float(cell[f"{measure} own"].mean()) if f"{measure} own" in cell else 0.0


def _decided(cell: pd.DataFrame, measure: str) -> float:
    own, content = float(cell[f"{CHOICE} own"].mean()), cell["content"].iloc[0]
    if measure != CHOICE:
        return nan
    return 100 - own if content in OPPOSITE else 50.0 if content in NOTHING else own


def interventions_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """The means of every run under every condition, in percent."""
    return measured(rows).groupby([*RUN, *CONDITION], sort=False)[[*OF_RUNS]].mean().reset_index()


# ------------------------------------------------------------------------------------------ score tables


def necessity(rows: pd.DataFrame) -> pd.DataFrame:
    """How much the forced choice loses if every thought is the mean of other questions' thoughts, in points;
    0 if nothing that differs between questions is needed of them.

    A score table over the questions of one data set and method; empty if it has no such thoughts.
    """
    found = _all_thoughts(rows, MEAN)
    return means(found.assign(lost=-found[CHANGE]), "lost") if len(found) else pd.DataFrame()


def without_thoughts(rows: pd.DataFrame) -> pd.DataFrame:
    """The score table of free right answers, in percent, if all thoughts are removed; as for `necessity`."""
    found = _all_thoughts(rows, REMOVED)
    return means(found, RIGHT) if len(found) else pd.DataFrame()


def _all_thoughts(rows: pd.DataFrame, content: str) -> pd.DataFrame:
    """The measured rows in which every thought as a whole has a content."""
    found = rows[(rows["thoughts"] == "all") & rows["content"].isin((OWN, content))]
    part = next((part for part in WHOLE if part in set(found["part"])), None)
    found = measured(found[found["part"] == part])
    return found[found["content"] == content]


# --------------------------------------------------------------------------------------------- as text

PARTS = {"input": "input", "both": "cache", "keys": "keys", "values": "values", "steps": "written steps"}


def format_interventions(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per condition, one column per measure, and what the forced choice would be. Contents of a place
    stand in the order of `CONTENTS`."""
    at = ["dataset", "method", *CONDITION]
    wide = table.assign(cell=with_interval(table["mean"], table["low"], table["high"]))
    wide = wide.pivot(index=at, columns="measure", values="cell")
    rows = table[table["measure"] == CHOICE]
    place = rows.groupby(["dataset", "method", "thoughts", "part", "later"], sort=False).ngroup()
    rows = rows.assign(place=place, say=rows["content"].map([*CONTENTS].index))
    rows = rows.sort_values(["place", "say"]).reset_index(drop=True)
    cells = wide.loc[list(rows[at].itertuples(index=False, name=None))].reset_index(drop=True).fillna("–")
    return pd.DataFrame(
        {
            **titled(rows, titles),
            "thoughts": rows["thoughts"].replace(ROOT, "none, but the root"),
            "become": rows["content"].map(CONTENTS),
            "in their": rows["part"].map(PARTS),
            "later thoughts": rows["later"],
            "forced choice (%)": cells[CHOICE],
            "if ignored (%)": rows["ignored"].map(rounded),
            "if they decide (%)": rows["decided"].map(rounded),
            "neither option (%)": cells[ESCAPE],
            "flips (%)": cells[FLIPS],
            "redirection (points)": cells.get(REDIRECTION, "–"),
            "right answers (%)": cells[RIGHT],
            "seeds": rows["n"].astype(str),
        }
    )
