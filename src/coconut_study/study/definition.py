"""A study as one object: every key known, every contradiction found before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, ValidationError, model_validator

from coconut_study.common.errors import StudyError, explain, known
from coconut_study.common.settings import Closed, merged, overlaid
from coconut_study.evaluation.settings import Asking, Clock, Decoding, Ending, Grading, Probing, Responding
from coconut_study.report.settings import Tables
from coconut_study.sequences.methods import Layout, Method, Schedule, TextSettings
from coconut_study.study import checks
from coconut_study.study.settings import Comparison, Dataset, Grid, Machine, Needs, Sweep
from coconut_study.training.settings import Basing, Mixing, Model, StageSpec, Training

Run = tuple[str, str, int]


class Study(Closed):
    """A whole study, as one YAML file describes it."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", description="names the results folder")]
    description: str
    datasets: dict[str, Dataset]
    methods: dict[str, Method]
    text: TextSettings
    model: Model
    base_seeds: Annotated[
        tuple[NonNegativeInt, ...],
        Field(min_length=1, description="one base model each; the seeds take them in turn"),
    ]
    training: Training
    responding: Responding
    grading: Grading
    tables: Tables
    machine: Machine
    runs: Annotated[tuple[Grid, ...], Field(min_length=1)]
    sweep: Sweep
    comparisons: Annotated[dict[str, Comparison], Field(default_factory=dict)]
    clock: Clock | None = None
    ending: Ending | None = None
    probing: Probing | None = None
    decoding: Decoding | None = None

    # ------------------------------------------------------------------------------------------- checks

    @model_validator(mode="before")
    @classmethod
    def _variations(cls, settings: Any) -> Any:
        """A method with `like: other` has the other's settings but for those it states."""
        if not isinstance(settings, Mapping) or not isinstance(settings.get("methods"), Mapping):
            return settings
        methods = settings["methods"]
        wrong = [line for name in methods for line in checks.refusal(_written_out, name, methods)]
        if wrong:
            raise ValueError("\n".join(dict.fromkeys(wrong)))
        return {**settings, "methods": {name: _written_out(name, methods) for name in methods}}

    @model_validator(mode="before")
    @classmethod
    def _left_out(cls, settings: Any) -> Any:
        """A comparison that a second file sets to null is left out."""
        if not isinstance(settings, Mapping) or not isinstance(settings.get("comparisons"), Mapping):
            return settings
        kept = {name: one for name, one in settings["comparisons"].items() if one is not None}
        return {**settings, "comparisons": kept}

    @model_validator(mode="after")
    def _fits_together(self) -> Study:
        if wrong := checks.mistakes(self):
            raise ValueError("\n".join(wrong))
        return self

    # ------------------------------------------------------------------------------- what is to be done

    def run_keys(self) -> Iterator[Run]:
        """(dataset, method, seed) of every run, each once, in the order of the file."""
        yield from dict.fromkeys(
            (dataset, method, seed)
            for grid in self.runs
            for dataset in grid.datasets
            for method in grid.methods
            for seed in grid.seeds
        )

    def methods_run(self) -> list[str]:
        """The methods of the runs, each once."""
        return list(dict.fromkeys(method for _, method, _ in self.run_keys()))

    def datasets_run(self) -> list[str]:
        """The data sets of the runs, each once."""
        return list(dict.fromkeys(dataset for dataset, _, _ in self.run_keys()))

    def lineage(self, method: str) -> list[str]:
        """The methods a run goes through: those it starts from, and its own."""
        names = [method]
        while (start := self.methods[names[0]].start) is not None:
            names.insert(0, start)
        return names

    def trained(self) -> list[tuple[str, str]]:
        """(dataset, method) of all that is trained: the runs, and what they start from."""
        runs = self.run_keys()
        return list(dict.fromkeys((dataset, name) for dataset, m, _ in runs for name in self.lineage(m)))

    def selected(
        self, selection: Clock | Ending | Probing | Decoding | Sweep | None
    ) -> list[tuple[str, str]]:
        """(dataset, method) of the runs that an experiment is about."""
        if selection is None:
            return []
        datasets = getattr(selection, "datasets", None) or self.datasets
        done = dict.fromkeys((dataset, method) for dataset, method, _ in self.run_keys())
        return [(d, m) for d, m in done if d in datasets and m in selection.methods]

    def needs(self, rule: str, dataset: str | None = None) -> Needs:
        """What a job of a rule needs, on a data set where it works on one."""
        own = self.datasets[dataset].machine.needs(rule) if dataset else None
        found = own or self.machine.needs(rule)
        assert found is not None
        return found

    def training_of(self, method: str) -> Training:
        """The training settings with the method's own laid over them."""
        return overlaid(self.training, self.methods[method].training, f"methods.{method}.training")

    def schedule_of(self, dataset: str, method: str) -> Schedule:
        """The dataset's schedule with the method's own laid over it."""
        own = self.methods[method].schedule
        return overlaid(self.datasets[dataset].schedule, own, f"methods.{method}.schedule")

    def model_of(self, method: str) -> Model:
        """The base model with the method's own settings laid over it."""
        return overlaid(self.model, self.methods[method].model, f"methods.{method}.model")

    def basing(self, method: str, seed: int) -> Basing:
        """All that determines the base model of a run; the study's seeds take the base seeds in turn."""
        seeds = list(dict.fromkeys(seed for _, _, seed in self.run_keys()))
        base_seed = self.base_seeds[seeds.index(seed) % len(self.base_seeds)]
        return Basing(model=self.model_of(method), text=self.text, seed=base_seed)

    def trained_k(self, dataset: str, method: str) -> int:
        """The number of thoughts a run ends its training with."""
        return self.methods[method].final_layout(self.schedule_of(dataset, method)).thoughts

    def asking(self, dataset: str, method: str, seed: int, ks: tuple[int, ...] | None = None) -> Asking:
        """How a finished run is asked: with `ks`, or its own number of thoughts and those of the sweep."""
        schedule = self.schedule_of(dataset, method)
        final = self.methods[method].final_layout(schedule)
        swept = self.sweep.k if (dataset, method) in self.selected(self.sweep) else ()
        asked = sorted({*swept, final.thoughts} if ks is None else {*ks})
        return Asking(
            run={"dataset": dataset, "method": method, "seed": seed},
            text=self.text,
            layouts=tuple(final.with_thoughts(k, schedule.c) for k in asked),
            responding=self.responding,
        )

    def chain(self, dataset: str, method: str, seed: int) -> list[StageSpec]:
        """The stages of a run in training order, those it starts from included.

        Runs that agree on a stage have equal specs for it.
        """
        specs: list[StageSpec] = []
        for name in self.lineage(method):
            specs += self._stages(dataset, name, seed, specs[-1].id if specs else None)
        return specs

    def _stages(self, dataset: str, method: str, seed: int, parent: str | None) -> list[StageSpec]:
        schedule, row = self.schedule_of(dataset, method), self.methods[method]
        training = self.training_of(method)
        plan = row.plan(schedule)
        questions = self.datasets[dataset].questions.model_dump(mode="json")
        base = self.basing(method, seed)
        specs: list[StageSpec] = []
        before = 0.0
        for stage, epochs in plan:
            mixed = _mixed(row, schedule, stage, training.mixing)
            specs.append(
                StageSpec(
                    questions=questions,
                    base=base,
                    training=training if mixed else _unmixed(training),
                    layout=row.layout(schedule, stage),
                    removal=schedule.removal if row.steps == "removed" else None,
                    mixed=mixed,
                    stage=stage,
                    seed=seed,
                    epochs=epochs,
                    epochs_before=before,
                    epochs_in_all=sum(epochs for _, epochs in plan),
                    keep=training.keep if stage == plan[-1][0] else "last",
                    evaluation=self.responding,
                    parent=specs[-1].id if specs else parent,
                )
            )
            before += epochs
        return specs


