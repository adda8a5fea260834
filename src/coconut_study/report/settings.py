"""The settings of the tables, and the arguments with which a table or figure is made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from coconut_study.common.settings import Closed, Name, Names
from coconut_study.sequences.templates import TemplateName

Role = Literal["thoughts", "written", "control"]  # what stands in place of a method's written steps


class Tables(Closed):
    """How results are summed up."""

    worked: Annotated[float, Field(ge=0, le=100)] = 95.0
    """Right answers (%) from which a seed counts as worked."""
    margin: Annotated[float, Field(gt=0, le=50)] = 3.0
    """Difference in percentage points below which two methods count as alike (docs/statistics.md)."""


class Side(Closed):
    """One side of a prediction: what is measured of a data set and method, or a `value`."""

    dataset: str | None = None
    """Data set that the runs were trained on; null with `value`."""
    method: str | None = None
    """Method of the runs; null with `value`."""
    k: int | None = None
    """Number of thoughts at inference; null for as many as trained with."""
    asked: str | None = None
    """Data set of `transfer` whose questions the runs are asked; null for their own."""
    measure: Literal["right answers", "following"] = "right answers"
    """What is measured: right answers, or (`following`) of the answers to rewritten questions, the right ones
    that move."""
    value: float | None = None
    """A number in place of a measurement, as the second side; null to measure."""

    @model_validator(mode="after")
    def _measured_or_given(self) -> Side:
        if (self.value is None) == (self.dataset is None) or (self.dataset is None) != (self.method is None):
            raise ValueError("give either dataset and method, or value")
        if self.measure == "following" and self.asked is None:
            raise ValueError("following: is measured on rewrites; name them under asked")
        return self


class Prediction(Closed):
    """What a study predicts before it is run: that one side is above another, or that two are alike."""

    claim: Name
    """The prediction in one sentence."""
    more: Side | None = None
    """The side that is above; null with `one` and `other`."""
    less: Side | None = None
    """The side that is below; null with `one` and `other`."""
    one: Side | None = None
    """One of two sides that are alike; null with `more` and `less`."""
    other: Side | None = None
    """The other of two sides that are alike; null with `more` and `less`."""

    @model_validator(mode="after")
    def _two_sides(self) -> Prediction:
        given = {name for name in ("more", "less", "one", "other") if getattr(self, name) is not None}
        if given not in ({"more", "less"}, {"one", "other"}):
            raise ValueError("give either more and less, or one and other")
        if self.sides[0].value is not None:
            raise ValueError(f"{'more' if self.more else 'one'}: is a value; give it as the second side")
        return self

    @property
    def alike(self) -> bool:
        """Whether it says that two sides are alike."""
        return self.one is not None

    @property
    def sides(self) -> tuple[Side, Side]:
        """The two sides, the one that is above first."""
        first, second = (self.one, self.other) if self.alike else (self.more, self.less)
        assert first is not None
        assert second is not None
        return first, second


class Finding(Closed):
    """A study that answers one question: what was thought before it was run, and what its page shows."""

    question: Name
    """The question that the study answers."""
    hypothesis: Name
    """What is thought before the run, and why."""
    prediction: Name
    """What is predicted, in words, written before the run."""
    predictions: Annotated[tuple[Prediction, ...], Field(min_length=1)]
    """The same as pairs of sides, each of which gets a verdict."""
    figures: tuple[str, ...] = ()
    """Names of figures of the study that the page shows."""
    tables: tuple[str, ...] = ()
    """Names of tables of the study that the page shows."""
    mind: Name
    """What would change our mind."""
    attack: Names
    """What we would attack ourselves."""


class Page(Closed):
    """What the page of a finding is made from."""

    finding: Finding
    seeds: tuple[int, ...]
    bases: tuple[int, ...]
    """Seeds of the base models."""
    run: str
    """The command that makes the study."""
    predictions: Path
    """The table of this name, as CSV."""
    figures: dict[str, Path]
    """The words of each figure, by its name."""
    tables: dict[str, Path]
    """The Markdown of each table, by its name."""


class Explorer(Closed):
    """The page on which single questions are looked at."""

    questions: PositiveInt = 200
    """Number of test questions on the page: the first of each data set in whole groups, each data set the
    same share; browsers show the page inside the report up to 1.5 MB, beside it there is no limit."""


class ExploredMethod(Closed):
    """A method of the explorer."""

    name: str
    title: str
    role: Role


class ExploredRun(Closed):
    """A run of the explorer: the k that it was trained with, how its questions are written, and its files by
    their kind; a kind that was not measured is missing."""

    dataset: str
    method: str
    seed: int
    trained: int
    template: TemplateName
    files: dict[str, Path]


class Explored(Closed):
    """What the explorer is made from."""

    study: str
    description: str
    limit: int
    methods: tuple[ExploredMethod, ...]
    titles: dict[str, str]
    """Titles of the data sets."""
    questions: dict[str, Path]
    """The test questions of each data set."""
    runs: tuple[ExploredRun, ...]


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


class MapCell(Closed):
    """A row of the necessity map, at one number of layers and of hops. `against` is the method that holds the
    same positions without content, None for that method itself."""

    dataset: str
    hops: int
    layers: int
    width: int
    row: str
    method: str
    k: int
    against: str | None
    against_k: int


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
    trained: str = ""
    paper_dataset: str | None = None
    method: str = ""
    references: tuple[str, ...] = ()
    case: int = 0
    predictions: tuple[Prediction, ...] = ()
    map_cells: tuple[MapCell, ...] = ()
    content: str = ""
    width: int = 0

    @model_validator(mode="after")
    def _methods_have_base_models(self) -> Given:
        for key in ("rows", "points", "map_cells") if "bases" in self.model_fields_set else ():
            for row in getattr(self, key):
                if row.method not in self.bases:
                    raise ValueError(f"bases: {row.method} of {key} is missing")
        return self


class Arguments(Closed):
    """What a table or figure is made from (see `study.table_inputs`)."""

    files: dict[str, dict[str, Path]]
    """For each kind that it reads, files by the name of what they hold."""
    tables: dict[str, Path]
    """For each table that it is made from, its CSV file."""
    settings: Given
