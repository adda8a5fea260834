"""What an estimate says about a claim. Pure.

A claim says that A is above B, or that they are alike; `found` is the estimate of A minus B.

| verdict      | "A is above B"                              | "A and B are alike"         |
|--------------|---------------------------------------------|-----------------------------|
| supported    | they differ, and A is above                 | they are equivalent         |
| contradicted | they differ, and A is below                 | they differ                 |
| equivalent   | they are equivalent                         |                             |
| undecided    | none of these, or fewer than three units    | the same                    |

They are equivalent if two one-sided tests within the margin both have p < .05, and they differ if they are
not equivalent and the two-sided p, adjusted by Holm's method over a family of claims, is below .05.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from statsmodels.stats.multitest import multipletests

from coconut_study.report.intervals import FEWEST, LEVEL, Estimate

ALPHA = 1 - LEVEL
MANY = 100  # units; more are not asked for


class Verdict(StrEnum):
    """What is known of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"


def p_value(found: Estimate) -> float:
    """Two-sided p value of no difference, from Student's distribution with one degree of freedom less than
    units; NaN without an interval.

    Satterthwaite's degrees of freedom are estimated. With three units they make p values in the far tails,
    where Holm's method needs them, several times too small (tests/unit/report/test_false_findings.py).
    """
    if not found.known:
        return math.nan
    return (found if found.units == 1 else found._replace(df=found.units - 1)).p()


def adjusted(p: Sequence[float]) -> list[float]:
    """The p values of one family adjusted by Holm's method; a missing one stays missing and does not
    count."""
    values = np.asarray(p, dtype=float)
    known = ~np.isnan(values)
    if known.any():
        values[known] = multipletests(values[known], method="holm")[1]
    return values.tolist()


def decide(found: Estimate, p: float, margin: float, *, alike: bool) -> Verdict:
    """The verdict on a claim; `p` is the adjusted p value of its difference, `margin` in the unit of
    `found`."""
    if not found.units:
        return Verdict.NOT_RUN
    within, differs = found.p_within(margin) < ALPHA, p < ALPHA  # both are false without an interval
    if within:
        return Verdict.SUPPORTED if alike else Verdict.EQUIVALENT
    if not differs:
        return Verdict.UNDECIDED
    return Verdict.SUPPORTED if found.mean > 0 and not alike else Verdict.CONTRADICTED


def lacking(found: Estimate, p: float, margin: float, unit: str, *, alike: bool) -> str:
    """What would decide an undecided claim, if the mean stays as it is: a number of units (of the name
    `unit`), or more questions. `p` is the adjusted p value."""
    if not found.known:
        return f"{found.units} {unit}{'' if found.units == 1 else 's'}; an interval needs {FEWEST}"
    wide = f"interval {2 * found.half_width():.3g} wide"
    penalty = p / p_value(found)

    def decides(units: int) -> bool:
        more = _with(found, units)
        return decide(more, min(1.0, penalty * p_value(more)), margin, alike=alike) is not Verdict.UNDECIDED

    if not decides(MANY):
        return f"{wide}; {MANY} {unit}s would not do, more questions might"
    return f"{wide}; about {bisect_left(range(MANY), True, lo=found.units + 1, key=decides)} {unit}s would do"


def _with(found: Estimate, units: int) -> Estimate:
    """The estimate that so many units would have led to, if they vary as those that there are."""
    per_unit = (found.se**2 - found.se_groups**2) * found.units
    se = math.sqrt(per_unit / units + found.se_groups**2)
    return found._replace(se=se, df=found.df * (units - 1) / (found.units - 1), units=units)
