"""Settings of evaluation: how trained runs respond, and how they are graded, timed and probed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from coconut_study.common.settings import Closed, Names
from coconut_study.sequences.methods import Layout, TextSettings


class Responding(Closed):
    """How a trained run answers questions."""

    batch_size: Annotated[PositiveInt, Field(description="number of questions answered together")]
    max_new_tokens: Annotated[PositiveInt, Field(description="limit of tokens in a response")]


class GenerationSpec(Closed):
    """Everything that determines what a trained run generates, besides its checkpoint and the questions."""

    run: Annotated[dict[str, str | int], Field(description="dataset, method and seed")]
    text: TextSettings
    layouts: Annotated[tuple[Layout, ...], Field(min_length=1)]
    responding: Responding
    more_thoughts: Annotated[
        bool,
        Field(
            description="whether layouts may have more thoughts than the run was trained with",
            exclude_if=lambda more_thoughts: not more_thoughts,
        ),
    ] = False


TokenKind = Literal["written", "thoughts", "pauses", "end"]


class Grading(Closed):
    """How responses are graded."""

    tokens: Annotated[
        tuple[TokenKind, ...],
        Field(description="kinds of tokens that are counted; the paper's tables fit written and thoughts"),
    ] = ("written", "thoughts")
    hidden_prefix: Annotated[
        Literal["completable", "exact"],
        Field(description="a partial path may follow any hidden steps, or only as many as were hidden"),
    ]


class Clock(Closed):
    """Wall-clock time of a response (paper appendix B, Table 4): one question at a time, and in batches."""

    methods: Names
    questions: Annotated[PositiveInt, Field(description="number of test questions that are timed")]
    batch_size: Annotated[
        PositiveInt, Field(description="questions in a batch; one at a time is timed as well")
    ]


class Ending(Closed):
    """A classifier that decides from the thoughts when thoughts end (paper section 3, without numbers)."""

    methods: Names
    questions: Annotated[PositiveInt, Field(description="number of training questions to learn from")]


class Probing(Closed):
    """What thoughts predict about the next step, on graph questions (paper section 5.3)."""

    datasets: Names
    methods: Names
    k: Annotated[
        tuple[NonNegativeInt, ...],
        Field(min_length=1, description="numbers of thoughts after which a step is forced"),
    ]
    height: Annotated[
        Literal["shortest", "longest"],
        Field(description="which path from a node to a leaf counts; the paper's text and caption differ"),
    ]
    questions: Annotated[PositiveInt | None, Field(description="number of test questions; null for all")]
    case: Annotated[
        NonNegativeInt, Field(description="index of the test question whose search tree is drawn")
    ]


Battery = Literal["necessity", "short", "full"]


class Interventions(Closed):
    """Thoughts, or written steps, replaced at inference, on graph questions."""

    datasets: Names
    methods: Names
    necessity: Annotated[
        tuple[str, ...],
        Field(description="those of the methods whose thoughts are only replaced by their mean, or removed"),
    ] = ()
    conditions: Annotated[
        Literal["short", "full"], Field(description="how many conditions the other methods are put in")
    ] = "short"
    questions: Annotated[PositiveInt | None, Field(description="number of test questions; null for all")]
    seed: Annotated[NonNegativeInt, Field(description="of the random donors and of the noise")] = 0

    def battery(self, method: str) -> Battery:
        """The conditions of a method."""
        return "necessity" if method in self.necessity else self.conditions


class Inspection(Closed):
    """A look into trained runs on some graph questions."""

    datasets: Names
    methods: Names
    questions: Annotated[PositiveInt | None, Field(description="number of test questions; null for all")]


class Tracing(Inspection):
    """The residual stream of a question restored in that of its mirror, by layer and place."""


class Linear(Inspection):
    """What is read off the state after each number of thoughts with a linear map."""

    within: Annotated[
        tuple[PositiveInt, ...],
        Field(min_length=1, description="distances: which nodes are within as many edges of the root"),
    ]


class Attention(Inspection):
    """What thoughts attend to, by where the head of a fact is."""


class Removal(Inspection):
    """What becomes of the answer if a readable direction is removed from a thought."""

    seed: Annotated[NonNegativeInt, Field(description="of the random directions")] = 0


class Decoding(Closed):
    """Thoughts decoded to tokens with the output embeddings (paper section 4.4)."""

    datasets: Names
    methods: Names
    questions: Annotated[PositiveInt, Field(description="number of test questions")]
    top: Annotated[PositiveInt, Field(description="number of tokens for each thought")]
