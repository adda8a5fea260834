"""The tables and figures of the report, one record each.

A record says what a table or figure is made from and which module makes it. The commands `table` and `figure`
follow it, and `workflow/rules/report.smk` makes a rule of it. To add a table, write a record here, its
functions in the module that it names, and its caption in `workflow/report/NAME.rst`.

| field      | what it holds                                                                                |
|------------|----------------------------------------------------------------------------------------------|
| `module`   | the module of this package that makes it: the function `NAME` computes a table (or draws a    |
|            | figure), and the function `format_NAME` gives a table as text                                 |
| `chapter`  | where the report shows it                                                                    |
| `tables`   | the tables that it is made from; the function takes them first                                |
| `reads`    | the kinds of files that it is made from, each read by a function of `report.inputs`; the      |
|            | function takes them after the tables                                                         |
| `settings` | the arguments that the function takes by keyword; `study.table_inputs` computes them          |
| `of`       | the study has it for the runs of this rule or experiment, and not if there are none           |
| `parts`    | the part of a file's name after NAME; it has a file for each value of these wildcards         |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from coconut_study.common import provenance
from coconut_study.common.errors import StudyError, hint
from coconut_study.common.files import file_hash

SPAN = ("mean", "low", "high")


class Chapter(StrEnum):
    """The chapters of the report, in order."""

    RESULT = "1 Main result"
    THOUGHTS = "2 Number of thoughts"
    INSIDE = "3 Inside a thought"
    NEEDED = "4 Do thoughts matter"
    LEARNING = "5 Learning"
    QUESTIONS = "6 Questions"
    COST = "7 Cost"
    SINGLE = "8 Single questions"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What tables and figures have in common."""

    name: str
    chapter: Chapter = field(repr=False)  # of the report; it shapes no file
    title: str  # in the report; wildcards in braces
    module: str
    tables: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    of: str = "respond"
    parts: str = ""

    @property
    def kind(self) -> str:
        """The command that makes it: table or figure."""
        return type(self).__name__.lower()

    @property
    def file(self) -> str:
        """The name of its files, without suffix and with wildcards in braces."""
        return f"{self.name}-{self.parts}" if self.parts else self.name

    @property
    def rule(self) -> str:
        """The rule that makes it."""
        return f"{self.kind}_{self.name}"

    @property
    def log(self) -> str:
        """The path of its logs and benchmarks below their folders, without suffix."""
        return f"{self.rule}/{self.parts}" if self.parts else self.rule

    @property
    def needed(self) -> tuple[str, ...]:
        """The settings that the command needs to make it."""
        return self.settings

    @property
    def targets(self) -> tuple[str, ...]:
        """The command, readers and module that make it, as `provenance.code` takes them."""
        readers = ["table"] * bool(self.tables) + list(self.reads)
        return (
            f"report.commands:{self.kind}",
            *(f"report.inputs:{reader}" for reader in readers),
            f"report.{self.module}",
        )

    def code(self) -> str:
        """Sixteen hexadecimal digits that stand for the code that makes it and for this record."""
        parts = [repr(self), *map(provenance.code, self.targets)]
        return sha256("\n".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Table(Record):
    """A table: NAME.csv with numbers and, if it has a format, NAME.md, NAME.tex and NAME.html."""

    columns: tuple[str, ...]  # of the CSV file; () if the study determines them
    format_settings: tuple[str, ...] | None = ("titles",)  # of `format_NAME`; None: no format, CSV alone
    last: bool = False  # made after everything that the study measures, although it does not read it

    @property
    def needed(self) -> tuple[str, ...]:
        """The settings that the command needs to make and to format it."""
        return tuple(dict.fromkeys([*self.settings, *(self.format_settings or ())]))

    def code(self) -> str:
        """Sixteen hexadecimal digits that also stand for the script of its page, if it has one."""
        if self.format_settings is None:
            return super().code()
        script = file_hash(Path(__file__).with_name("table.js"))
        return sha256(f"{super().code()}\n{script}".encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Figure(Record):
    """A figure: NAME.svg, NAME.pdf, NAME.png, NAME-dark.png, and its words in NAME.txt."""

    def code(self) -> str:
        """Sixteen hexadecimal digits that also stand for the style files."""
        look = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.mplstyle"))]
        return sha256("\n".join([super().code(), *look]).encode()).hexdigest()[:16]


# The kinds of tables that the explorer shows of a run, and the function of `report.inputs` that reads each.
EXPLORED: Mapping[str, str] = {
    "grades": "graded",
    "values": "values",
    "decoded": "decoded",
    "interventions": "interventions",
}


def explorer_code() -> str:
    """Sixteen hexadecimal digits that stand for the code of the explorer, and for the files of its page."""
    readers = (f"report.inputs:{name}" for name in ("questions", "responses", *EXPLORED.values()))
    parts = map(provenance.code, ("report.commands:explorer", *readers))
    here = Path(__file__).parent
    files = [path for pattern in ("web/**/*", "fonts/*", "*.mplstyle") for path in sorted(here.glob(pattern))]
    look = [file_hash(path) for path in files if path.is_file()]
    return sha256("\n".join([*parts, *look]).encode()).hexdigest()[:16]


def _named(*records: Any) -> dict[str, Any]:
    return {record.name: record for record in records}


TABLES: Mapping[str, Table] = _named(
    Table(
        name="main",
        chapter=Chapter.RESULT,
        title="accuracy and tokens, beside the paper's",
        module="results",
        reads=("grades", "interventions", "shortcuts", "paper"),
        settings=("rows", "worked", "bases"),
        columns=(
            "dataset", "method", "seeds", "bases", "worked", "accuracy", "low", "high", "value", "tokens",
            "necessity", "necessity low", "necessity high", "without thoughts",
            "paper accuracy", "paper sd", "paper tokens",
        ),
    ),
    Table(
        name="seeds",
        chapter=Chapter.RESULT,
        title="right answers of every run",
        module="results",
        reads=("grades",),
        settings=("rows",),
        columns=("dataset", "method", "seed", "k", "accuracy", "tokens"),
    ),
    Table(
        name="sweep",
        chapter=Chapter.THOUGHTS,
        title="right answers and outcomes by number of thoughts",
        module="results",
        reads=("grades",),
        settings=("bases",),
        columns=("dataset", "method", "k", "measure", *SPAN, "n"),
    ),
    Table(
        name="sweep_seeds",
        chapter=Chapter.THOUGHTS,
        title="right answers and outcomes of every run by number of thoughts",
        module="results",
        reads=("grades",),
        columns=(
            "dataset", "method", "seed", "k", "right answer", "correct label", "correct path", "longer path",
            "wrong target", "hallucination", "incorrect label",
        ),
        format_settings=None,
    ),
    Table(
        name="claims",
        chapter=Chapter.RESULT,
        title="claim by claim: what this study decides",
        module="claims",
        reads=("grades", "clock", "ending", "values", "interventions", "shortcuts", "paper"),
        settings=("stand_ins", "margin", "bases"),
        columns=(
            "claim", "reference", "dataset", "methods", "null", "tested", "paper", "unit", "margin", "seeds",
            "units", "groups", "difference", "low", "high", "p", "adjusted", "p within", "verdict", "note",
        ),
    ),
    Table(
        name="data",
        chapter=Chapter.QUESTIONS,
        title="the questions, beside the published ones",
        module="data",
        reads=("statistics", "paper"),
        columns=(),
        format_settings=(),
    ),
    Table(
        name="learning",
        chapter=Chapter.LEARNING,
        title="validation accuracy after every epoch",
        module="learning",
        reads=("histories",),
        settings=("runs",),
        columns=("dataset", "method", "stage", "epoch", "seen", *SPAN, "n", "loss"),
        format_settings=None,
    ),
    Table(
        name="following_epochs",
        chapter=Chapter.LEARNING,
        title="answers that move with a changed fact, after every epoch",
        module="learning",
        reads=("histories",),
        settings=("runs",),
        of="following",
        columns=("dataset", "method", "stage", "epoch", "seen", *SPAN, "n", "accuracy"),
        format_settings=None,
    ),
    Table(
        name="stages",
        chapter=Chapter.LEARNING,
        title="right answers at both ends of every stage",
        module="learning",
        tables=("learning",),
        columns=(
            "dataset", "method", "stage", "first mean", "first low", "first high",
            "last mean", "last low", "last high", "n",
        ),
    ),
    Table(
        name="costs",
        chapter=Chapter.COST,
        title="jobs, memory and hours, planned and measured",
        module="costs",
        settings=("planned", "benchmarks"),
        columns=(
            "rule", "gpus", "memory_mb", "hours", "jobs",
            "measured jobs", "measured memory", "measured hours",
        ),
        format_settings=(),
        last=True,
    ),
    Table(
        name="spent",
        chapter=Chapter.COST,
        title="hours and energy of every data set and method",
        module="costs",
        settings=("cells",),
        columns=(
            "dataset", "methods", "stages", "training hours", "training GPU-hours", "training kWh",
            "other jobs", "other hours", "other GPU-hours", "not measured",
        ),
        last=True,
    ),
    Table(
        name="comparison",
        chapter=Chapter.RESULT,
        title="experiment: {comparison}",
        module="results",
        reads=("grades",),
        settings=("points", "bases"),
        of="comparison",
        parts="{comparison}",
        columns=(
            "dataset", "series", "label", "method", "k", *SPAN, "n", "tokens",
            "difference", "difference low", "difference high",
        ),
    ),
    Table(
        name="necessity",
        chapter=Chapter.NEEDED,
        title="right answers at every number of layers and hops",
        module="necessity",
        reads=("grades",),
        settings=("map_cells", "margin", "bases"),
        of="necessity",
        columns=(
            "dataset", "hops", "layers", "width", "row", "method", *SPAN, "n",
            "difference", "difference low", "difference high", "p", "adjusted", "margin", "verdict",
        ),
    ),
    Table(
        name="predictions",
        chapter=Chapter.RESULT,
        title="what was predicted before the run, and what became of it",
        module="predictions",
        reads=("grades", "asked"),
        settings=("predictions", "margin", "bases"),
        of="finding",
        columns=(
            "claim", "first", "second", "difference", "low", "high", "units", "p", "adjusted", "p within",
            "margin", "verdict", "note",
        ),
        format_settings=(),
    ),
    Table(
        name="transfer",
        chapter=Chapter.QUESTIONS,
        title="right answers to the questions of other data sets",
        module="transfer",
        reads=("asked", "hops"),
        settings=("bases",),
        of="asked",
        columns=("trained", "asked", "method", "k", "steps", "questions", *SPAN, "n", "null"),
    ),
    Table(
        name="transfer_seeds",
        chapter=Chapter.QUESTIONS,
        title="right answers of every run to the questions of other data sets",
        module="transfer",
        reads=("asked", "hops"),
        of="asked",
        columns=("trained", "asked", "method", "k", "steps", "seed", "right answer"),
        format_settings=None,
    ),
    Table(
        name="sufficient",
        chapter=Chapter.QUESTIONS,
        title="how many thoughts suffice",
        module="transfer",
        tables=("transfer_seeds",),
        settings=("worked",),
        of="several_k",
        columns=("trained", "asked", "method", "steps", "seed", "first k", "last k", "worked", "k"),
    ),
    Table(
        name="following",
        chapter=Chapter.QUESTIONS,
        title="answers that move with a changed fact",
        module="transfer",
        reads=("rewritten",),
        settings=("bases",),
        of="rewritten",
        columns=("trained", "asked", "method", "k", "accuracy", "rewrites", "questions", *SPAN, "n"),
    ),
    Table(
        name="clock",
        chapter=Chapter.COST,
        title="seconds per question, beside the paper's",
        module="costs",
        reads=("clock", "paper"),
        settings=("rows",),
        of="clock",
        columns=("dataset", "method", "batch size", *SPAN, "n", "paper seconds", "device"),
    ),
    Table(
        name="ending",
        chapter=Chapter.THOUGHTS,
        title="when thoughts end: a fixed number, or a classifier",
        module="thoughts",
        reads=("ending",),
        settings=("bases",),
        of="ending",
        columns=("dataset", "method", "way", *SPAN, "n", "thoughts"),
    ),
    Table(
        name="parallelism",
        chapter=Chapter.INSIDE,
        title="value that the best candidates hold",
        module="candidates",
        reads=("values",),
        of="probe",
        columns=("dataset", "method", "k", "top", "percentile", "value", "uniform", "seeds"),
    ),
    Table(
        name="best",
        chapter=Chapter.INSIDE,
        title="value of the best candidate, at equal numbers of candidates",
        module="contrasts",
        reads=("values",),
        settings=("bases",),
        of="probe",
        columns=(
            "dataset", "method", "k", "frontier", "size", "questions", *SPAN, "n", "uniform", "total",
        ),
    ),
    Table(
        name="contrasts",
        chapter=Chapter.INSIDE,
        title="what values tell within questions",
        module="contrasts",
        reads=("values",),
        settings=("bases",),
        of="probe",
        columns=(
            "dataset", "method", "k", "frontier", "measure", "questions", *SPAN, "n", "null",
        ),
    ),
    Table(
        name="values_seeds",
        chapter=Chapter.INSIDE,
        title="what values tell, of every run",
        module="contrasts",
        reads=("values",),
        of="probe",
        columns=("dataset", "method", "seed", "k", "frontier", "measure", "size", "value"),
        format_settings=None,
    ),
    Table(
        name="heights",
        chapter=Chapter.INSIDE,
        title="value of correct and incorrect candidates by height",
        module="candidates",
        reads=("values",),
        settings=("bases",),
        of="probe",
        columns=(
            "dataset", "method", "k", "frontier", "height", "correct", "value", *SPAN, "n",
            "candidates", "questions",
        ),
    ),
    Table(
        name="tracing",
        chapter=Chapter.NEEDED,
        title="where the answer sits: restored states, by layer and place",
        module="tracing",
        reads=("tracing",),
        settings=("bases", "margin"),
        of="trace",
        columns=("dataset", "method", "layer", "place", "questions", "clean", "corrupt", *SPAN, "n"),
    ),
    Table(
        name="interventions",
        chapter=Chapter.NEEDED,
        title="answers with other thoughts",
        module="interventions",
        reads=("interventions",),
        settings=("bases",),
        of="intervene",
        columns=(
            "dataset", "method", "thoughts", "content", "part", "later", "measure", "questions", *SPAN, "n",
            "ignored", "decided",
        ),
    ),
    Table(
        name="interventions_seeds",
        chapter=Chapter.NEEDED,
        title="answers with other thoughts, of every run",
        module="interventions",
        reads=("interventions",),
        of="intervene",
        columns=(
            "dataset", "method", "seed", "thoughts", "content", "part", "later", "forced choice", "escape",
            "flips", "right answers",
        ),
        format_settings=None,
    ),
    Table(
        name="linear",
        chapter=Chapter.INSIDE,
        title="what is read off states with linear maps",
        module="linear",
        reads=("linear",),
        settings=("bases",),
        of="linear",
        columns=(
            "dataset", "method", "model", "thoughts", "label", "nodes", *SPAN, "n",
            "selectivity", "selectivity low", "selectivity high",
        ),
    ),
    Table(
        name="attention",
        chapter=Chapter.INSIDE,
        title="what thoughts attend to",
        module="attention",
        reads=("attention",),
        settings=("bases",),
        of="attend",
        columns=("dataset", "method", "model", "layer", "thought", "heads", "measure", *SPAN, "n"),
    ),
    Table(
        name="removal",
        chapter=Chapter.NEEDED,
        title="a readable direction removed from a thought",
        module="removal",
        reads=("removal",),
        settings=("bases", "margin"),
        of="remove",
        columns=(
            "dataset", "method", "thought", "removed", "questions", *SPAN, "n",
            "p", "adjusted", "p within", "margin", "verdict",
        ),
    ),
    Table(
        name="decoded",
        chapter=Chapter.INSIDE,
        title="thoughts read as words",
        module="thoughts",
        reads=("decoded",),
        of="decode",
        columns=("dataset", "method", "seed", "question", "thought", "rank", "token", "probability"),
    ),
)  # fmt: skip

FIGURES: Mapping[str, Figure] = _named(
    Figure(
        name="accuracy",
        chapter=Chapter.RESULT,
        title="right answers of every method: {dataset}",
        module="figures.accuracy",
        tables=("main", "seeds"),
        reads=("paper",),
        settings=("titles", "roles", "dataset", "paper_dataset"),
        parts="{dataset}",
    ),
    Figure(
        name="sweep",
        chapter=Chapter.THOUGHTS,
        title="right answers and outcomes by number of thoughts: {dataset}, {method}",
        module="figures.sweep",
        tables=("sweep", "sweep_seeds", "main"),
        settings=("titles", "roles", "dataset", "method", "references"),
        of="sweep",
        parts="{dataset}-{method}",
    ),
    Figure(
        name="values",
        chapter=Chapter.INSIDE,
        title="what the values of candidates tell: {dataset}",
        module="figures.values",
        tables=("best", "contrasts", "values_seeds"),
        settings=("titles", "roles", "dataset"),
        of="probe",
        parts="{dataset}",
    ),
    Figure(
        name="tracing",
        chapter=Chapter.NEEDED,
        title="where the answer sits, by layer and place: {dataset}",
        module="figures.tracing",
        tables=("tracing",),
        settings=("titles", "roles", "dataset"),
        of="trace",
        parts="{dataset}",
    ),
    Figure(
        name="tree",
        chapter=Chapter.INSIDE,
        title="latent search tree: {dataset}, {method}",
        module="figures.tree",
        reads=("values", "questions"),
        settings=("titles", "roles", "method", "case"),
        of="probe",
        parts="{dataset}-{method}",
    ),
    Figure(
        name="interventions",
        chapter=Chapter.NEEDED,
        title="do thoughts matter: {dataset}",
        module="figures.interventions",
        tables=("interventions", "interventions_seeds"),
        settings=("titles", "roles", "dataset"),
        of="intervene",
        parts="{dataset}",
    ),
    Figure(
        name="comparison",
        chapter=Chapter.RESULT,
        title="experiment: {comparison}",
        module="figures.comparison",
        tables=("comparison", "sweep_seeds", "main"),
        settings=("titles", "roles", "x", "xlabel"),
        of="comparison",
        parts="{comparison}",
    ),
    Figure(
        name="necessity",
        chapter=Chapter.NEEDED,
        title="where thoughts need content: layers and hops",
        module="figures.necessity",
        tables=("necessity", "seeds"),
        settings=("roles", "content", "width"),
        of="necessity",
    ),
    Figure(
        name="transfer",
        chapter=Chapter.QUESTIONS,
        title="right answers to the questions of other data sets: trained on {trained}",
        module="figures.transfer",
        tables=("transfer", "transfer_seeds"),
        settings=("titles", "roles", "rows", "trained"),
        of="asked",
        parts="{trained}",
    ),
    Figure(
        name="learning",
        chapter=Chapter.LEARNING,
        title="learning curves over the stages: {dataset}",
        module="figures.learning",
        tables=("learning", "stages", "main"),
        settings=("titles", "roles", "dataset"),
        parts="{dataset}",
    ),
)

Kind = TypeVar("Kind", bound=Record)


def find(records: Mapping[str, Kind], name: str) -> Kind:
    """The record of this name; StudyError if there is none."""
    if name not in records:
        raise StudyError(f"{name} is not in the catalog{hint(name, records)}")
    return records[name]


def labels(record: Record) -> dict[str, str]:
    """What the report shows beside a table or figure, which it sorts by: figures come before tables."""
    known = [*FIGURES.values(), *(table for table in TABLES.values() if table.format_settings is not None)]
    order = [one for one in known if one.chapter == record.chapter]
    return {"result": f"{order.index(record) + 1:>2} {record.title}", "kind": record.kind}


def function(module: str, name: str) -> Callable[..., Any]:
    """A function of a module of this package. The digest of its code is in `Record.code`."""
    made: Callable[..., Any] = getattr(import_module(f"coconut_study.report.{module}"), name)
    return made
