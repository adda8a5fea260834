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

    worked: Annotated[
        float, Field(ge=0, le=100, description="right answers (%) from which a seed counts as worked")
    ]
    margin: Annotated[
        float,
        Field(gt=0, le=50, description="smaller differences (percentage points) count as no difference"),
    ]


class Side(Closed):
    """One side of a prediction: what is measured of a data set and method, or a `value`."""

    dataset: str | None = None
    method: str | None = None
    k: Annotated[int | None, Field(description="thoughts at inference; null for as many as trained with")] = (
        None
    )
    asked: Annotated[
        str | None, Field(description="the data set whose questions it is asked; null for its own")
    ] = None
    measure: Annotated[
        Literal["right answers", "following"],
        Field(description="following: of the answers to rewritten questions, the right ones that move"),
    ] = "right answers"
    value: Annotated[float | None, Field(description="a number in place of a measurement")] = None

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
    more: Side | None = None
    less: Side | None = None
    one: Side | None = None
    other: Side | None = None

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
    hypothesis: Name
    prediction: Annotated[Name, Field(description="in words, written before the run")]
    predictions: Annotated[tuple[Prediction, ...], Field(min_length=1, description="the same, for verdicts")]
    figures: Annotated[tuple[str, ...], Field(description="names of figures that the page shows")] = ()
    tables: Annotated[tuple[str, ...], Field(description="names of tables that the page shows")] = ()
    mind: Annotated[Name, Field(description="what would change our mind")]
    attack: Annotated[Names, Field(description="what we would attack ourselves")]


class Page(Closed):
    """What the page of a finding is made from."""

    finding: Finding
    seeds: tuple[int, ...]
    bases: Annotated[tuple[int, ...], Field(description="seeds of the base models")]
    run: Annotated[str, Field(description="the command that makes the study")]
    predictions: Annotated[Path, Field(description="the table of this name, as CSV")]
    figures: Annotated[dict[str, Path], Field(description="the words of each figure, by its name")]
    tables: Annotated[dict[str, Path], Field(description="the Markdown of each table, by its name")]


class Explorer(Closed):
    """The page on which single questions are looked at."""

    questions: Annotated[
        PositiveInt,
        Field(description="test questions on the page, the first of each data set; all get the same share"),
    ] = 200


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
    titles: Annotated[dict[str, str], Field(description="of the data sets")]
    questions: Annotated[dict[str, Path], Field(description="the test questions of each data set")]
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

    files: Annotated[
        dict[str, dict[str, Path]],
        Field(description="for each kind that it reads, files by the name of what they hold"),
    ]
    tables: Annotated[dict[str, Path], Field(description="for each table that it is made from, its CSV file")]
    settings: Given
