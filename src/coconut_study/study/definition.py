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
from coconut_study.study.settings import Comparison, Dataset, Grid, Machine, Necessity, Needs, Sweep, Transfer
from coconut_study.training.settings import Model, Training


class Study(Closed):
    """A whole study, as one YAML file describes it."""

    study: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,60}$")]
    """Name of the study and of its folder in `results/`: at most 60 letters, digits, `-` and `_`."""
    description: str
    """One sentence about the study, for its report."""
    datasets: dict[str, Dataset]
    """Data sets by their names, each of at most 60 letters, digits, `-` and `_`."""
    methods: dict[str, Method]
    """Methods by their names; they are added to those of config/methods.yaml, or laid over them."""
    text: TextSettings = TextSettings(template="prose", facts_share_position=False)
    """How questions are written as text."""
    model: Model
    """The base model that runs start from."""
    base_seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = (0,)
    """Seeds of the base models, one model each; the seeds of the runs take them in turn."""
    training: Training = Training()
    """How stages are trained."""
    responding: Responding = Responding()
    """How trained runs respond."""
    grading: Grading = Grading()
    """How responses are graded."""
    tables: Tables = Tables()
    """How results are summed up."""
    machine: Machine = Machine(default=Needs(gpus=1, memory_mb=16000, minutes=60))
    """What jobs need of the machine."""
    runs: Annotated[tuple[Grid, ...], Field(min_length=1)]
    """Runs to train; each entry stands for every combination of its data sets, methods and seeds."""
    sweep: Sweep = Sweep()
    """Trained runs that also respond with other numbers of thoughts (paper section 5.1)."""
    transfer: tuple[Transfer, ...] = ()
    """Trained runs that are asked the test questions of other data sets: tables `transfer`, `sufficient` and,
    for rewrites, `following`, and a figure for each data set trained on."""
    comparisons: Annotated[dict[str, Comparison], Field(default_factory=dict)]
    """Methods set side by side, by a name: one table and one figure each; null leaves a comparison out."""
    clock: Clock | None = None
    """Seconds per question (paper appendix B, Table 4); null for none."""
    ending: Ending | None = None
    """A classifier that ends thoughts (paper section 3); null for none."""
    probing: Probing | None = None
    """What a thought predicts of the next steps, on graph questions (paper section 5.3); null for nothing."""
    decoding: Decoding | None = None
    """Thoughts decoded as words through the output embeddings (paper section 4.4); null for none."""
    interventions: Interventions | None = None
    """Thoughts, or written steps, replaced by others at inference (docs/methods.md, Interventions); null for
    none."""
    tracing: Tracing | None = None
    """States of a question restored in a run on its mirror, by layer and place (docs/methods.md, Tracing);
    null for none."""
    linear: Linear | None = None
    """Nodes and options read off the state after each number of thoughts with linear maps (docs/methods.md,
    Linear probes); null for none."""
    attention: Attention | None = None
    """What thoughts attend to (docs/methods.md, Attention); null for none."""
    removal: Removal | None = None
    """A readable direction removed from a thought (docs/methods.md, Removed directions); null for none."""
    necessity: Necessity | None = None
    """A map of layers and hops: where thoughts need content; null for none."""
    finding: Finding | None = None
    """The question of the study: it gets a page, `results/STUDY/finding.md`, and a table of its predictions;
    null for none."""
    explorer: Explorer = Explorer()
    """The page `explorer.html`, on which single questions are looked at."""

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
