"""Settings of data sets: how questions are generated, or where existing ones are read."""

from __future__ import annotations

from itertools import combinations
from math import inf
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    RootModel,
    model_validator,
)

from coconut_study.common.errors import hint
from coconut_study.common.settings import Closed, Name, check_folder, rising

Hops = Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(rising)]


class Sizes(Closed):
    """Number of questions in each split; a data set that is only asked has test questions alone."""

    train: NonNegativeInt = 0
    valid: NonNegativeInt = 0
    test: PositiveInt


class Generated(Closed):
    """Settings that all generated data sets have in common."""

    GROUP: ClassVar[int] = 1  # questions that are drawn together and stay in one split

    sizes: Sizes
    seed: NonNegativeInt
    shards: Annotated[
        PositiveInt, Field(description="parallel jobs, each of which draws a part of the questions")
    ] = 1

    @model_validator(mode="after")
    def _whole_groups(self) -> Generated:
        if any(size % self.GROUP for size in self.sizes.model_dump().values()):
            raise ValueError(
                f"sizes must be multiples of {self.GROUP}, the questions that are drawn together"
            )
        return self


def _check_graph(nodes: int, concepts: int, hops: tuple[int, int]) -> None:
    """ValueError for graphs that cannot be drawn or named; two nodes are persons, all others concepts."""
    if concepts < nodes - 2:
        raise ValueError(f"nodes: {nodes} needs concepts: {nodes - 2} or more")
    if max(hops) > nodes - 2:
        raise ValueError(f"hops: paths of this length need nodes: {max(hops) + 2} or more")


class Named(Generated):
    """Settings that all generated graph questions have in common."""

    names: Annotated[
        Literal["drawn", "ranked"],
        Field(
            description="names of concepts: at random, or in order of breadth-first rank from the persons",
            exclude_if=lambda names: names == "drawn",
        ),
    ] = "drawn"


class Prosqa(Named):
    """Questions from the process behind the published ProsQA files."""

    source: Literal["prosqa"]
    nodes: Annotated[int, Field(ge=4, description="nodes drawn; nodes without an edge are removed")]
    hops: Annotated[Hops, Field(description="minimum and maximum number of steps")]
    persons: Annotated[int, Field(ge=2, le=17, description="number of person names in use")]
    concepts: Annotated[int, Field(ge=2, le=38, description="number of concept names in use")]

    @model_validator(mode="after")
    def _fits(self) -> Prosqa:
        _check_graph(self.nodes, self.concepts, self.hops)
        return self


class Balanced(Named):
    """Mirror questions with matched options: a rule that ignores the root is right half of the time."""

    GROUP = 2

    source: Literal["balanced"]
    nodes: Annotated[int, Field(ge=6)]
    edges: Annotated[int, Field(ge=6)]
    hops: Annotated[Hops, Field(description="minimum and maximum number of steps")]
    persons: Annotated[int, Field(ge=2, le=17)]
    concepts: Annotated[int, Field(ge=2, le=38)]
    bystanders: Annotated[
        NonNegativeInt,
        Field(
            description="persons that nobody asks about, each with two facts",
            exclude_if=lambda bystanders: bystanders == 0,
        ),
    ] = 0

    @model_validator(mode="after")
    def _fits(self) -> Balanced:
        _check_graph(self.nodes, self.concepts, (1, 2 * self.hops[1]))  # two chains
        if self.persons < 2 + self.bystanders:
            raise ValueError(f"bystanders: {self.bystanders} needs persons: {self.bystanders + 2} or more")
        if self.edges < self.nodes - 2:
            raise ValueError(f"edges: {self.edges} are too few to connect nodes: {self.nodes}")
        return self


class Crossed(Balanced):
    """Groups of four questions: a rule that does not follow a path is right for exactly two of them."""

    GROUP = 4

    source: Literal["crossed"]  # type: ignore[assignment]

    @model_validator(mode="after")
    def _has_a_middle(self) -> Crossed:
        if self.hops[0] < 3:
            raise ValueError(
                "hops: crossed questions need 3 steps or more, so that a fact in the middle is crossed"
            )
        return self


class Prontoqa(Generated):
    """True-or-false questions about fictional ontologies, as in 5-hop ProntoQA (paper section 4.1)."""

    source: Literal["prontoqa"]
    hops: Annotated[int, Field(ge=1, le=6, description="number of rules that a proof applies, at most 6")]


