r"""Methods as data: two choices and a schedule describe every row of the paper's Table 1.

| steps \ thoughts | none                    | continuous             | pause            |
|------------------|-------------------------|------------------------|------------------|
| kept             | CoT                     |                        |                  |
| dropped          | No-CoT                  | Coconut w/o curriculum | Pause token      |
| staged           | Coconut w/o thought     | Coconut                | pause as thought |
| removed          | iCoT                    |                        |                  |
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from coconut_study.common.settings import Closed

Steps = Literal["kept", "dropped", "staged", "removed"]
Thoughts = Literal["none", "continuous", "pause"]


class Removal(Closed):
    """How iCoT takes the written chain away from its left end (Deng et al. 2024, arXiv 2405.14838)."""

    unit: Annotated[Literal["token", "step"], Field(description="what is removed at a time")]
    per_epoch: Annotated[PositiveFloat, Field(description="units that every epoch removes in addition")]
    smoothing: Annotated[
        PositiveFloat | None,
        Field(description="each question loses o units more, with P(o) proportional to exp(-smoothing o)"),
    ]
    limit: Annotated[PositiveInt | None, Field(description="from this many units on the whole chain goes")]


class Schedule(Closed):
    """How long each stage lasts and how many thoughts stand for a step (paper section 4.2)."""

    c: Annotated[int, Field(ge=0, description="thoughts per step")]
    stages: Annotated[int, Field(ge=0, description="stages that turn one more step into thoughts")]
    epochs: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Field(description="epochs of stage 0, 1, ...; one entry more adds the stage that replaces all steps"),
    ]  # a stage of 0 epochs is left out
    removal: Annotated[Removal | None, Field(description="for methods with steps: removed")] = None

    @model_validator(mode="after")
    def _epochs_for_each_stage(self) -> Schedule:
        if len(self.epochs) not in (self.stages + 1, self.stages + 2):
            raise ValueError(
                f"epochs has {len(self.epochs)} entries; with stages: {self.stages} it needs "
                f"{self.stages + 1}, or {self.stages + 2} with a stage that replaces all steps"
            )
        if not self.epochs[-1]:
            raise ValueError("epochs ends in 0; a run is asked as in its last stage, which must be trained")
        return self

    @property
    def last_stage(self) -> int:
        """The stage training ends in."""
        return len(self.epochs) - 1

    def thoughts(self, stage: int) -> int:
        """Thoughts in a sequence of `stage`; the stage above the last adds none (the paper's "3+1")."""
        return min(stage, self.stages) * self.c


class Layout(Closed):
    """What a training sequence looks like: all the sequence builder knows of a method and a stage."""

    hidden: Annotated[int | None, Field(description="steps left out at the start; None leaves out all")]
    removed: Annotated[int, Field(ge=0, description="tokens left out behind them")] = 0
    thoughts: Annotated[int, Field(ge=0, description="thoughts between question and steps")]
    kind: Thoughts
    markers: Annotated[bool, Field(description="<bot> and <eot> around the thoughts")]
    iterations: Annotated[int | None, Field(ge=1, description="see Method")] = None

    def with_thoughts(self, k: int, c: int) -> Layout:
        """The prompt for k thoughts, as the k sweep forces it (paper section 5.1): k // c steps hidden."""
        if k == self.thoughts:
            return self
        hidden = k // c if c and self.hidden is not None else self.hidden
        return self.model_copy(update={"thoughts": k, "hidden": hidden})

    def without(self, units: int, unit: Literal["token", "step"]) -> Layout:
        """The layout of a chain that has lost `units` at its left end."""
        return self.model_copy(
            update={"hidden": units if unit == "step" else 0, "removed": units if unit == "token" else 0}
        )


class Method(Closed):
    """One row of the main table, or a variation of one."""

    title: Annotated[str, Field(description="its name in tables and figures")]
    steps: Annotated[Steps, Field(description="what happens to the written steps")]
    thoughts: Annotated[Thoughts, Field(description="what stands in for hidden steps")]
    markers: Annotated[bool, Field(description="<bot> and <eot> from stage 0 on")]
    paper: Annotated[str | None, Field(description="its row in the paper's tables")] = None
    iterations: Annotated[
        int | None,
        Field(
            ge=1,
            description="compute all continuous thoughts side by side, so many times over (Jacobi); "
            "null computes one after the other",
        ),
    ] = None
    like: Annotated[
        str | None,
        Field(description="the method whose settings it has but for its own; `Study` fills them in"),
    ] = None
    start: Annotated[
        str | None, Field(description="the method whose trained run it starts from; the base model without")
    ] = None
    training: Annotated[
        dict[str, Any], Field(description="training settings of this method alone", default_factory=dict)
    ]
    schedule: Annotated[
        dict[str, Any], Field(description="schedule settings of this method alone", default_factory=dict)
    ]
    model: Annotated[
        dict[str, Any], Field(description="model settings of this method alone", default_factory=dict)
    ]

    @model_validator(mode="after")
    def _iterations_of_thoughts(self) -> Method:
        if self.iterations is not None and self.thoughts != "continuous":
            raise ValueError(f"iterations: is for continuous thoughts, not for thoughts: {self.thoughts}")
        return self

    def plan(self, schedule: Schedule) -> list[tuple[int, float]]:
        """(stage, epochs) in training order; equal budgets for every method.

        A method without a curriculum of stages spends the whole budget in one: the first where steps are
        kept, the last where they are dropped or removed.
        """
        if self.steps == "staged":
            return [(stage, epochs) for stage, epochs in enumerate(schedule.epochs) if epochs]
        only = 0 if self.steps == "kept" else schedule.last_stage
        return [(only, sum(schedule.epochs))]

    def layout(self, schedule: Schedule, stage: int) -> Layout:
        """The layout of `stage`. Equal layouts are equal objects, whichever method they come from."""
        hidden: int | None = {"kept": 0, "staged": stage}.get(self.steps)
        if self.steps == "staged" and stage > schedule.stages:
            hidden = None
        thoughts = 0 if self.thoughts == "none" else schedule.thoughts(stage)
        kind = self.thoughts if thoughts else "none"
        return Layout(
            hidden=hidden,
            thoughts=thoughts,
            kind=kind,
            markers=self.markers,
            iterations=self.iterations if kind == "continuous" else None,
        )

    def final_layout(self, schedule: Schedule) -> Layout:
        """The layout a trained run is asked with: that of its last stage, with the method's own kind."""
        last, _ = self.plan(schedule)[-1]
        layout = self.layout(schedule, last)
        return layout.model_copy(update={"kind": self.thoughts, "iterations": self.iterations})


class TextSettings(Closed):
    """How questions are written for the model."""

    template: Literal["prose", "symbols"]
    facts_share_position: Annotated[
        bool, Field(description="both tokens of a fact get one position id (symbols template)")
    ]
