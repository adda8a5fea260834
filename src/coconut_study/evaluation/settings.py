"""How trained runs are asked, graded and probed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from coconut_study.common.settings import Closed, Names
from coconut_study.sequences.methods import Layout, TextSettings


class Responding(Closed):
    """How a trained run is asked."""

    batch_size: PositiveInt
    max_new_tokens: PositiveInt


class GenerationSpec(Closed):
    """All that determines the responses of a trained run."""

    run: Annotated[dict[str, str | int], Field(description="dataset, method and seed")]
    text: TextSettings
    layouts: Annotated[tuple[Layout, ...], Field(min_length=1)]
    responding: Responding


Counted = Literal["written", "thoughts", "pauses", "end"]


class Grading(Closed):
    """How responses are judged."""

    tokens: Annotated[
        tuple[Counted, ...],
        Field(description="what counts as a token; the paper's tables fit written and (continuous) thoughts"),
    ] = ("written", "thoughts")
    hidden_prefix: Annotated[
        Literal["completable", "exact"],
        Field(description="a partial path may follow any hidden steps, or exactly as many as were hidden"),
    ]


class Clock(Closed):
    """Wall-clock time of a response (paper appendix B, Table 4): one question at a time, and in batches."""

    methods: Names
    questions: Annotated[PositiveInt, Field(description="test questions that are timed")]
    batch_size: Annotated[PositiveInt, Field(description="questions in a batch, beside one at a time")]


class Ending(Closed):
    """A classifier on the thoughts that says when to stop thinking (paper section 3; no numbers there)."""

    methods: Names
    questions: Annotated[PositiveInt, Field(description="training questions whose thoughts it learns from")]


class Probing(Closed):
    """What a thought predicts of the steps to come, on graph questions (paper section 5.3)."""

    datasets: Names
    methods: Names
    k: Annotated[
        tuple[NonNegativeInt, ...], Field(min_length=1, description="thoughts after which a step is forced")
    ]
    height: Annotated[
        Literal["shortest", "longest"],
        Field(description="of the ways from a node to a leaf; the paper's text and caption differ"),
    ]
    questions: Annotated[PositiveInt | None, Field(description="test questions; null for all")]
    case: Annotated[NonNegativeInt, Field(description="the test question whose search tree is drawn")]


class Decoding(Closed):
    """Thoughts read as words, through the output embeddings (paper section 4.4)."""

    datasets: Names
    methods: Names
    questions: Annotated[PositiveInt, Field(description="test questions")]
    top: Annotated[PositiveInt, Field(description="tokens shown for each thought")]
