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
    """Number of training questions; 0 for a data set that is only asked."""
    valid: NonNegativeInt = 0
    """Number of validation questions; 0 for a data set that is only asked."""
    test: PositiveInt
    """Number of test questions."""


class Generated(Closed):
    """Settings that all generated data sets have in common."""

    GROUP: ClassVar[int] = 1  # questions that are drawn together and stay in one split

    sizes: Sizes
    """Number of questions in each split."""
    seed: NonNegativeInt
    """Seed of the generator."""
    shards: PositiveInt = 1
    """Number of jobs that draw the questions in parallel."""

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

    names: Annotated[Literal["drawn", "ranked"], Field(exclude_if=lambda names: names == "drawn")] = "drawn"
    """Names of concepts: at random, or in the order of the list by breadth-first rank from the persons (ties
    at random), in questions and in `training.redraw`."""


class Prosqa(Named):
    """Questions from the process behind the published ProsQA files."""

    source: Literal["prosqa"]
    """The kind of questions: drawn by the process behind the published ProsQA files."""
    nodes: Annotated[int, Field(ge=4)]
    """Nodes drawn for a graph; those without an edge are left out."""
    hops: Hops
    """Minimum and maximum number of steps of a question, as `[3, 6]`."""
    persons: Annotated[int, Field(ge=2, le=17)]
    """Number of person names in use."""
    concepts: Annotated[int, Field(ge=2, le=38)]
    """Number of concept names in use, at least `nodes` - 2."""

    @model_validator(mode="after")
    def _fits(self) -> Prosqa:
        _check_graph(self.nodes, self.concepts, self.hops)
        return self


class Balanced(Named):
    """Mirror questions with matched options: a rule that ignores the root is right half of the time."""

    GROUP = 2

    source: Literal["balanced"]
    """The kind of questions: drawn in pairs of mirror questions."""
    nodes: Annotated[int, Field(ge=6)]
    """Nodes of a graph."""
    edges: Annotated[int, Field(ge=6)]
    """Edges of a graph."""
    hops: Hops
    """Minimum and maximum number of steps of a question, as `[3, 6]`."""
    persons: Annotated[int, Field(ge=2, le=17)]
    """Number of person names in use."""
    concepts: Annotated[int, Field(ge=2, le=38)]
    """Number of concept names in use, at least `nodes` - 2."""
    bystanders: Annotated[NonNegativeInt, Field(exclude_if=lambda bystanders: bystanders == 0)] = 0
    """Persons that nobody asks about, each with two facts that lead to no path and no option."""

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
    """The kind of questions: drawn in groups of four."""

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
    """The kind of questions: drawn from fictional ontologies."""
    hops: Annotated[int, Field(ge=1, le=6)]
    """Number of rules that a proof applies."""


class Arithmetic(Generated):
    """Word problems solved by a chain of equations, in the form of GSM8k-Aug."""

    source: Literal["arithmetic"]
    """The kind of questions: drawn word problems."""
    steps: Hops
    """Minimum and maximum number of equations of a question, within 1 to 8."""

    @model_validator(mode="after")
    def _steps_in_range(self) -> Arithmetic:
        if self.steps[1] > 8:
            raise ValueError(f"steps: {[*self.steps]} is not a range within 1 to 8")
        return self


class File(Closed):
    """A question file in one of the formats of `questions.formats`, or some rows of it."""

    path: Name
    """Path of the file: the published JSON schema, the text of GSM8k-Aug (`.txt`), or the output of the
    ProntoQA generator."""
    rows: tuple[NonNegativeInt, PositiveInt] | None = None
    """First row taken and the row after the last, as `[0, 9000]`; null for all."""
    count: PositiveInt | None = None
    """Number of questions that the file must give; null to leave it unchecked."""
    sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None
    """SHA-256 that the file must have; null to leave it unchecked."""

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

    repeats: Annotated[NonNegativeInt, Field(exclude_if=lambda repeats: repeats == 0)] = 0
    """Number of questions of valid and test that may be in the data set a second time."""


class Files(Existing):
    """Questions from one file per split, or from different rows of the same file."""

    source: Literal["files"]
    """The kind of questions: read from files."""
    train: File
    """File of the training questions."""
    valid: File
    """File of the validation questions."""
    test: File
    """File of the test questions."""

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
    """Name of the split on the hub."""
    count: PositiveInt | None = None
    """Number of questions that it must have; null to leave it unchecked."""


class Hub(Existing):
    """Questions from a Hugging Face data set with the columns question, steps and answer."""

    source: Literal["hub"]
    """The kind of questions: loaded from the Hugging Face hub."""
    path: Name
    """Name on the hub, or a folder in its form."""
    revision: str | None = None
    """Commit, branch or tag; null for the main branch."""
    train: Split
    """Split of the training questions."""
    valid: Split
    """Split of the validation questions."""
    test: Split
    """Split of the test questions."""

    @model_validator(mode="after")
    def _splits_apart(self) -> Hub:
        check_folder(self.path)
        for one, other in combinations(("train", "valid", "test"), 2):
            if (split := getattr(self, other).split) == getattr(self, one).split:
                raise ValueError(f"{other}: takes the split {split} that {one} also takes")
        return self


class Derived(Closed):
    """Questions made from the test questions of another data set of the study; they are only asked."""

    of: Name
    """The other data set of the study, with graph questions."""


def _known_rule(name: str) -> str:
    """The name of a shortcut; ValueError if there is none of this name."""
    from coconut_study.questions.shortcuts import RULES

    if name not in RULES:
        raise ValueError(f"{name} is not a shortcut{hint(name, RULES)}")
    return name


class Subset(Derived):
    """The questions that a shortcut answers right, or those that it answers wrong; ties are left out."""

    source: Literal["subset"]
    """The kind of questions: chosen among those of another data set by a shortcut."""
    rule: Annotated[str, AfterValidator(_known_rule)]
    """A shortcut of `questions/shortcuts.py`."""
    right: bool
    """Whether those are taken that the rule answers right, or those it answers wrong; ties are left out."""


class Rewrites(Derived):
    """The questions that a single changed fact gives the other answer, each followed by such a rewrite."""

    source: Literal["rewrites"]
    """The kind of questions: those of another data set with one fact changed."""
    seed: NonNegativeInt
    """Seed of the choice among the rewrites of a question."""


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