def _written_out(name: str, methods: Mapping[str, Any], seen: tuple[str, ...] = ()) -> Any:
    """A method with the settings of the one it is like; the other's paper row stays the other's."""
    method = methods[name]
    if not isinstance(method, Mapping) or "like" not in method:
        return method
    other = str(method["like"])
    if other in (*seen, name):
        raise ValueError(f"methods.{name}.like: goes round in a circle")
    known(f"methods.{name}.like", (other,), methods)
    model = _written_out(other, methods, (*seen, name))
    if not isinstance(model, Mapping):
        raise ValueError(f"methods.{other}: is no mapping of settings (it is {model!r})")
    own = {key: value for key, value in method.items() if key != "like"}
    return merged({key: value for key, value in model.items() if key != "paper"}, own)


def _mixed(method: Method, schedule: Schedule, stage: int, mixing: Mixing) -> tuple[Layout, ...]:
    if method.steps != "staged" or mixing.probability == 0:
        return ()
    stages = range(stage) if mixing.stages == "earlier" else range(schedule.stages + 1)
    return tuple(method.layout(schedule, other) for other in stages)


def _unmixed(training: Training) -> Training:
    """Training settings where nothing is mixed in, so that the probability tells no two stages apart."""
    return training.model_copy(update={"mixing": Mixing(probability=0, stages="earlier")})


def read_study(settings: Mapping[str, Any], paper: Mapping[str, Any] | None = None) -> Study:
    """The study that `settings` (read from YAML) describe; StudyError names the key and what is allowed.

    `paper` has the names of the paper's rows and data sets, where they are to be checked too.
    """
    try:
        study = Study.model_validate(dict(settings))
        wrong = checks.papers(study, paper) if paper is not None else []
    except ValidationError as error:
        wrong = explain(error, Study)
    if wrong:
        raise StudyError("\n".join(f"study: {line}" for line in wrong))
    return study
