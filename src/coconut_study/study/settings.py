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
    """Number of GPUs; with `train`, as many processes train one run."""
    memory_mb: PositiveInt
    """Main memory in MB."""
    minutes: PositiveFloat
    """Time of a job in minutes; with `train`, of one epoch."""
    threads: PositiveInt = 1
    """CPU threads, as many as `--cores` allows; the last digits of results on a CPU depend on their
    number."""


class Machine(Closed):
    """What the jobs of each rule that uses a model need; `default` is for the rules that are not given."""

    default: Needs | None = None
    """Needs of the jobs of every rule that uses a model and is not given here; null only under a data set."""
    base: Needs | None = None
    """Needs of jobs that make a base model; null for the default."""
    train: Needs | None = None
    """Needs of jobs that train a run; null for the default."""
    respond: Needs | None = None
    """Needs of jobs that collect responses to the test questions of the own data set; null for the
    default."""
    ask: Needs | None = None
    """Needs of jobs that collect responses to the questions of other data sets; null for the default."""
    probe: Needs | None = None
    """Needs of jobs that probe what thoughts predict; null for the default."""
    decode: Needs | None = None
    """Needs of jobs that decode thoughts; null for the default."""
    intervene: Needs | None = None
    """Needs of jobs that replace thoughts; null for the default."""
    trace: Needs | None = None
    """Needs of jobs that trace states; null for the default."""
    linear: Needs | None = None
    """Needs of jobs that fit linear maps; null for the default."""
    attend: Needs | None = None
    """Needs of jobs that measure attention; null for the default."""
    remove: Needs | None = None
    """Needs of jobs that remove directions; null for the default."""
    ending: Needs | None = None
    """Needs of jobs that learn when thoughts end; null for the default."""
    clock: Needs | None = None
    """Needs of jobs that measure seconds; null for the default."""
    save_minutes: NonNegativeInt = 10
    """Minutes between two saved states of training; 0 saves after every update."""
    jobs_per_gpu: PositiveInt = 1
    """Jobs that share a GPU when one machine runs them side by side."""
    keep: Literal["all", "last"] = "all"
    """Which checkpoints of a run stay: of `all` stages, or only of the `last`, which removes those that other
    stages only start from when these are done; their cards and histories stay, and no result changes."""

    def needs(self, rule: str) -> Needs | None:
        """What a job of `rule` needs; None if neither the rule nor a default is given."""
        return getattr(self, rule) or self.default


class Dataset(Closed):
    """A set of questions, and the schedule by which methods are trained on it."""

    title: str
    """Name in tables and figures."""
    questions: Source
    """Where the questions come from; `source` selects the kind."""
    schedule: Schedule | None = None
    """Schedule of the training stages; null for questions that are only asked (`transfer`)."""
    paper: str | None = None
    """Data set of the paper whose numbers stand beside ours: `gsm8k`, `prontoqa` or `prosqa`; null for
    none."""
    published: bool = False
    """Whether the questions are those of the paper; only with `source: files` or `hub`."""
    following: str | None = None
    """A data set with `source: rewrites`, whose questions the runs are asked after every epoch (table
    `following_epochs`); null for none."""
    responding: Annotated[dict[str, Any], Field(default_factory=dict)]
    """Settings of responses that differ for this data set."""
    machine: Machine = Machine()
    """Needs of the jobs on this data set, where they differ."""


class Grid(Closed):
    """Runs of every combination of data set, method and seed."""

    datasets: Names
    """Data sets to train on."""
    methods: Names
    """Methods to train."""
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    """Seeds of the runs."""

    @model_validator(mode="after")
    def _each_once(self) -> Grid:
        for key in ("datasets", "methods", "seeds"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: {[*values]} names one of them twice")
        return self


class Sweep(Closed):
    """Numbers of thoughts with which trained runs respond, besides the number they were trained with."""

    datasets: tuple[str, ...] | None = None
    """Data sets of the runs; null for all."""
    methods: tuple[str, ...] = ()
    """Methods of the runs: with thoughts, pauses or loops."""
    k: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Numbers of thoughts, up to that of training; loops may be more."""


class Transfer(Closed):
    """Trained runs that are asked the test questions of other data sets."""

    trained: Names
    """Data sets that the runs were trained on."""
    asked: Names
    """Data sets whose test questions they are asked, also their own."""
    methods: Names
    """Methods of the runs."""
    seeds: Annotated[tuple[NonNegativeInt, ...] | None, Field(min_length=1)] = None
    """Seeds of the runs; null for all."""
    k: Annotated[tuple[NonNegativeInt, ...] | None, Field(min_length=1)] = None
    """Other numbers of thoughts, besides the number trained with; null for none, as for methods without
    thoughts."""
    more_thoughts: bool = False
    """Whether `k` may exceed the number of thoughts that a run was trained with."""


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

    thoughts: Name
    """The row whose thoughts have content."""
    against: Name
    """The row that every row is set against: as many places without content."""
    rows: Annotated[dict[str, Names], Field(min_length=2)]
    """Rows of the map: names, and for each its methods in any order, which differ in their `model` alone; the
    layers are those of the model, the hops those of the data sets."""

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
    """Heading of the table and the figure."""
    reference: str | None = None
    """Where the paper has it; null if it has not."""
    datasets: Names
    """Data sets that it is made for."""
    x: Literal["label", "tokens", "k"]
    """Horizontal axis: the labels of the series (`label`), tokens generated (`tokens`), or thoughts of the
    sweep (`k`)."""
    xlabel: str
    """Name of the horizontal axis."""
    series: Annotated[
        dict[str, Annotated[dict[str, str], BeforeValidator(_labelled), Field(min_length=1)]],
        Field(min_length=1),
    ]
    """Lines of the figure: names, and for each a mapping of labels to methods."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method of the comparison, each once."""
        return tuple(dict.fromkeys(name for line in self.series.values() for name in line.values()))
