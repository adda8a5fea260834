"""What of ours stands for the two sides of a claim of the paper. Pure.

A side of a claim has a method of the paper's, a measure (right answers if it names none) and

| key        | what it says                                                                         |
|------------|--------------------------------------------------------------------------------------|
| `k`        | thoughts given at inference: a number; `last`, as many as the run was trained with    |
|            | (the default); or `last_path`, the most below that with which more than half of the   |
|            | responses write a path                                                               |
| `frontier` | the distance from the root of the candidates whose values are measured (default 1)   |

or it is a `rule` that involves no training, or a `value`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import pandas as pd

from coconut_study.report.cells import SHORTCUT
from coconut_study.report.scores import ANSWER, PATHS, by_base, difference
from coconut_study.report.sides import COSTS, K_FREE, Scores, Side

LAST, LAST_PATH = "last", "last_path"
HALF = 50.0  # percent
Sides = Sequence[Mapping[str, Any]]


class StandIns(NamedTuple):
    """Which of ours stand for the paper's, and what was measured of them.

    `given` has `datasets` and `methods`, each from a name of the paper's to a list of ours; `trained`, the k
    that each "dataset method" was trained with; `published`, our data sets with the paper's own questions;
    and `models`, the path of each method's model. `bases` names the base model of every method and seed.
    """

    given: Mapping[str, Any]
    scores: Scores
    bases: Mapping[str, Mapping[int, str]]


class Pair(NamedTuple):
    """One side minus the other, on a data set of ours: a score table with a row per unit, and the number of
    seeds.

    Tokens and seconds are compared in percent of the other side, all else in percentage points.
    `methods` are ours, by their names in the paper.
    """

    dataset: str
    methods: Mapping[str, str]
    table: pd.DataFrame
    seeds: int


def pairs(ours: StandIns, dataset: str, sides: Sides) -> Iterator[Pair]:
    """A pair for every data set and methods of ours on which both sides were measured."""
    names = list(dict.fromkeys(side["method"] for side in sides if "method" in side))
    stand_ins = [ours.given["methods"].get(name, []) for name in names]
    for own, methods in product(ours.given["datasets"].get(dataset, []), product(*stand_ins)):
        by_name = dict(zip(names, methods, strict=True))
        apart = _difference(ours, own, sides, by_name)
        if apart.size:
            yield Pair(own, by_name, by_base(apart, _bases(ours, methods)), len(apart))


def _difference(ours: StandIns, dataset: str, sides: Sides, methods: Mapping[str, str]) -> pd.DataFrame:
    more, less = sides
    above = _table(ours, dataset, more, methods)
    if "value" in less:
        return above - less["value"]
    below = _table(ours, dataset, less, methods)
    if not above.size or not below.size:
        return pd.DataFrame()
    apart = difference(above, below)
    return _relative(apart, below) if less.get("measure") in COSTS else apart


def _relative(apart: pd.DataFrame, below: pd.DataFrame) -> pd.DataFrame:
    """A difference in percent of the lower side. The mean is the ratio of the two means, and cells are their
    linear contributions to it."""
    whole = below.loc[apart.index, apart.columns]
    mean = whole.mean(axis=None)
    share = apart.mean(axis=None) / mean
    return 100 * ((apart - share * whole) / mean + share)


def _table(ours: StandIns, dataset: str, side: Mapping[str, Any], methods: Mapping[str, str]) -> pd.DataFrame:
    """The score table of a side that is no value."""
    if "rule" in side:
        return ours.scores(Side(dataset, f"{SHORTCUT}{side['rule']}"))
    method, measure = methods[side["method"]], side.get("measure", ANSWER)
    at = side.get("frontier") if measure in K_FREE else _k(ours, dataset, method, side.get("k", LAST))
    return ours.scores(Side(dataset, method, measure, at))


def _k(ours: StandIns, dataset: str, method: str, k: int | str) -> int | None:
    """The number of thoughts that a side speaks of; None if there is none."""
    if k not in (LAST, LAST_PATH):
        return int(k)
    trained: int | None = ours.given["trained"].get(f"{dataset} {method}")
    if k == LAST or trained is None:
        return trained
    paths = {at: ours.scores(Side(dataset, method, PATHS, at)) for at in range(1, trained)}
    written = [at for at, table in paths.items() if table.size and table.mean(axis=None) > HALF]
    return max(written, default=None)


def _bases(ours: StandIns, methods: Sequence[str]) -> dict[int, str]:
    """The base models of each seed, one for each method."""
    named = [ours.bases.get(method, {}) for method in methods]
    seeds = dict.fromkeys(seed for bases in named for seed in bases)
    return {seed: " ".join(bases.get(seed, str(seed)) for bases in named) for seed in seeds}
