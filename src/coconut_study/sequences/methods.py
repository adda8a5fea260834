r"""Methods as data: two choices and a schedule describe every row of the paper's Table 1.

| steps \ thoughts | none                    | continuous             | pause            | loops  |
|------------------|-------------------------|------------------------|------------------|--------|
| kept             | CoT                     |                        |                  |        |
| dropped          | No-CoT                  | Coconut w/o curriculum | Pause token      |        |
| staged           | Coconut w/o thought     | Coconut                | pause as thought | Looped |
| removed          | iCoT                    |                        |                  |        |

Loops stand in place of thoughts: the model passes over the whole sequence once more for each (a looped
transformer; Saunshi et al. 2025, arXiv 2502.17416). The sequence has no places for them.

Soft thoughts take the places of continuous ones: what is fed back is not the last hidden state, but the
expected embedding of the token that it predicts (Gozeten et al. 2025, arXiv 2505.23648).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from coconut_study.common.settings import Closed, Probability

Steps = Literal["kept", "dropped", "staged", "removed"]
Thoughts = Literal["none", "continuous", "pause", "loops", "soft"]
FED_BACK: tuple[Thoughts, ...] = ("continuous", "soft")  # computed from the state of the previous position
Targets = Literal["path", "frontier"]

# The string under a field says what it is, as for all settings. The descriptions inside Field say less; they
# count as code of trained runs, which an edit of them would train again.


class Removal(Closed):
    """How iCoT removes the written chain from its left end (Deng et al. 2024, arXiv 2405.14838)."""

    unit: Annotated[Literal["token", "step"], Field(description="unit of removal")]
    """Unit of removal."""
    per_epoch: Annotated[PositiveFloat, Field(description="additional units removed in each epoch")]
    """Units that every epoch removes in addition."""
    smoothing: Annotated[
        PositiveFloat | None,
        Field(description="each question loses o more units, with P(o) proportional to exp(-smoothing o)"),
    ]
    """Each question loses o more units, with P(o) proportional to exp(-smoothing o); null for none."""
    limit: Annotated[
        PositiveInt | None, Field(description="number of units from which the whole chain is removed")
    ]
    """Number of units from which on the whole chain is removed; null for no limit."""


class Extra(Closed):
    """Additional thoughts that some questions get, each time they are shown."""

    thoughts: Annotated[PositiveInt, Field(description="how many more")]
    """How many thoughts more a question gets."""
    probability: Probability
    """How often it gets them, drawn at every use."""


class Schedule(Closed):
    """How long each stage lasts and how many thoughts replace a step (paper section 4.2)."""

    c: Annotated[int, Field(ge=0, description="thoughts per step")]
    """Thoughts per step."""
    stages: Annotated[
        int, Field(ge=0, description="number of stages that each replace one more step by thoughts")
    ]
    """Number of stages, each of which replaces one more step by thoughts."""
    epochs: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...],
        Field(description="epochs of stage 0, 1, ...; one more entry adds a stage that replaces all steps"),
    ]  # a stage with 0 epochs is skipped
    """Epochs of stage 0, 1, ..., also fractions; a stage of 0 epochs is left out, and one more entry adds a
    stage that replaces all steps."""
    removal: Annotated[
        Removal | None, Field(description="how steps are removed; for methods with `steps: removed`")
    ] = None
    """How iCoT removes the written chain, for methods with `steps: removed`; null for no such method."""
    extra: Annotated[
        Extra | None,
        Field(
            description="thoughts by the steps of each question, and sometimes more; null for as many as the "
            "stage has"
        ),
    ] = None
    """A question gets `c` thoughts for each of its own steps, at most those of the stage, and sometimes more;
    null gives every question those of the stage."""

    @model_validator(mode="after")
    def _stages_have_epochs(self) -> Schedule:
        if len(self.epochs) not in (self.stages + 1, self.stages + 2):
            raise ValueError(
                f"epochs has {len(self.epochs)} entries; with stages: {self.stages} it needs "
                f"{self.stages + 1}, or {self.stages + 2} with a stage that replaces all steps"
            )
        if not self.epochs[-1]:
            raise ValueError("epochs ends in 0; the last stage must be trained, because evaluation uses it")
        return self

    @property
    def last_stage(self) -> int:
        """The number of the last stage."""
        return len(self.epochs) - 1

    def thoughts(self, stage: int) -> int:
        """Number of thoughts in `stage`; the additional last stage adds none (the paper's "3+1")."""
        return min(stage, self.stages) * self.c


class ThoughtLoss(Closed):
    """An additional loss on thoughts: the state that becomes thought j predicts what step j leads to."""

    target: Annotated[
        Literal["step", "frontier"],
        Field(description="the node of the step, or all nodes of its frontier, each with equal weight"),
    ]
    """What the state that becomes thought j has to predict through the language-model head: the node of step
    j, or all nodes of its frontier, each with equal weight (`c: 1`, `symbols`, continuous thoughts)."""
    weight: Annotated[
        PositiveFloat, Field(description="of the mean over thoughts, beside the mean over predicted tokens")
    ]
    """Weight of the mean of this loss over thoughts, beside that of predicted tokens; the loss in the history
    is without it."""


class Layout(Closed):
    """How a training sequence is built: all that the builder needs to know of a method and a stage."""

    hidden: Annotated[int | None, Field(description="number of first steps left out; None for all")]
    removed: Annotated[int, Field(ge=0, description="number of tokens left out after them")] = 0
    thoughts: Annotated[
        int,
        Field(ge=0, description="number of thoughts between question and steps, or of loops after the first"),
    ]
    kind: Thoughts
    markers: Annotated[bool, Field(description="whether <bot> and <eot> enclose the thoughts")]
    iterations: Annotated[int | None, Field(ge=1, description="see Method")] = None

    @property
    def places(self) -> int:
        """Number of places in the sequence that thoughts take; loops take none."""
        return 0 if self.kind == "loops" else self.thoughts

    def with_thoughts(self, k: int, c: int) -> Layout:
        """The layout with k thoughts instead, for a sweep over k (paper section 5.1): k // c steps hidden."""
        if k == self.thoughts:
            return self
        hidden = k // c if c and self.hidden is not None else self.hidden
        return self.model_copy(update={"thoughts": k, "hidden": hidden})

    def without(self, units: int, unit: Literal["token", "step"]) -> Layout:
        """The layout with the first `units` of the chain left out."""
        return self.model_copy(
            update={"hidden": units if unit == "step" else 0, "removed": units if unit == "token" else 0}
        )


class Method(Closed):
    """How a question becomes a training sequence over the stages: one row of the main table."""

    title: Annotated[str, Field(description="name in tables and figures")]
    """Name in tables and figures."""
    steps: Annotated[Steps, Field(description="what happens to the written steps")]
    """What happens to the written steps: they are kept, dropped, replaced stage by stage (`staged`), or
    removed token by token."""
    thoughts: Annotated[Thoughts, Field(description="what replaces hidden steps")]
    """What replaces hidden steps: nothing, hidden states (`continuous`), `pause` tokens, more passes over the
    whole sequence (`loops`), or expected embeddings that are fed back (`soft`)."""
    markers: Annotated[
        bool, Field(description="whether <bot> and <eot> enclose the thoughts, from stage 0 on")
    ]
    """Whether `<bot>` and `<eot>` enclose the thoughts, from stage 0 on."""
    paper: Annotated[str | None, Field(description="row in the paper's tables")] = None
    """Its row in the paper's tables, a name of config/paper_numbers.yaml; null for none."""
    targets: Annotated[
        Targets,
        Field(
            description="what follows the thoughts in training: the other steps, or one node of the frontier"
        ),
    ] = "path"
    """What follows the thoughts in training: the other steps (`path`), or one node of the `frontier` and the
    end (`steps: staged`, graph questions)."""
    thought_loss: Annotated[
        ThoughtLoss | None, Field(description="additional loss on thoughts in training; null for none")
    ] = None
    """An additional loss on thoughts in training; null for none."""
    iterations: Annotated[
        int | None,
        Field(
            ge=1,
            description="Jacobi iterations that compute all continuous thoughts in parallel; "
            "null computes one thought after the other",
        ),
    ] = None
    """Jacobi iterations that compute all continuous thoughts side by side; null computes one after the
    other."""
    like: Annotated[
        str | None,
        Field(description="method whose settings this one takes over, except for its own"),
    ] = None
    """Another method, whose settings it takes where it has none of its own (`paper` excepted); null for
    none."""
    start: Annotated[
        str | None, Field(description="method whose trained run it starts from; null for the base model")
    ] = None
    """Another method, whose trained run it starts from; null for the base model."""
    training: Annotated[
        dict[str, Any], Field(description="training settings of this method only", default_factory=dict)
    ]
    """Keys of `training` that differ for this method."""
    schedule: Annotated[
        dict[str, Any], Field(description="schedule settings of this method only", default_factory=dict)
    ]
    """Keys of the schedule of the data set that differ for this method."""
    model: Annotated[
        dict[str, Any], Field(description="model settings of this method only", default_factory=dict)
    ]
    """Keys of `model` that differ for this method."""
    text: Annotated[
        dict[str, Any], Field(description="text settings of this method only", default_factory=dict)
    ]
    """Keys of `text` that differ for this method."""

    @model_validator(mode="after")
    def _iterations_need_continuous_thoughts(self) -> Method:
        if self.iterations is not None and self.thoughts not in FED_BACK:
            raise ValueError(f"iterations: is for continuous thoughts, not for thoughts: {self.thoughts}")
        return self

    @model_validator(mode="after")
    def _losses_are_on_thoughts(self) -> Method:
        if self.thought_loss is not None and self.thoughts not in FED_BACK:
            raise ValueError(f"thought_loss: is for continuous thoughts, not for thoughts: {self.thoughts}")
        return self

    @model_validator(mode="after")
    def _loops_have_no_markers(self) -> Method:
        if self.thoughts == "loops" and self.markers:
            raise ValueError(
                "markers: set false; with thoughts: loops there is nothing in the sequence to enclose"
            )
        return self

    @model_validator(mode="after")
    def _frontiers_follow_hidden_steps(self) -> Method:
        if self.targets == "frontier" and self.steps != "staged":
            raise ValueError(f"targets: frontier is for steps: staged, not for steps: {self.steps}")
        return self

    def plan(self, schedule: Schedule) -> list[tuple[int, float]]:
        """(stage, epochs) in training order; every method gets the same number of epochs.

        Methods without a curriculum train in one stage for all epochs: in the first if steps are kept, in
        the last if they are dropped or removed.
        """
        if self.steps == "staged":
            return [(stage, epochs) for stage, epochs in enumerate(schedule.epochs) if epochs]
        only = 0 if self.steps == "kept" else schedule.last_stage
        return [(only, sum(schedule.epochs))]

    def layout(self, schedule: Schedule, stage: int) -> Layout:
        """The layout of `stage`; methods that agree on it have equal layouts."""
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
            iterations=self.iterations if kind in FED_BACK else None,
        )

    def final_layout(self, schedule: Schedule) -> Layout:
        """The layout for evaluation: that of the last stage, with the kind of thoughts of the method."""
        last, _ = self.plan(schedule)[-1]
        layout = self.layout(schedule, last)
        return layout.model_copy(update={"kind": self.thoughts, "iterations": self.iterations})


class TextSettings(Closed):
    """How questions are written as text for the model."""

    template: Literal["prose", "symbols"]
    """`prose` writes the published sentences, `symbols` one word per node (graph questions only)."""
    facts_share_position: Annotated[
        bool, Field(description="whether both tokens of a fact have one position id (symbols template)")
    ]
    """Whether the two nodes of a fact have one position id (with `symbols`)."""
