"""What a study runs: its runs, the stages and base models that they need, and how they are evaluated.

Pure: computed from the settings alone, without reading a file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from coconut_study.evaluation.settings import GenerationSpec
from coconut_study.questions.settings import Derived
from coconut_study.sequences.methods import Layout, Method, Schedule
from coconut_study.study.definition import Study
from coconut_study.study.settings import Selection
from coconut_study.training.settings import BaseSpec, DrawnThoughts, Mixing, StageSpec, Training


class Run(NamedTuple):
    """One method, trained on one data set with one seed."""

    dataset: str
    method: str
    seed: int


class Ask(NamedTuple):
    """A trained run, and a data set whose test questions it is asked."""

    run: Run
    asked: str


@dataclass(frozen=True)
class Runs:
    """The runs of a valid study."""

    study: Study

    # ---------------------------------------------------------------------------------------------- runs

    @cached_property
    def runs(self) -> list[Run]:
        """Every run once, in the order of the file."""
        return list(
            dict.fromkeys(
                Run(dataset, method, seed)
                for grid in self.study.runs
                for dataset in grid.datasets
                for method in grid.methods
                for seed in grid.seeds
            )
        )

    @cached_property
    def cells(self) -> list[tuple[str, str]]:
        """(dataset, method) of the runs, each once."""
        return list(dict.fromkeys((run.dataset, run.method) for run in self.runs))

    @cached_property
    def datasets(self) -> list[str]:
        """The data sets of the runs, each once."""
        return list(dict.fromkeys(run.dataset for run in self.runs))

    @cached_property
    def methods(self) -> list[str]:
        """The methods of the runs, each once."""
        return list(dict.fromkeys(run.method for run in self.runs))

    def hops(self, dataset: str) -> int | None:
        """The number of steps of the questions of a data set; None if it is not a single known one."""
        hops = getattr(self.study.datasets[dataset].questions.root, "hops", None)
        return hops[0] if isinstance(hops, tuple) and hops[0] == hops[1] else None

    @cached_property
    def titles(self) -> dict[str, str]:
        """The title of every data set and method, by name."""
        titles = {name: dataset.title for name, dataset in self.study.datasets.items()}
        return titles | {name: method.title for name, method in self.study.methods.items()}

    @cached_property
    def parts(self) -> dict[str, list[Run]]:
        """The runs of every data set, method and seed; keys are dataset_NAME, method_NAME and seed_NUMBER."""
        parts: dict[str, list[Run]] = {}
        for run in self.runs:
            for kind, value in run._asdict().items():
                parts.setdefault(f"{kind}_{value}", []).append(run)
        return parts

    def lineage(self, method: str) -> list[str]:
        """The methods whose stages a run of `method` goes through, in training order; the last is its own."""
        names = [method]
        while (start := self.study.methods[names[0]].start) is not None:
            names.insert(0, start)
        return names

    @cached_property
    def trained(self) -> list[tuple[str, str]]:
        """(dataset, method) of all that is trained: of the runs, and of the methods that they start from."""
        return list(
            dict.fromkeys((dataset, name) for dataset, method in self.cells for name in self.lineage(method))
        )

    def selected(self, selection: Selection | None) -> list[tuple[str, str]]:
        """(dataset, method) of the runs that an experiment selects; none if the study leaves it out."""
        if selection is None:
            return []
        datasets = getattr(selection, "datasets", None) or self.study.datasets
        return [(d, m) for d, m in self.cells if d in datasets and m in selection.methods]

    def runs_of(self, selection: Selection | None) -> list[Run]:
        """The runs that an experiment selects; none if the study leaves it out."""
        selected = self.selected(selection)
        return [run for run in self.runs if run[:2] in selected]

    def question_settings(self, dataset: str) -> dict[str, Any]:
        """The settings of the questions of a data set, as its card holds them: with those of the data set
        that it is made of, if it is made of another."""
        own: dict[str, Any] = self.study.datasets[dataset].questions.model_dump(mode="json")
        return own | {"of": self.question_settings(self.derived[dataset])} if dataset in self.derived else own

    @cached_property
    def derived(self) -> dict[str, str]:
        """The data sets that are made from the test questions of another, and that data set."""
        return {
            name: dataset.questions.root.of
            for name, dataset in self.study.datasets.items()
            if isinstance(dataset.questions.root, Derived)
        }

    # ------------------------------------------------------------------------------------------ training

    def base_spec(self, method: str, seed: int) -> BaseSpec:
        """All that determines the base model of a run; the seeds of the runs take the base seeds in turn."""
        seeds = list(dict.fromkeys(run.seed for run in self.runs))
        base_seeds = self.study.base_seeds
        return BaseSpec(
            model=self.study.model_of(method),
            text=self.study.text_of(method),
            seed=base_seeds[seeds.index(seed) % len(base_seeds)],
        )

    def chain(self, dataset: str, method: str, seed: int) -> list[StageSpec]:
        """The stages of a run in training order, including those of the methods that it starts from.

        Runs that agree on a stage have equal specs for it.
        """
        specs: list[StageSpec] = []
        for name in self.lineage(method):
            specs += self._stages(dataset, name, seed, specs[-1].id if specs else None)
        return specs

    def _stages(self, dataset: str, method: str, seed: int, parent: str | None) -> list[StageSpec]:
        schedule, row = self.study.schedule_of(dataset, method), self.study.methods[method]
        training = self.study.training_of(method)
        stages = row.plan(schedule)
        questions = self.study.datasets[dataset].questions.model_dump(mode="json")
        base, following = self.base_spec(method, seed), self.study.datasets[dataset].following
        specs: list[StageSpec] = []
        before = 0.0
        for stage, epochs in stages:
            mixed = _mixed(row, schedule, stage, training.mixing)
            layouts = (row.layout(schedule, stage), *mixed)
            specs.append(
                StageSpec(
                    questions=questions,
                    following=self.question_settings(following) if following else None,
                    base=base,
                    training=training if mixed else _unmixed(training),
                    layout=layouts[0],
                    removal=schedule.removal if row.steps == "removed" else None,
                    mixed=mixed,
                    extra=_extra(schedule, layouts),
                    targets=row.targets if any(one.hidden is not None for one in layouts) else "path",
                    thought_loss=row.thought_loss if any(one.thoughts for one in layouts) else None,
                    stage=stage,
                    seed=seed,
                    epochs=epochs,
                    epochs_before=before,
                    epochs_in_all=sum(epochs for _, epochs in stages),
                    keep=training.keep if stage == stages[-1][0] else "last",
                    evaluation=self.study.responding_of(dataset),
                    parent=specs[-1].id if specs else parent,
                )
            )
            before += epochs
        return specs

    @cached_property
    def chains(self) -> dict[Run, list[StageSpec]]:
        """The stages of every run, in training order."""
        return {run: self.chain(*run) for run in self.runs}

    @cached_property
    def stages(self) -> dict[str, StageSpec]:
        """Every stage once, by its id: runs that agree on a stage share it."""
        return {spec.id: spec for chain in self.chains.values() for spec in chain}

    @cached_property
    def bases(self) -> dict[str, BaseSpec]:
        """Every base model once, by its id."""
        return {spec.base.id: spec.base for spec in self.stages.values()}

    # ---------------------------------------------------------------------------------------- evaluation

    def trained_k(self, dataset: str, method: str) -> int:
        """The number of thoughts that a run ends its training with."""
        return self.study.methods[method].final_layout(self.study.schedule_of(dataset, method)).thoughts

    def ks(self, rule: str, run: Run) -> set[int]:
        """The numbers of thoughts with which a rule evaluates a trained run.

        They are those of the sweep and the number the run was trained with to respond, all up to that number
        to end, those that the study lists to probe, and the number alone to time or to decode.
        """
        trained = self.trained_k(run.dataset, run.method)
        if rule == "respond":
            swept = run[:2] in self.selected(self.study.sweep)
            return {trained, *self.study.sweep.k} if swept else {trained}
        if rule == "ending":
            return set(range(trained + 1))
        if rule == "probe" and self.study.probing:
            return set(self.study.probing.k)
        return {trained}

    def generation_spec(self, run: Run, rule: str = "respond") -> GenerationSpec:
        """All that determines what a trained run generates when a rule evaluates it."""
        schedule = self.study.schedule_of(run.dataset, run.method)
        final = self.study.methods[run.method].final_layout(schedule)
        return GenerationSpec(
            run=run._asdict(),
            text=self.study.text_of(run.method),
            layouts=tuple(final.with_thoughts(k, schedule.c) for k in sorted(self.ks(rule, run))),
            responding=self.study.responding_of(run.dataset),
        )

    @cached_property
    def asks(self) -> dict[Ask, set[int]]:
        """The runs that are asked the questions of other data sets, and with which numbers of thoughts: the
        number that they were trained with, and others if the method has thoughts."""
        asks: dict[Ask, set[int]] = {}
        for transfer in self.study.transfer:
            for run in self.runs:
                if (
                    run.dataset in transfer.trained
                    and run.method in transfer.methods
                    and run.seed in (transfer.seeds or (run.seed,))
                ):
                    others = transfer.k if self.study.methods[run.method].thoughts != "none" else None
                    ks = {self.trained_k(run.dataset, run.method), *(others or ())}
                    for asked in transfer.asked:
                        asks.setdefault(Ask(run, asked), set()).update(ks)
        return asks

    @cached_property
    def asked(self) -> list[str]:
        """The data sets whose questions runs are asked in transfer, each once."""
        return list(dict.fromkeys(asked for _, asked in self.asks))

    def ask_spec(self, ask: Ask) -> GenerationSpec:
        """All that determines what a trained run generates when it is asked the questions of a data set."""
        run, asked = ask
        schedule = self.study.schedule_of(run.dataset, run.method)
        final = self.study.methods[run.method].final_layout(schedule)
        return GenerationSpec(
            run=run._replace(dataset=asked)._asdict(),
            text=self.study.text_of(run.method),
            layouts=tuple(final.with_thoughts(k, schedule.c) for k in sorted(self.asks[ask])),
            responding=self.study.responding_of(asked),
            more_thoughts=max(self.asks[ask]) > final.thoughts,
        )

    @cached_property
    def evaluated(self) -> dict[str, list[Run]]:
        """For each rule that evaluates trained runs, the runs that it evaluates."""
        return {
            "respond": self.runs,
            "clock": self.runs_of(self.study.clock),
            "ending": self.runs_of(self.study.ending),
            "probe": self.runs_of(self.study.probing),
            "decode": self.runs_of(self.study.decoding),
            "intervene": self.runs_of(self.study.interventions),
            "trace": self.runs_of(self.study.tracing),
            "linear": self.runs_of(self.study.linear),
            "attend": self.runs_of(self.study.attention),
            "remove": self.runs_of(self.study.removal),
        }


def _mixed(method: Method, schedule: Schedule, stage: int, mixing: Mixing) -> tuple[Layout, ...]:
    if method.steps != "staged" or mixing.probability == 0:
        return ()
    stages = range(stage) if mixing.stages == "earlier" else range(schedule.stages + 1)
    if mixing.weight == "rising" and stage:
        stages = range(stage + 1)
    return tuple(method.layout(schedule, other) for other in stages)


def _extra(schedule: Schedule, layouts: Iterable[Layout]) -> DrawnThoughts | None:
    """How thoughts vary in a stage; None if no question has any."""
    if schedule.extra is None or not any(layout.thoughts for layout in layouts):
        return None
    return DrawnThoughts(c=schedule.c, **schedule.extra.model_dump())


def _unmixed(training: Training) -> Training:
    """Training settings without mixing: stages that mix nothing in are the same whatever its probability."""
    return training.model_copy(update={"mixing": Mixing(probability=0, stages="earlier")})
