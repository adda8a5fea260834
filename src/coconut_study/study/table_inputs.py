"""What the tables and figures of a study are made from: the files and settings that their records name.

Pure functions of the plan and of the wildcards in the name of a table or figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from coconut_study.questions.settings import Rewrites
from coconut_study.report.catalog import EXPLORED, TABLES, Record, Table
from coconut_study.report.settings import Role, Side
from coconut_study.sequences.methods import FED_BACK, Method
from coconut_study.study.plan import MEASURED, SPLITS, Plan
from coconut_study.study.runs import Ask, Run

Wildcards = Mapping[str, str]
Files = dict[str, str]  # paths by the name of what they hold

REFERENCES = ("no_cot", "cot")  # drawn below a sweep, as in the paper's figure


def names(plan: Plan, record: Record) -> dict[str, dict[str, str]]:
    """The names of a table's or figure's files, each with the values of its wildcards; none if the study has
    no runs for it."""
    if record.of == "comparison":
        values: list[dict[str, Any]] = [{"comparison": name} for name in plan.study.comparisons]
    elif record.of in ("finding", "necessity"):
        values = [{}] if getattr(plan.study, record.of) else []
    elif record.of == "following":
        values = [{}] if any(plan.rewrites(name) for name in plan.datasets) else []
    elif record.of == "asked":
        values = [{"trained": ask.run.dataset} for ask in plan.asks]
    elif record.of == "several_k":
        values = [{}] if any(len(ks) > 1 for ks in plan.asks.values()) else []
    elif record.of == "rewritten":
        values = [{}] if FILES[record.of](plan, {}) else []
    else:
        runs = plan.runs_of(plan.study.sweep) if record.of == "sweep" else plan.evaluated[record.of]
        values = [run._asdict() for run in runs]
    return {
        record.file.format(**one): {name: str(one[name]) for name in one if f"{{{name}}}" in record.file}
        for one in values
    }


def inputs(plan: Plan, record: Record, wildcards: Wildcards, paper: str) -> list[str]:
    """All files that must exist before a table or figure is made. `paper` is the file of the paper's
    numbers."""
    read = [path for files in _files(plan, record, wildcards, paper).values() for path in files.values()]
    last = plan.measured(plan.runs) if isinstance(record, Table) and record.last else []
    return [*_tables(plan, record, wildcards).values(), *read, *last]


def arguments(plan: Plan, record: Record, wildcards: Wildcards, paper: str) -> dict[str, Any]:
    """What the command that makes a table or figure is given (see `report.settings.Arguments`)."""
    return {
        "files": _files(plan, record, wildcards, paper),
        "tables": _tables(plan, record, wildcards),
        "settings": {name: SETTINGS[name](plan, wildcards) for name in record.needed},
    }


def _tables(plan: Plan, record: Record, wildcards: Wildcards) -> Files:
    paths = {name: TABLES[name].file.format(**wildcards) for name in record.tables}
    return {name: f"{plan.results}/tables/{file}.csv" for name, file in paths.items()}


def _files(plan: Plan, record: Record, wildcards: Wildcards, paper: str) -> dict[str, Files]:
    return {
        kind: {"paper": paper} if kind == "paper" else FILES[kind](plan, wildcards) for kind in record.reads
    }


def page(plan: Plan, run: str) -> dict[str, Any]:
    """What the command that writes the page of a finding is given (see `report.settings.Page`); `run` is the
    command that makes the study."""
    finding = plan.study.finding
    assert finding is not None
    return {
        "finding": finding.model_dump(exclude_none=True),
        "seeds": sorted({run.seed for run in plan.runs}),
        "bases": sorted({base.seed for base in plan.bases.values()}),
        "run": run,
        "predictions": f"{plan.results}/tables/predictions.csv",
        "figures": {name: f"{plan.results}/figures/{name}.txt" for name in finding.figures},
        "tables": {name: f"{plan.results}/tables/{name}.md" for name in finding.tables},
    }


def page_inputs(plan: Plan) -> list[str]:
    """All files that must exist before the page of a finding is written."""
    made = page(plan, "")
    return [made["predictions"], *made["figures"].values(), *made["tables"].values()]


def explored(plan: Plan) -> dict[str, Any]:
    """What the command that writes the explorer is given (see `report.settings.Explored`)."""
    role_of = roles(plan)
    measured = {kind: FILES[kind](plan, {}) for kind in EXPLORED}
    measured["responses"] = _named(plan.of_runs("responses.jsonl"), plan.runs)
    return {
        "study": plan.study.study,
        "description": plan.study.description,
        "limit": plan.study.explorer.questions,
        "methods": [
            {"name": name, "title": plan.titles[name], "role": role_of[name]} for name in plan.methods
        ],
        "titles": {name: plan.titles[name] for name in plan.datasets},
        "questions": {name: plan.questions(name, "test") for name in plan.datasets},
        "runs": [
            {
                **run._asdict(),
                "trained": plan.trained_k(run.dataset, run.method),
                "template": plan.study.text_of(run.method).template,
                "files": {
                    kind: files[run_name(run)] for kind, files in measured.items() if run_name(run) in files
                },
            }
            for run in plan.runs
        ],
    }


def explored_inputs(plan: Plan) -> list[str]:
    """All files that must exist before the explorer is written."""
    made = explored(plan)
    return [*made["questions"].values(), *(path for run in made["runs"] for path in run["files"].values())]


# ------------------------------------------------------------------------------------------------ files


def run_name(run: Run) -> str:
    """The name of a run: its folder below that of all runs."""
    return f"{run.dataset}/{run.method}/seed{run.seed}"


def _of_runs(rule: str) -> Callable[[Plan, Wildcards], Files]:
    """The file that `rule` leads to for each run that the wildcards allow."""

    def files(plan: Plan, wildcards: Wildcards) -> Files:
        runs = [run for run in plan.evaluated[rule] if _allowed(run, wildcards)]
        return _named(plan.of_runs(MEASURED[rule], runs), runs)

    return files


def _named(paths: list[str], runs: list[Run]) -> Files:
    """The path of each run by the name of the run."""
    return dict(zip(map(run_name, runs), paths, strict=True))


def _allowed(run: Run, wildcards: Wildcards) -> bool:
    return all(str(value) == wildcards.get(name, str(value)) for name, value in run._asdict().items())


def _shortcuts(plan: Plan, wildcards: Wildcards) -> Files:
    return {name: f"{plan.results}/data/{name}/shortcuts.csv" for name in plan.datasets}


def _statistics(plan: Plan, wildcards: Wildcards) -> Files:
    """Those of the data sets that runs are trained on, and of the test questions that they are asked
    besides."""
    splits = [(name, split) for name in plan.datasets for split in SPLITS]
    splits += [(name, "test") for name in plan.asked if name not in plan.datasets]
    return {
        f"{plan.study.datasets[name].title} ({split})": f"{plan.results}/data/{name}/{split}.csv"
        for name, split in splits
    }


def _histories(plan: Plan, wildcards: Wildcards) -> Files:
    return {
        plan.stage_name(run, spec): f"{plan.stage_folder(run, spec)}/history.csv"
        for run in plan.runs
        for spec in plan.chains[run]
    }


def _asked(plan: Plan, wildcards: Wildcards) -> Files:
    """The grades of runs that are asked the questions of other data sets, and what they answer to their
    own."""
    files: Files = {}
    for ask in plan.asks:
        own = ask._replace(asked=ask.run.dataset)
        if own not in plan.asks:
            (files[_ask_name(own)],) = plan.of_runs(MEASURED["respond"], [own.run])
        files[_ask_name(ask)] = plan.of_ask(ask)
    return files


def _ask_name(ask: Ask) -> str:
    return f"{run_name(ask.run)}/{ask.asked}"


def _rewritten(plan: Plan, wildcards: Wildcards) -> Files:
    """Those of runs that are asked rewrites."""
    return {
        _ask_name(ask): plan.of_ask(ask)
        for ask in plan.asks
        if isinstance(plan.study.datasets[ask.asked].questions.root, Rewrites)
    }


def _questions(plan: Plan, wildcards: Wildcards) -> Files:
    """The test questions of a data set."""
    name = wildcards["dataset"]
    return {name: plan.questions(name, "test")}


def _hops(plan: Plan, wildcards: Wildcards) -> Files:
    """The test questions of every data set that runs are asked, their own too."""
    names = dict.fromkeys(name.rpartition("/")[2] for name in _asked(plan, wildcards))
    return {name: plan.questions(name, "test") for name in names}


FILES: Mapping[str, Callable[[Plan, Wildcards], Files]] = {
    "grades": _of_runs("respond"),
    "clock": _of_runs("clock"),
    "ending": _of_runs("ending"),
    "values": _of_runs("probe"),
    "decoded": _of_runs("decode"),
    "interventions": _of_runs("intervene"),
    "tracing": _of_runs("trace"),
    "linear": _of_runs("linear"),
    "attention": _of_runs("attend"),
    "removal": _of_runs("remove"),
    "shortcuts": _shortcuts,
    "statistics": _statistics,
    "histories": _histories,
    "questions": _questions,
    "asked": _asked,
    "rewritten": _rewritten,
    "hops": _hops,
}

# --------------------------------------------------------------------------------------------- settings


def rows(plan: Plan) -> list[dict[str, Any]]:
    """The rows of the main table: every method at the number of thoughts that it was trained with, and what
    it is compared with in the paper."""
    return [
        {
            "dataset": dataset,
            "method": method,
            "k": plan.trained_k(dataset, method),
            "paper_dataset": plan.study.datasets[dataset].paper,
            "paper_method": plan.study.methods[method].paper,
        }
        for dataset, method in plan.cells
    ]


def stand_ins(plan: Plan) -> dict[str, Any]:
    """Our data sets and methods that stand for each of the paper's, the data sets with the paper's questions,
    the path of each method's model (None for a new one), and the k that each pair was trained with.

    The paper analyses a model that was trained with mixing, `coconut_mixed`. Where no method has this name,
    Coconut stands for it if it is trained with mixing itself.
    """
    study = plan.study
    methods = _by_paper(study.methods)
    mixed = [name for name in methods.get("coconut", ()) if study.training_of(name).mixing.probability > 0]
    return {
        "datasets": _by_paper(study.datasets),
        "methods": ({"coconut_mixed": mixed} if mixed else {}) | methods,
        "published": [name for name, dataset in study.datasets.items() if dataset.published],
        "models": {method: study.model_of(method).path for method in plan.methods},
        "trained": {f"{dataset} {method}": plan.trained_k(dataset, method) for dataset, method in plan.cells},
    }


def bases(plan: Plan) -> dict[str, dict[int, str]]:
    """The base model of every method and seed."""
    found: dict[str, dict[int, str]] = {}
    for run in plan.runs:
        found.setdefault(run.method, {})[run.seed] = plan.base_spec(run.method, run.seed).id
    return found


def _by_paper(ours: Mapping[str, Any]) -> dict[str, list[str]]:
    """From each name in the paper to ours that stand for it."""
    by_paper: dict[str, list[str]] = {}
    for name, one in ours.items():
        if one.paper is not None:
            by_paper.setdefault(one.paper, []).append(name)
    return by_paper


def runs(plan: Plan) -> list[dict[str, Any]]:
    """Every run with the names of its stages in training order."""
    return [
        {**run._asdict(), "stages": [plan.stage_name(run, spec) for spec in plan.chains[run]]}
        for run in plan.runs
    ]


def points(plan: Plan, name: str) -> list[dict[str, Any]]:
    """The points of a comparison: every labelled method at the number of thoughts that it was trained with,
    or at each number of the sweep if the comparison is over k."""
    comparison = plan.study.comparisons[name]
    return [
        {"dataset": dataset, "series": series, "label": label, "method": method, "k": k}
        for dataset in comparison.datasets
        for series, line in comparison.series.items()
        for label, method in line.items()
        for k in (plan.study.sweep.k if comparison.x == "k" else [plan.trained_k(dataset, method)])
    ]


def predictions(plan: Plan) -> list[dict[str, Any]]:
    """What the study predicts, each side with its number of thoughts."""
    given = plan.study.finding.predictions if plan.study.finding else ()
    return [
        {"claim": one.claim}
        | {
            name: side.model_dump() | {"k": _k(plan, side)}
            for name in ("more", "less", "one", "other")
            if (side := getattr(one, name)) is not None
        }
        for one in given
    ]


def _k(plan: Plan, side: Side) -> int | None:
    if side.k is not None or side.dataset is None or side.method is None:
        return side.k
    return plan.trained_k(side.dataset, side.method)


def map_cells(plan: Plan) -> list[dict[str, Any]]:
    """The rows of the necessity map at every number of layers and of hops, and the method that each is set
    against: the one with as many places without content in a model of the same shape."""
    if (necessity := plan.study.necessity) is None:
        return []

    def shape(method: str) -> tuple[int | None, int | None]:
        return plan.study.model_of(method).layers, plan.study.model_of(method).width

    done = plan.selected(necessity)
    against = {(dataset, shape(method)): method for dataset, method in done
               if method in necessity.rows[necessity.against]}  # fmt: skip
    return [
        {
            "dataset": dataset,
            "hops": plan.hops(dataset),
            "layers": shape(method)[0],
            "width": shape(method)[1],
            "row": row,
            "method": method,
            "k": plan.trained_k(dataset, method),
            "against": None if method == other else other,
            "against_k": plan.trained_k(dataset, other) if other else 0,
        }
        for row, methods in necessity.rows.items()
        for dataset, method in done
        if method in methods
        for other in [against.get((dataset, shape(method)))]
    ]


def planned(plan: Plan) -> list[dict[str, Any]]:
    """For every rule that uses a model: the most that a job may take, the hours of all jobs, their
    benchmarks."""
    return [
        {
            "rule": rule,
            "gpus": max(job.needs.gpus for job in jobs),
            "memory_mb": max(job.needs.memory_mb for job in jobs),
            "hours": sum(job.minutes / 60 for job in jobs),
            "benchmarks": [f"{rule}/{job.name}.tsv" for job in jobs],
        }
        for rule, jobs in plan.jobs.items()
    ]


def cells(plan: Plan) -> list[dict[str, Any]]:
    """For every data set and method, and every group of methods that share stages: the cards of the stages,
    and the benchmark and GPUs of every other job. Base models come last, without data set and method."""
    methods: dict[tuple[str, str], dict[str, None]] = {}  # by data set and card
    for run in plan.runs:
        for spec in plan.chains[run]:
            methods.setdefault((run.dataset, plan.stage_card(run, spec)), {})[run.method] = None
    cards: dict[tuple[str, tuple[str, ...]], list[str]] = {(d, (m,)): [] for d, m in plan.cells}
    for (dataset, card), sharing in methods.items():
        cards.setdefault((dataset, tuple(sharing)), []).append(card)
    rows = [
        {
            "dataset": dataset,
            "methods": list(sharing),
            "cards": paths,
            "jobs": _other_jobs(plan, dataset, sharing),
        }
        for (dataset, sharing), paths in cards.items()
    ]
    bases = [_measured_job(plan, "base", plan.base_name(base), None) for base in plan.bases.values()]
    return [*rows, {"dataset": None, "methods": [], "cards": [], "jobs": bases}]


def _other_jobs(plan: Plan, dataset: str, methods: tuple[str, ...]) -> list[tuple[str, int]]:
    """The jobs that evaluate the runs of one method; none for a group of methods."""
    jobs = [(rule, run, run_name(run)) for rule, runs in plan.evaluated.items() for run in runs]
    jobs += [("ask", run, f"{run_name(run)}/{asked}") for run, asked in plan.asks]
    return [
        _measured_job(plan, rule, name, dataset)
        for rule, run, name in jobs
        if run.dataset == dataset and (run.method,) == methods
    ]


def _measured_job(plan: Plan, rule: str, name: str, dataset: str | None) -> tuple[str, int]:
    """The benchmark file of a job, and its GPUs."""
    return f"{plan.benchmarks}/{rule}/{name}.tsv", plan.needs(rule, dataset).gpus


def roles(plan: Plan) -> dict[str, Role]:
    """What stands in place of the written steps of every method: it decides the method's colour. Without a
    curriculum nothing teaches thoughts what to hold."""
    return {name: _role(plan.study.methods[name]) for name in plan.methods}


def _role(method: Method) -> Role:
    if method.steps in ("kept", "removed"):
        return "written"
    return "thoughts" if method.steps == "staged" and method.thoughts in FED_BACK else "control"


SETTINGS: Mapping[str, Callable[[Plan, Wildcards], Any]] = {
    "titles": lambda plan, _: plan.titles,
    "roles": lambda plan, _: roles(plan),
    "rows": lambda plan, _: rows(plan),
    "worked": lambda plan, _: plan.study.tables.worked,
    "margin": lambda plan, _: plan.study.tables.margin,
    "bases": lambda plan, _: bases(plan),
    "stand_ins": lambda plan, _: stand_ins(plan),
    "runs": lambda plan, _: runs(plan),
    "predictions": lambda plan, _: predictions(plan),
    "map_cells": lambda plan, _: map_cells(plan),
    "content": lambda plan, _: plan.study.necessity.thoughts if plan.study.necessity else "",
    "width": lambda plan, _: plan.study.model.width or 0,
    "planned": lambda plan, _: planned(plan),
    "benchmarks": lambda plan, _: plan.benchmarks,
    "cells": lambda plan, _: cells(plan),
    "points": lambda plan, wildcards: points(plan, wildcards["comparison"]),
    "x": lambda plan, wildcards: plan.study.comparisons[wildcards["comparison"]].x,
    "xlabel": lambda plan, wildcards: plan.study.comparisons[wildcards["comparison"]].xlabel,
    "dataset": lambda plan, wildcards: wildcards["dataset"],
    "trained": lambda plan, wildcards: wildcards["trained"],
    "paper_dataset": lambda plan, wildcards: plan.study.datasets[wildcards["dataset"]].paper,
    "method": lambda plan, wildcards: wildcards["method"],
    "references": lambda plan, _: REFERENCES,
    "case": lambda plan, _: plan.study.probing and plan.study.probing.case,
}
