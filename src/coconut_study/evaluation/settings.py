"""Settings of evaluation: how trained runs respond, and how they are graded, timed and probed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from coconut_study.common.settings import Closed, Names
from coconut_study.sequences.methods import Layout, TextSettings


class Responding(Closed):
    """How a trained run answers questions."""

    batch_size: PositiveInt = 32
    """Number of questions answered together."""
    max_new_tokens: PositiveInt = 128
    """Maximum number of tokens of a response; the paper's code allows 64 on GSM8k and 128 elsewhere."""


class GenerationSpec(Closed):
    """Everything that determines what a trained run generates, besides its checkpoint and the questions."""

    run: dict[str, str | int]
    """Dataset, method and seed."""
    text: TextSettings
    layouts: Annotated[tuple[Layout, ...], Field(min_length=1)]
    responding: Responding
    more_thoughts: Annotated[bool, Field(exclude_if=lambda more_thoughts: not more_thoughts)] = False
    """Whether layouts may have more thoughts than the run was trained with."""


TokenKind = Literal["written", "thoughts", "pauses", "end"]


class Grading(Closed):
    """How responses are graded."""

    tokens: tuple[TokenKind, ...] = ("written", "thoughts")
    """Kinds of tokens that are counted; `thoughts` are continuous ones, and the paper's tables fit `written`
    and `thoughts`."""
    hidden_prefix: Literal["completable", "exact"] = "completable"
    """What a partial path may follow: any hidden steps (`completable`), or only as many as were
    hidden (`exact`)."""


class Clock(Closed):
    """Wall-clock time of a response (paper appendix B, Table 4): one question at a time, and in batches."""

    methods: Names
    """Methods whose runs are timed."""
    questions: PositiveInt
    """Number of test questions that are timed."""
    batch_size: PositiveInt
    """Number of questions in a batch; one at a time is timed as well."""


class Ending(Closed):
    """A classifier that decides from the thoughts when thoughts end (paper section 3, without numbers)."""

    methods: Names
    """Methods of the runs: with continuous thoughts."""
    questions: PositiveInt
    """Number of training questions that the classifier learns from."""


class Probing(Closed):
    """What thoughts predict about the next step, on graph questions (paper section 5.3)."""

    datasets: Names
    """Data sets of the runs, with graph questions."""
    methods: Names
    """Methods of the runs: with continuous thoughts, or with pauses, which have no content and so show what
    values tell without thoughts."""
    k: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    """Numbers of thoughts after which the model has to write a step."""
    height: Literal["shortest", "longest"]
    """Which path from a node to a leaf is its height; the paper's text says the shortest, its caption the
    longest."""
    questions: PositiveInt | None
    """Number of test questions; null for all."""
    case: NonNegativeInt
    """Index of the test question whose search tree is drawn; the paper's is 56 of the published test file."""


Battery = Literal["necessity", "short", "full"]


class Interventions(Closed):
    """Thoughts, or written steps, replaced at inference, on graph questions."""

    datasets: Names
    """Data sets of the runs, with graph questions."""
    methods: Names
    """Methods of the runs: with thoughts or pauses, or with written steps."""
    necessity: tuple[str, ...] = ()
    """Those of the methods of which only the mean and no thoughts are tried: enough to say whether thoughts
    matter."""
    conditions: Literal["short", "full"] = "short"
    """How many conditions the other methods are put in: `full` is every combination of thoughts, content and
    part (306 instead of 47 per question with three thoughts)."""
    questions: PositiveInt | None
    """Number of test questions; null for all."""
    seed: NonNegativeInt = 0
    """Seed of the random donors and of the noise."""

    def battery(self, method: str) -> Battery:
        """The conditions of a method."""
        return "necessity" if method in self.necessity else self.conditions


class Inspection(Closed):
    """A look into trained runs on some graph questions."""

    datasets: Names
    """Data sets of the runs, with graph questions."""
    methods: Names
    """Methods of the runs."""
    questions: PositiveInt | None
    """Number of test questions; null for all."""


class Tracing(Inspection):
    """The residual stream of a question restored in that of its mirror, by layer and place."""


class Linear(Inspection):
    """What is read off the state after each number of thoughts, or pauses, with a linear map."""

    within: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    """Distances d, in edges: one map for each tells which nodes are at most d from the root."""


class Attention(Inspection):
    """What thoughts, or pauses, attend to, by where the head of a fact is."""


class Removal(Inspection):
    """What becomes of the answer if a readable direction is removed from a continuous thought."""

    seed: NonNegativeInt = 0
    """Seed of the random directions."""


class Decoding(Closed):
    """Thoughts decoded to tokens with the output embeddings (paper section 4.4)."""

    datasets: Names
    """Data sets of the runs."""
    methods: Names
    """Methods of the runs: with continuous thoughts."""
    questions: PositiveInt
    """Number of test questions."""
    top: PositiveInt
    """Number of tokens for each thought."""
