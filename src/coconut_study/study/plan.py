"""The plan of a study: its runs, where their results lie, and what their jobs need.

Pure: computed from the settings alone, without reading a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from coconut_study.common.settings import short_id
from coconut_study.questions.settings import Files, Source
from coconut_study.study.runs import Ask, Run, Runs
from coconut_study.study.settings import Needs
from coconut_study.training.settings import BaseSpec, StageSpec

SPLITS = ("train", "valid", "test")
# The rules that evaluate a trained run, and the file in the folder of the run that each of them leads to.
MEASURED = {
    "respond": "grades.csv",
    "clock": "clock.csv",
    "ending": "ending.csv",
    "probe": "values.csv",
    "decode": "decoded.csv",
    "intervene": "interventions.csv",
    "trace": "tracing.csv",
    "linear": "linear.csv",
    "attend": "attention.csv",
    "remove": "removal.csv",
}


class Job(NamedTuple):
    """One job of a rule that uses a model."""

    rule: str
    name: str  # its log and its benchmark are <rule>/<name>
    dataset: str | None
    needs: Needs
    minutes: float  # that it may take


@dataclass(frozen=True)
class Plan(Runs):
    """The plan of a valid study. Paths are relative to the working directory of the workflow."""

    # -------------------------------------------------------------------------------------------- places

    @property
    def results(self) -> str:
        """The folder of the results."""
        return f"results/{self.study.study}"

    @property
    def benchmarks(self) -> str:
        """The folder of the benchmarks that Snakemake writes."""
        return f"benchmarks/{self.study.study}"

    @property
    def logs(self) -> str:
        """The folder of the logs."""
        return f"logs/{self.study.study}"

    def base_name(self, base: BaseSpec) -> str:
        """A base model: its path below the folders of base models and of their logs and benchmarks."""
        return f"seed{base.seed}-{base.id}"

    def base_folder(self, base: BaseSpec) -> str:
        """The folder of a base model."""
        return f"{self.results}/base/{self.base_name(base)}"

    def stage_name(self, run: Run, spec: StageSpec) -> str:
        """A stage of a run: its path below the folders of stages and of their logs and benchmarks."""
        dataset, _, seed = run
        return f"{dataset}/seed{seed}/stage{spec.stage}-{spec.id}"

    def stage_folder(self, run: Run, spec: StageSpec) -> str:
        """The folder of a stage of a run."""
        return f"{self.results}/stages/{self.stage_name(run, spec)}"

    @cached_property
    def earlier(self) -> frozenset[str]:
        """The ids of the stages that no run ends with. Only the stages that follow use their checkpoints."""
        last = {chain[-1].id for chain in self.chains.values()}
        return frozenset(self.stages.keys() - last)

    @cached_property
    def removed(self) -> frozenset[str]:
        """The ids of the stages whose checkpoints are removed when the stages that follow are done."""
        return self.earlier if self.study.machine.keep == "last" else frozenset()

    def stage_card(self, run: Run, spec: StageSpec) -> str:
        """The card of a stage of a run: in its checkpoint, or beside its history if that is removed."""
        folder = self.stage_folder(run, spec)
        return f"{folder}/card.json" if spec.id in self.removed else f"{folder}/checkpoint/card.json"

    def saved_cards(self, runs: Iterable[Run]) -> list[str]:
        """The cards of the stages of some runs whose checkpoints are removed."""
        cards = [
            self.stage_card(run, spec) for run in runs for spec in self.chains[run] if spec.id in self.removed
        ]
        return list(dict.fromkeys(cards))

    def parent_folder(self, run: Run, spec: StageSpec) -> str:
        """The checkpoint that a stage of a run starts from: the stage before it, or the base model."""
        if spec.parent is None:
            return self.base_folder(spec.base)
        return f"{self.stage_folder(run, self.stages[spec.parent])}/checkpoint"

    def last_checkpoint(self, run: Run) -> str:
        """The checkpoint that a run ends its training with."""
        return f"{self.stage_folder(run, self.chains[run][-1])}/checkpoint"

    def questions(self, dataset: str, split: str) -> str:
        """The question file of a split of a data set."""
        return f"{self.results}/data/{dataset}/{split}.jsonl"

    def card(self, dataset: str) -> str:
        """The card of the questions of a data set."""
        return f"{self.results}/data/{dataset}/card.json"

    @cached_property
    def used(self) -> list[str]:
        """The data sets that runs are trained on or asked about, and those that these are made of."""
        used = [*self.datasets, *self.asked]
        used += [one for name in self.datasets if (one := self.study.datasets[name].following)]
        return list(dict.fromkeys([*used, *(self.derived[name] for name in used if name in self.derived)]))

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The settings of the questions of every data set, by an id that stands for them."""
        return {
            short_id(dataset.questions.root): dataset.questions for dataset in self.study.datasets.values()
        }

    def shards(self, dataset: str) -> list[str]:
        """The files of the parts in which a data set is drawn; none if it is drawn in one."""
        source = self.study.datasets[dataset].questions.root
        n_shards = getattr(source, "shards", 1)
        return [
            f"{self.results}/data/{dataset}/shards-{short_id(source)}/{number}.jsonl"
            for number in (range(n_shards) if n_shards > 1 else ())
        ]

    def source_files(self, dataset: str) -> list[str]:
        """The files that a data set is read from; none if it is generated or loaded from the hub."""
        source = self.study.datasets[dataset].questions.root
        return [getattr(source, split).path for split in SPLITS] if isinstance(source, Files) else []

    def rewrites(self, dataset: str) -> list[str]:
        """The file of the rewrites that the runs on a data set are asked after every epoch, and its card."""
        following = self.study.datasets[dataset].following
        return [self.questions(following, "test"), self.card(following)] if following else []

    def vocabulary(self, base: BaseSpec) -> list[str]:
        """The question files that a new model learns its words from; none for a pretrained model."""
        return [self.questions(name, "train") for name in self.datasets] if base.model.architecture else []

    def vocabulary_cards(self, base: BaseSpec) -> list[str]:
        """The card of each of these question files."""
        return [self.card(name) for name in self.datasets] if base.model.architecture else []

    def of_runs(self, name: str, runs: Iterable[Run] | None = None) -> list[str]:
        """The file `name` in the folder of every run, or of some."""
        return [
            f"{self.results}/runs/{dataset}/{method}/seed{seed}/{name}"
            for dataset, method, seed in (self.runs if runs is None else runs)
        ]

    def of_ask(self, ask: Ask) -> str:
        """The grades of a run that is asked the questions of another data set."""
        (path,) = self.of_runs(f"asked/{ask.asked}/grades.csv", [ask.run])
        return path

    def measured(self, runs: Iterable[Run]) -> list[str]:
        """All files that the study measures of some runs, with the cards of stages that are removed."""
        wanted = set(runs)
        own = [
            path
            for rule, name in MEASURED.items()
            for path in self.of_runs(name, [run for run in self.evaluated[rule] if run in wanted])
        ]
        asked = [self.of_ask(ask) for ask in self.asks if ask.run in wanted]
        return [*own, *asked, *self.saved_cards(run for run in self.runs if run in wanted)]

    # -------------------------------------------------------------------------------------------- costs

    @cached_property
    def kept(self) -> list[dict[str, Any]]:
        """For each model the checkpoints of the study (see `training.disk.Kept`): of base models, of stages
        by the value of `machine.keep`, and how many of these hold the state of the optimizer, too."""
        models = list(dict.fromkeys(base.model.model_dump_json() for base in self.bases.values()))
        return [
            {
                "model": json.loads(model),
                "bases": sum(base.model.model_dump_json() == model for base in self.bases.values()),
                "all": self._counts(model, self.stages),
                "last": self._counts(model, self.stages.keys() - self.earlier),
            }
            for model in models
        ]

    def _counts(self, model: str, ids: Iterable[str]) -> tuple[int, int]:
        """How many stages there are of a model, and how many checkpoints of these hold the optimizer."""
        specs = [spec for id in ids if (spec := self.stages[id]).base.model.model_dump_json() == model]
        return len(specs), sum(spec.training.reset_optimizer == "never" for spec in specs)

    def needs(self, rule: str, dataset: str | None = None) -> Needs:
        """What a job of a rule needs of the machine, on a data set if it works on one."""
        own = self.study.datasets[dataset].machine.needs(rule) if dataset else None
        needs = own or self.study.machine.needs(rule)
        assert needs is not None
        return needs

    def training_minutes(self, dataset: str, spec: StageSpec) -> float:
        """What a stage may take; the study gives the minutes of an epoch."""
        return self.needs("train", dataset).minutes * max(spec.epochs, 1)

    @cached_property
    def minutes_ahead(self) -> dict[str, float]:
        """What training may take from the start of a stage or base model, by its id, to the end of the last
        run that goes through it. The longest chain decides when a study ends, so it is trained first."""
        ahead: dict[str, float] = {}
        for run, chain in self.chains.items():
            minutes = 0.0
            for spec in reversed(chain):
                minutes += self.training_minutes(run.dataset, spec)
                ahead[spec.id] = max(minutes, ahead.get(spec.id, 0.0))
            base = chain[0].base.id
            ahead[base] = max(minutes + self.needs("base").minutes, ahead.get(base, 0.0))
        return ahead

    @cached_property
    def jobs(self) -> dict[str, list[Job]]:
        """The jobs of every rule that uses a model and has jobs, in the order in which they run."""
        trained = {
            self.stage_name(run, spec): (run.dataset, spec) for run in self.runs for spec in self.chains[run]
        }
        jobs = [self._job("base", self.base_name(base)) for base in self.bases.values()]
        jobs += [
            self._job("train", name, dataset)._replace(minutes=self.training_minutes(dataset, spec))
            for name, (dataset, spec) in trained.items()
        ]
        jobs += [
            self._job(rule, f"{run.dataset}/{run.method}/seed{run.seed}", run.dataset)
            for rule, runs in self.evaluated.items()
            for run in runs
        ]
        jobs += [
            self._job("ask", f"{run.dataset}/{run.method}/seed{run.seed}/{asked}", run.dataset)
            for run, asked in self.asks
        ]
        by_rule: dict[str, list[Job]] = {}
        for job in jobs:
            by_rule.setdefault(job.rule, []).append(job)
        return by_rule

    def _job(self, rule: str, name: str, dataset: str | None = None) -> Job:
        needs = self.needs(rule, dataset)
        return Job(rule, name, dataset, needs, needs.minutes)
