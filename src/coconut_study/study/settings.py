"""The settings of every step as closed, typed objects; `study` puts them together.

These files only hold and check settings. What a step uses of them reaches it through the parameters of
its rule, so that a changed value reruns what depends on it and an edit of these files reruns nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from coconut_study.common.settings import Closed, Names
from coconut_study.evaluation.settings import Clock, Decoding, Ending, Probing
from coconut_study.questions.settings import Source
from coconut_study.sequences.methods import Schedule

# --------------------------------------------------------------------------------------------- machine


class Needs(Closed):
    """What one job needs; the schedulers read it, no result depends on it."""

    gpus: NonNegativeInt
    memory_mb: PositiveInt
    minutes: Annotated[PositiveFloat, Field(description="of a job; for train, of an epoch")]
    threads: PositiveInt = 1


class Machine(Closed):
    """What the jobs of the rules that use a model need; the other rules need next to nothing."""

    default: Needs | None = None
    base: Needs | None = None
    train: Needs | None = None
    respond: Needs | None = None
    probe: Needs | None = None
    decode: Needs | None = None
    ending: Needs | None = None
    clock: Needs | None = None
    save_minutes: Annotated[
        NonNegativeInt,
        Field(description="between two saved states of unfinished training; 0 for every update"),
    ] = 10
    jobs_per_gpu: Annotated[
        PositiveInt, Field(description="that share a GPU where one machine runs them side by side")
    ] = 1

    def needs(self, rule: str) -> Needs | None:
        """What a job of `rule` needs; None where nothing is said of it."""
        return getattr(self, rule) or self.default


class Dataset(Closed):
    """Questions and how long training dwells on each stage of them."""

    title: str
    questions: Source
    schedule: Schedule
    paper: Annotated[str | None, Field(description="the paper's data set shown beside ours")] = None
    machine: Annotated[Machine, Field(description="what jobs on this data set need, where they differ")] = (
        Machine()
    )


class Grid(Closed):
    """Runs: every combination of these."""

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
    """Numbers of thoughts a trained run is asked with, besides the one it was trained for."""

    datasets: Annotated[tuple[str, ...] | None, Field(description="null for all")] = None
    methods: tuple[str, ...]
    k: tuple[Annotated[int, Field(ge=0)], ...]


Selection = Sweep | Clock | Ending | Probing | Decoding


class Comparison(Closed):
    """Runs set side by side: one experiment, one table, one figure."""

    title: str
    reference: Annotated[str | None, Field(description="where the paper has it")] = None
    datasets: Names
    x: Annotated[
        Literal["label", "tokens", "k"],
        Field(description="across: the labels below, measured tokens, or thoughts given (of the k sweep)"),
    ]
    xlabel: str
    series: Annotated[
        dict[str, Annotated[dict[str | int | float, str], Field(min_length=1)]],
        Field(min_length=1, description="lines of the figure; each a mapping of labels to methods"),
    ]

    @property
    def methods(self) -> tuple[str, ...]:
        """Every method of it, each once."""
        return tuple(dict.fromkeys(name for line in self.series.values() for name in line.values()))
