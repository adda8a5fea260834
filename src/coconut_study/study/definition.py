"""The study as one object: every key and its type, and the settings of a method or data set laid over the
study's."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt

from coconut_study.common.settings import Closed, overlaid
from coconut_study.evaluation.settings import (
    Attention,
    Clock,
    Decoding,
    Ending,
    Grading,
    Interventions,
    Linear,
    Probing,
    Removal,
    Responding,
    Tracing,
)
from coconut_study.report.settings import Explorer, Finding, Tables
from coconut_study.sequences.methods import Method, Schedule, TextSettings
from coconut_study.study.settings import Comparison, Dataset, Grid, Machine, Necessity, Sweep, Transfer
from coconut_study.training.settings import Model, Training


class Study(Closed):
    """A whole study, as one YAML file describes it."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$", description="names the results folder")]
    description: str
    datasets: dict[str, Dataset]
    methods: dict[str, Method]
    text: TextSettings
    model: Model
    base_seeds: Annotated[
        tuple[NonNegativeInt, ...],
        Field(min_length=1, description="one base model each; the seeds take them in turn"),
    ]
    training: Training
    responding: Responding
    grading: Grading
    tables: Tables
    machine: Machine
    runs: Annotated[tuple[Grid, ...], Field(min_length=1)]
    sweep: Sweep
    transfer: tuple[Transfer, ...] = ()
    comparisons: Annotated[dict[str, Comparison], Field(default_factory=dict)]
    clock: Clock | None = None
    ending: Ending | None = None
    probing: Probing | None = None
    decoding: Decoding | None = None
    interventions: Interventions | None = None
    tracing: Tracing | None = None
    linear: Linear | None = None
    attention: Attention | None = None
    removal: Removal | None = None
    necessity: Necessity | None = None
    finding: Finding | None = None
    explorer: Explorer = Explorer()

    def training_of(self, method: str) -> Training:
        """The training settings with the method's own laid over them."""
        return overlaid(self.training, self.methods[method].training, f"methods.{method}.training")

    def schedule_of(self, dataset: str, method: str) -> Schedule:
        """The dataset's schedule with the method's own laid over it; ValueError if the dataset has none."""
        own, schedule = self.methods[method].schedule, self.datasets[dataset].schedule
        if schedule is None:
            raise ValueError(f"datasets.{dataset}.schedule: is missing; runs are trained on {dataset}")
        return overlaid(schedule, own, f"methods.{method}.schedule")

    def responding_of(self, dataset: str) -> Responding:
        """The settings of responses with the dataset's own laid over them."""
        return overlaid(self.responding, self.datasets[dataset].responding, f"datasets.{dataset}.responding")

    def text_of(self, method: str) -> TextSettings:
        """How questions are written for the method."""
        return overlaid(self.text, self.methods[method].text, f"methods.{method}.text")

    def model_of(self, method: str) -> Model:
        """The base model with the method's own settings laid over it."""
        return overlaid(self.model, self.methods[method].model, f"methods.{method}.model")