class Arithmetic(Generated):
    """Word problems solved by a chain of equations, in the form of GSM8k-Aug."""

    source: Literal["arithmetic"]
    steps: Annotated[Hops, Field(description="minimum and maximum number of equations, 1 to 8")]

    @model_validator(mode="after")
    def _steps_in_range(self) -> Arithmetic:
        if self.steps[1] > 8:
            raise ValueError(f"steps: {[*self.steps]} is not a range within 1 to 8")
        return self


class File(Closed):
    """A question file in one of the formats of `questions.formats`, or some rows of it."""

    path: Name
    rows: Annotated[
        tuple[NonNegativeInt, PositiveInt] | None,
        Field(description="first row, and the row after the last; null for all"),
    ] = None
    count: Annotated[PositiveInt | None, Field(description="number of questions expected")] = None
    sha256: Annotated[
        str | None, Field(pattern="^[0-9a-f]{64}$", description="expected checksum of the file")
    ] = None

    @model_validator(mode="after")
    def _takes_rows(self) -> File:
        if self.rows is not None and self.rows[0] >= self.rows[1]:
            raise ValueError(f"rows: {[*self.rows]} takes none; the second number is the row after the last")
        return self

    def shares_rows(self, other: File) -> bool:
        """True if `other` takes some of the same rows of the same file."""
        same = Path(self.path).resolve() == Path(other.path).resolve()
        same |= self.sha256 is not None and self.sha256 == other.sha256
        (start, stop), (first, last) = (file.rows or (0, inf) for file in (self, other))
        return same and max(start, first) < min(stop, last)


class Existing(Closed):
    """Settings that all existing data sets have in common."""

    repeats: Annotated[
        NonNegativeInt,
        Field(
            description="number of questions of valid and test that may be in the data set twice",
            exclude_if=lambda repeats: repeats == 0,
        ),
    ] = 0


class Files(Existing):
    """Questions from one file per split, or from different rows of the same file."""

    source: Literal["files"]
    train: File
    valid: File
    test: File

    @model_validator(mode="after")
    def _splits_apart(self) -> Files:
        for one, other in combinations(("train", "valid", "test"), 2):
            if getattr(self, one).shares_rows(getattr(self, other)):
                path = getattr(self, other).path
                raise ValueError(
                    f"{other}: takes rows of {path} that {one} also takes; give it different rows"
                )
        return self


class Split(Closed):
    """A split of a data set on the Hugging Face hub."""

    split: Name
    count: Annotated[PositiveInt | None, Field(description="number of questions expected")] = None


class Hub(Existing):
    """Questions from a Hugging Face data set with the columns question, steps and answer."""

    source: Literal["hub"]
    path: Annotated[Name, Field(description="name on the hub, or a local folder")]
    revision: Annotated[str | None, Field(description="commit, branch or tag")] = None
    train: Split
    valid: Split
    test: Split

    @model_validator(mode="after")
    def _splits_apart(self) -> Hub:
        check_folder(self.path)
        for one, other in combinations(("train", "valid", "test"), 2):
            if (split := getattr(self, other).split) == getattr(self, one).split:
                raise ValueError(f"{other}: takes the split {split} that {one} also takes")
        return self


class Derived(Closed):
    """Questions made from the test questions of another data set of the study; they are only asked."""

    of: Annotated[Name, Field(description="the other data set")]


def _known_rule(name: str) -> str:
    """The name of a shortcut; ValueError if there is none of this name."""
    from coconut_study.questions.shortcuts import RULES

    if name not in RULES:
        raise ValueError(f"{name} is not a shortcut{hint(name, RULES)}")
    return name


class Subset(Derived):
    """The questions that a shortcut answers right, or those that it answers wrong; ties are left out."""

    source: Literal["subset"]
    rule: Annotated[str, AfterValidator(_known_rule), Field(description="a shortcut of questions.shortcuts")]
    right: Annotated[bool, Field(description="those that the rule answers right, or wrong")]


class Rewrites(Derived):
    """The questions that a single changed fact gives the other answer, each followed by such a rewrite."""

    source: Literal["rewrites"]
    seed: NonNegativeInt


class Source(
    RootModel[
        Annotated[
            Prosqa | Balanced | Crossed | Prontoqa | Arithmetic | Files | Hub | Subset | Rewrites,
            Field(discriminator="source"),
        ]
    ]
):
    """Where the questions of a data set come from."""

    model_config = ConfigDict(frozen=True)
