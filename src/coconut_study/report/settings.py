"""The settings of the tables, and the arguments with which a table or figure is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from coconut_study.common.settings import Closed

Role = Literal["thoughts", "written", "control"]  # what stands in place of a method's written steps


class Tables(Closed):
    """How results are summed up."""

    worked: Annotated[
        float, Field(ge=0, le=100, description="right answers (%) from which a seed counts as worked")
    ]
    margin: Annotated[
        float,
        Field(gt=0, le=50, description="smaller differences (percentage points) count as no difference"),
    ]


class Row(Closed):
    """A row of the main table, and what it is compared with in the paper."""

    dataset: str
    method: str
    k: int
    paper_dataset: str | None
    paper_method: str | None


class StandIns(Closed):
    """Ours that stand for each of the paper's, the data sets with the paper's own questions, the path of each
    method's model (None for a new one), and the k that each "dataset method" was trained with."""

    datasets: dict[str, list[str]]
    methods: dict[str, list[str]]
    published: list[str]
    models: dict[str, str | None]
    trained: dict[str, int]


class Stages(Closed):
    """A run, and its stages in training order."""

    dataset: str
    method: str
    seed: int
    stages: list[str]


class Point(Closed):
    """A point of a comparison."""

    dataset: str
    series: str
    label: str
    method: str
    k: int


class Planned(Closed):
    """What the jobs of a rule may take, and their benchmark files."""

    rule: str
    gpus: int
    memory_mb: int
    hours: float
    benchmarks: list[str]


class Cell(Closed):
    """Methods that share stages: the cards of these, and the benchmark file and GPUs of each other job."""

    dataset: str | None
    methods: list[str]
    cards: list[str]
    jobs: list[tuple[str, int]]


class Given(Closed):
    """What the functions of the catalog take by keyword; a command is given what its functions take."""

    titles: Annotated[dict[str, str], Field(default_factory=dict)]
    roles: Annotated[dict[str, Role], Field(default_factory=dict)]
    rows: tuple[Row, ...] = ()
    worked: float = 0.0
    margin: float = 0.0
    bases: Annotated[dict[str, dict[int, str]], Field(default_factory=dict)]
    stand_ins: StandIns | None = None
    runs: tuple[Stages, ...] = ()
    planned: tuple[Planned, ...] = ()
    benchmarks: str = ""
    cells: tuple[Cell, ...] = ()
    points: tuple[Point, ...] = ()
    x: str = ""
    xlabel: str = ""
    dataset: str = ""
    paper_dataset: str | None = None
    method: str = ""
    references: tuple[str, ...] = ()
    case: int = 0


class Arguments(Closed):
    """What a table or figure is made from (see `study.table_inputs`)."""

    files: Annotated[
        dict[str, dict[str, Path]],
        Field(description="for each kind that it reads, files by the name of what they hold"),
    ]
    tables: Annotated[dict[str, Path], Field(description="for each table that it is made from, its CSV file")]
    settings: Given
