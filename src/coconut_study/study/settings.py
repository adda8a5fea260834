"""Settings of a whole study: data sets, runs, comparisons, and what the jobs need of the machine.

Modules named settings only hold and check settings. A step gets the values it uses through the parameters of
its rule, so that a changed value reruns what depends on it and an edit of these modules reruns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from coconut_study.common.errors import check_defined
from coconut_study.common.settings import Closed, Name, Names
from coconut_study.evaluation.settings import (
    Clock,
    Decoding,
    Ending,
    Inspection,
    Interventions,
    Probing,
)
from coconut_study.questions.settings import Source
from coconut_study.sequences.methods import Schedule

# --------------------------------------------------------------------------------------------- machine


class Needs(Closed):
    """What one job needs of the machine. Schedulers use it.

    On a CPU, the last digits of results depend on the number of threads; no result depends on the rest.
    """

    gpus: NonNegativeInt
    memory_mb: PositiveInt
    minutes: Annotated[PositiveFloat, Field(description="of one job; for train, of one epoch")]
    threads: Annotated[
        PositiveInt,
        Field(description="CPU threads; the last digits of results on a CPU depend on them"),
    ] = 1


class Machine(Closed):
    """What the jobs of each rule that uses a model need; `default` is for the rules that are not given."""

    default: Needs | None = None
    base: Needs | None = None
    train: Needs | None = None
    respond: Needs | None = None
    ask: Needs | None = None
    probe: Needs | None = None
    decode: Needs | None = None
    intervene: Needs | None = None
    trace: Needs | None = None
    linear: Needs | None = None
    attend: Needs | None = None
    remove: Needs | None = None
    ending: Needs | None = None
    clock: Needs | None = None
    save_minutes: Annotated[
        NonNegativeInt,
        Field(description="minutes between two saved states of training; 0 saves after every update"),
    ] = 10
    jobs_per_gpu: Annotated[
        PositiveInt, Field(description="jobs that may share a GPU when one machine runs several at once")
    ] = 1
    keep: Annotated[
        Literal["all", "last"],
        Field(description="which checkpoints of a run stay: of all stages, or only of the last"),
    ] = "all"

    def needs(self, rule: str) -> Needs | None:
        """What a job of `rule` needs; None if neither the rule nor a default is given."""
        return getattr(self, rule) or self.default


class Dataset(Closed):
    """A set of questions, and the schedule by which methods are trained on it."""

    title: str
    questions: Source
    schedule: Annotated[
        Schedule | None, Field(description="of the training stages; null for questions that are only asked")
    ] = None
    paper: Annotated[str | None, Field(description="the data set of the paper that it stands for")] = None
    published: Annotated[bool, Field(description="whether its questions are those of the paper")] = False
    following: Annotated[
        str | None, Field(description="the rewrites that its runs are asked after every epoch")
    ] = None
    responding: Annotated[
        dict[str, Any], Field(default_factory=dict, description="settings of responses that differ")
    ]
    machine: Annotated[Machine, Field(description="needs of the jobs on this data set that differ")] = (
        Machine()
    )


class Grid(Closed):
    """Runs of every combination of data set, method and seed."""

    datasets: Names
    methods: Names
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Grid:
        for key in ("datasets", "methods", "seeds"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: {[*values]} names one of them twice")
        return self


class Sweep(Closed):
    """Numbers of thoughts with which trained runs respond, besides the number they were trained with."""

    datasets: Annotated[tuple[str, ...] | None, Field(description="null for all")] = None
    methods: tuple[str, ...]
    k: tuple[Annotated[int, Field(ge=0)], ...]


class Transfer(Closed):
    """Trained runs that are asked the test questions of other data sets."""

    trained: Annotated[Names, Field(description="data sets that the runs were trained on")]
    asked: Annotated[Names, Field(description="data sets whose test questions they are asked")]
    methods: Names
    seeds: Annotated[
        tuple[NonNegativeInt, ...] | None, Field(min_length=1, description="null for all of the runs")
    ] = None
    k: Annotated[
        tuple[NonNegativeInt, ...] | None,
        Field(min_length=1, description="numbers of thoughts; null for the number trained with"),
    ] = None
    more_thoughts: Annotated[
        bool, Field(description="whether k may exceed the number that a run was trained with")
    ] = False


def _labelled(line: Any) -> Any:
    """A line of a comparison with its labels as text; ValueError for a label that it then has twice."""
    if not isinstance(line, Mapping):
        return line
    labels = [f"{label:.10g}" if type(label) in (int, float) else label for label in line]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"has two labels {label}")
    return dict(zip(labels, line.values(), strict=True))


class Necessity(Closed):
    """Rows of methods that differ in layers alone: one map over layers and hops."""

    thoughts: Annotated[Name, Field(description="the row whose thoughts have content")]
    against: Annotated[Name, Field(description="the row with as many places without content")]
    rows: Annotated[
        dict[str, Names], Field(min_length=2, description="rows: each a name and its methods, any order")
    ]

    @model_validator(mode="after")
    def _rows_are_there(self) -> Necessity:
        for key in ("thoughts", "against"):
            check_defined(key, (getattr(self, key),), self.rows)
        return self

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method of the map, each once."""
        return tuple(dict.fromkeys(name for row in self.rows.values() for name in row))


Selection = Sweep | Clock | Ending | Probing | Decoding | Interventions | Necessity | Inspection


class Comparison(Closed):
    """Runs to compare: one experiment, shown in one table and one figure."""

    title: str
    reference: Annotated[str | None, Field(description="the place in the paper")] = None
    datasets: Names
    x: Annotated[
        Literal["label", "tokens", "k"],
        Field(
            description="horizontal axis: labels of the series, tokens generated, or thoughts of the sweep"
        ),
    ]
    xlabel: str
    series: Annotated[
        dict[str, Annotated[dict[str, str], BeforeValidator(_labelled), Field(min_length=1)]],
        Field(min_length=1, description="lines of the figure: each maps labels to methods"),
    ]

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method of the comparison, each once."""
        return tuple(dict.fromkeys(name for line in self.series.values() for name in line.values()))
