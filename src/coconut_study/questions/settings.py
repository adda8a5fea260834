"""Where the questions of a data set come from."""

from __future__ import annotations

from itertools import combinations
from math import inf
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    RootModel,
    model_validator,
)

from coconut_study.common.settings import Closed, Name, check_folder, rising

Hops = Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(rising)]


class Sizes(Closed):
    """Questions in each split."""

    train: PositiveInt
    valid: PositiveInt
    test: PositiveInt


class Generated(Closed):
    """What all generated questions have in common."""

    sizes: Sizes
    seed: NonNegativeInt
    shards: Annotated[
        PositiveInt, Field(description="jobs that draw a part each, beside each other and restarted singly")
    ] = 1


def _check_graph(nodes: int, concepts: int, hops: tuple[int, int]) -> None:
    """ValueError for graphs that cannot be drawn or named: two nodes are persons, the others concepts."""
    if concepts < nodes - 2:
        raise ValueError(f"nodes: {nodes} needs concepts: {nodes - 2} or more")
    if max(hops) > nodes - 2:
        raise ValueError(f"hops: paths as long need nodes: {max(hops) + 2} or more")


class Prosqa(Generated):
    """Questions from the process behind the published ProsQA files."""

    source: Literal["prosqa"]
    nodes: Annotated[int, Field(ge=4, description="nodes drawn; those without an edge are dropped")]
    hops: Annotated[Hops, Field(description="fewest and most steps of a question")]
    persons: Annotated[int, Field(ge=2, le=17, description="person names in use")]
    concepts: Annotated[int, Field(ge=2, le=38, description="concept names in use")]

    @model_validator(mode="after")
    def _fits(self) -> Prosqa:
        _check_graph(self.nodes, self.concepts, self.hops)
        return self


class Balanced(Generated):
    """Mirror questions with matched options; a rule that ignores the root is right half of the time."""

    source: Literal["balanced"]
    nodes: Annotated[int, Field(ge=6)]
    edges: Annotated[int, Field(ge=6)]
    hops: Annotated[Hops, Field(description="fewest and most steps of a question")]
    persons: Annotated[int, Field(ge=2, le=17)]
    concepts: Annotated[int, Field(ge=2, le=38)]

    @model_validator(mode="after")
    def _fits(self) -> Balanced:
        _check_graph(self.nodes, self.concepts, (1, 2 * self.hops[1]))  # two chains side by side
        if self.edges < self.nodes - 2:
            raise ValueError(f"edges: {self.edges} are too few to join nodes: {self.nodes}")
        if any(size % 2 for size in self.sizes.model_dump().values()):
            raise ValueError("sizes must be even: every graph asks two mirror questions")
        return self


class Prontoqa(Generated):
    """True-or-false questions about fictional ontologies, as in 5-hop ProntoQA (paper section 4.1)."""

    source: Literal["prontoqa"]
    hops: Annotated[int, Field(ge=1, le=6, description="rules a proof applies; names suffice for six")]


class Arithmetic(Generated):
    """Word problems solved by a chain of equations, in the form of GSM8k-Aug."""

    source: Literal["arithmetic"]
    steps: Annotated[Hops, Field(description="fewest and most equations of a question, 1 to 8")]

    @model_validator(mode="after")
    def _steps_in_range(self) -> Arithmetic:
        if self.steps[1] > 8:
            raise ValueError(f"steps: {[*self.steps]} is no range within 1 to 8")
        return self


class File(Closed):
    """A question file: the published schema, GSM8k-Aug's text (.txt), or ProntoQA's own output."""

    path: Name
    rows: Annotated[
        tuple[NonNegativeInt, PositiveInt] | None, Field(description="first row taken, and the one behind")
    ] = None
    count: Annotated[PositiveInt | None, Field(description="questions it must give")] = None
    sha256: Annotated[
        str | None, Field(pattern="^[0-9a-f]{64}$", description="checksum the file must have")
    ] = None

    @model_validator(mode="after")
    def _takes_rows(self) -> File:
        if self.rows is not None and self.rows[0] >= self.rows[1]:
            raise ValueError(f"rows: {[*self.rows]} takes none; the second number is the row behind the last")
        return self

    def shares_rows(self, other: File) -> bool:
        """Whether another takes rows of the same file."""
        same = Path(self.path).resolve() == Path(other.path).resolve()
        same |= self.sha256 is not None and self.sha256 == other.sha256
        (start, stop), (first, last) = (file.rows or (0, inf) for file in (self, other))
        return same and max(start, first) < min(stop, last)


class Existing(Closed):
    """What data sets that exist already have in common."""

    repeats: Annotated[
        NonNegativeInt,
        Field(
            description="questions of valid and test that may stand in the data set a second time",
            exclude_if=lambda repeats: repeats == 0,
        ),
    ] = 0


class Files(Existing):
    """Questions from files."""

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
                    f"{other}: takes rows of {path} that {one} takes too; give it rows of its own"
                )
        return self


class Split(Closed):
    """A split of a data set of the hub."""

    split: Name
    count: Annotated[PositiveInt | None, Field(description="questions it must hold")] = None


class Hub(Existing):
    """Questions of a Hugging Face data set with the columns question, steps and answer."""

    source: Literal["hub"]
    path: Annotated[Name, Field(description="name on the hub, or a folder in its form")]
    revision: Annotated[str | None, Field(description="commit, branch or tag")] = None
    train: Split
    valid: Split
    test: Split

    @model_validator(mode="after")
    def _splits_apart(self) -> Hub:
        check_folder(self.path)
        for one, other in combinations(("train", "valid", "test"), 2):
            if (split := getattr(self, other).split) == getattr(self, one).split:
                raise ValueError(f"{other}: takes the split {split} that {one} takes too")
        return self


class Source(
    RootModel[
        Annotated[Prosqa | Balanced | Prontoqa | Arithmetic | Files | Hub, Field(discriminator="source")]
    ]
):
    """Where the questions of a data set come from."""

    model_config = ConfigDict(frozen=True)
