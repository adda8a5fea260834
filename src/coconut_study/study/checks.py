"""What must fit together in a study: every contradiction is one sentence, found before anything runs.

A check is given the plan of a study and yields its mistakes. Checks run in turns: a later turn looks up names
that an earlier one has checked. No file is read, except the configurations of models in local folders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from math import inf
from typing import Any
from unicodedata import normalize

from coconut_study.common.errors import undefined
from coconut_study.evaluation.conditions import kind_of
from coconut_study.questions.settings import (
    Arithmetic,
    Balanced,
    Derived,
    Existing,
    Files,
    Generated,
    Hub,
    Prontoqa,
    Prosqa,
    Rewrites,
)
from coconut_study.report.catalog import FIGURES, TABLES
from coconut_study.sequences.methods import FED_BACK
from coconut_study.study import table_inputs
from coconut_study.study.definition import Study
from coconut_study.study.plan import SPLITS, Plan
from coconut_study.study.runs import Ask
from coconut_study.study.settings import Dataset

Check = Callable[[Plan], Iterator[str]]

LONGEST_NAME = 60  # bytes of a name; that of a figure has two, and file systems allow 255 in all
INSPECTIONS = ("tracing", "linear", "attention", "removal")  # of graph questions
EXPERIMENTS = (
    "necessity", "sweep", "clock", "ending", "probing", "decoding", "interventions", *INSPECTIONS,
)  # fmt: skip


def mistakes(plan: Plan) -> list[str]:
    """One sentence per mistake, from the first turn that finds any; each sentence once."""
    for turn in TURNS:
        if sentences := dict.fromkeys(sentence for check in turn for sentence in check(plan)):
            return [*sentences]
    return []


# ------------------------------------------------------------------------------------------------ names


def _selections_exist(plan: Plan) -> Iterator[str]:
    study = plan.study
    selections: dict[str, Any] = {f"runs.{number}": grid for number, grid in enumerate(study.runs)}
    selections |= {name: getattr(study, name) for name in EXPERIMENTS}
    selections |= {f"comparisons.{name}": one for name, one in study.comparisons.items()}
    for key, selection in selections.items():
        yield from undefined(f"{key}.datasets", getattr(selection, "datasets", None) or (), study.datasets)
        yield from undefined(f"{key}.methods", getattr(selection, "methods", ()), study.methods)
    for number, transfer in enumerate(study.transfer):
        for key, names, defined in (
            ("trained", transfer.trained, study.datasets),
            ("asked", transfer.asked, study.datasets),
            ("methods", transfer.methods, study.methods),
        ):
            yield from undefined(f"transfer.{number}.{key}", names, defined)
    for name, other in plan.derived.items():
        yield from undefined(f"datasets.{name}.questions.of", (other,), study.datasets)
        if other in plan.derived:
            yield f"datasets.{name}.questions.of: {other} is made of other questions itself; name its source"
    for name, dataset in study.datasets.items():
        if (following := dataset.following) is not None:
            yield from undefined(f"datasets.{name}.following", (following,), study.datasets)
            if following in study.datasets and not isinstance(
                study.datasets[following].questions.root, Rewrites
            ):
                yield f"datasets.{name}.following: {following} has no rewrites (source: rewrites)"
    for number, prediction in enumerate(study.finding.predictions if study.finding else ()):
        for side in prediction.sides:
            key = f"finding.predictions.{number}"
            yield from undefined(f"{key}.dataset", (side.dataset,) if side.dataset else (), study.datasets)
            yield from undefined(f"{key}.method", (side.method,) if side.method else (), study.methods)


def _starts_exist(plan: Plan) -> Iterator[str]:
    study = plan.study
    for name in study.methods:
        seen = [name]
        while (start := study.methods[seen[-1]].start) is not None:
            key = f"methods.{seen[-1]}.start"
            if wrong := [*undefined(key, (start,), study.methods)]:
                yield from wrong
                break
            if start in seen:
                yield f"{key}: leads back to its own method"
                break
            seen.append(start)


def _names_fit_paths(plan: Plan) -> Iterator[str]:
    for section in ("datasets", "methods", "comparisons"):
        for name in getattr(plan.study, section):
            if not name.replace("_", "").replace("-", "").isalnum():
                yield f"{section}.{name}: use only letters, digits, - and _"
            if len(name.encode(errors="replace")) > LONGEST_NAME:
                yield f"{section}.{name[:20]}...: use at most {LONGEST_NAME} letters"


def _names_are_apart(plan: Plan) -> Iterator[str]:
    """Names differ also where file systems ignore case, and so do a data set and a method joined by -, as in
    the names of figures."""
    study = plan.study
    for section in ("datasets", "methods", "comparisons"):
        for first, other in _same((name,) for name in getattr(study, section)):
            yield f"{section}.{other[0]}: differs from {first[0]} only in the form of letters; rename it"
    for first, other in _same(product(study.datasets, study.methods)):
        one, two = (" on ".join(reversed(pair)) for pair in (first, other))
        yield f"datasets.{other[0]}: figures of {two} would have the names of those of {one}; rename it"


def _same(names: Iterable[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Pairs of names that are the same, joined by -, to a file system that ignores case."""
    seen: dict[str, tuple[str, ...]] = {}
    for name in names:
        first = seen.setdefault(normalize("NFKC", "-".join(name)).casefold(), name)
        if first != name:
            yield first, name


def _paths_are_not_patterns(plan: Plan) -> Iterator[str]:
    """Snakemake reads braces in the path of a file as a wildcard."""
    for name in plan.study.datasets:
        for split, path in zip(SPLITS, plan.source_files(name), strict=False):
            if "{" in path or "}" in path:
                key = f"datasets.{name}.questions.{split}.path"
                yield f"{key}: rename {path}; Snakemake reads braces as wildcards"


def _machine_is_known(plan: Plan) -> Iterator[str]:
    study = plan.study
    if study.machine.default is None:
        yield "machine.default: is missing"
    for name, dataset in study.datasets.items():
        for key in sorted({"save_minutes", "jobs_per_gpu", "keep"} & dataset.machine.model_fields_set):
            yield f"datasets.{name}.machine.{key}: applies to all data sets; set it under machine"


def _names_are_used_once(plan: Plan) -> Iterator[str]:
    study = plan.study
    for key in ("title", "paper"):
        seen: dict[str, str] = {}
        for method in plan.methods:
            name = getattr(study.methods[method], key)
            if name in seen:
                yield f"methods.{method}.{key}: {name} is already the {key} of {seen[name]}"
            seen |= {name: method} if name is not None else {}
    for name in study.datasets.keys() & study.methods.keys():
        yield f"datasets.{name}: is also the name of a method; rename one of them"


def papers(study: Study, names: Mapping[str, Any]) -> list[str]:
    """A sentence for every `paper` key of data sets and methods that is not one of `names`."""
    rows = {f"{section}.{name}.paper": row.paper for section in ("datasets", "methods")
            for name, row in getattr(study, section).items() if row.paper is not None}  # fmt: skip
    return [sentence for key, paper in rows.items() for sentence in undefined(key, (paper,), names)]


# --------------------------------------------------------------------------------------------- overlays


def _overlays_are_settings(plan: Plan) -> Iterator[str]:
    study = plan.study
    for method in study.methods:
        yield from messages_of(study.training_of, method)
        yield from messages_of(study.model_of, method)
        yield from messages_of(study.text_of, method)
    for dataset in study.datasets:
        yield from messages_of(study.responding_of, dataset)


def _published_questions_are_the_papers(plan: Plan) -> Iterator[str]:
    """Published questions stand for a data set of the paper, and nobody draws them."""
    for name, dataset in plan.study.datasets.items():
        if dataset.published and (dataset.paper is None or not isinstance(dataset.questions.root, Existing)):
            yield (
                f"datasets.{name}.published: is for questions of the paper, from files or the hub, "
                "with the name of its data set under paper"
            )


def _schedules_fit_data_sets(plan: Plan) -> Iterator[str]:
    """The schedule of a method fits every data set it is trained on, or one if it is trained on none."""
    study = plan.study
    trained = plan.trained
    for method in study.methods:
        scheduled = [
            name for name, one in study.datasets.items() if one.schedule is not None or name in plan.datasets
        ]
        wrong = {dataset: messages_of(study.schedule_of, dataset, method) for dataset in scheduled}
        for dataset in scheduled:
            if (dataset, method) in trained or all(wrong.values()):
                yield from wrong[dataset]


def messages_of(call: Callable[..., Any], *arguments: Any) -> list[str]:
    """The lines of the ValueError that a call raises; empty if it raises none."""
    try:
        call(*arguments)
    except ValueError as error:
        return str(error).splitlines()
    return []


# ------------------------------------------------------------------------------------ methods and models


def _starts_have_the_same_model(plan: Plan) -> Iterator[str]:
    """A run continues with the model of the run it starts from, to which it may add LoRA adapters."""
    study = plan.study
    for method in plan.methods:
        own = study.model_of(method)
        for start in plan.lineage(method)[:-1]:
            initial = study.model_of(start)
            if own not in (initial, initial.model_copy(update={"lora": initial.lora or own.lora})):
                yield f"methods.{method}.model: differs from the model of {start}, from which it starts"


def _removal_is_for_methods_that_remove(plan: Plan) -> Iterator[str]:
    study = plan.study
    for dataset, method in plan.trained:
        removes = study.methods[method].steps == "removed"
        if study.training_of(method).reset_optimizer == "removal" and not removes:
            yield f"methods.{method}: reset_optimizer: removal is for methods with steps: removed"
        if removes and study.schedule_of(dataset, method).removal is None:
            yield (
                f"datasets.{dataset}.schedule.removal: is missing; {method} needs to know how fast written "
                "steps are removed"
            )


def _mixing_has_stages_to_mix(plan: Plan) -> Iterator[str]:
    """A method that sets mixing itself has other stages to mix in."""
    study = plan.study
    for dataset, method in plan.trained:
        row = study.methods[method]
        mixes = "mixing" in row.training and study.training_of(method).mixing.probability > 0
        if mixes and (row.steps != "staged" or study.schedule_of(dataset, method).last_stage == 0):
            yield f"methods.{method}.training.mixing: {method} has no other stages to mix in; leave it out"


def _processes_have_work(plan: Plan) -> Iterator[str]:
    """Every GPU of a run gets a part of every batch, unless the model is sharded."""
    for dataset, method in plan.trained:
        gpus, training = plan.needs("train", dataset).gpus, plan.study.training_of(method)
        size = training.micro_batch_size or -(-training.batch_size // max(gpus, 1))
        if (parts := -(-training.batch_size // size)) < gpus and training.sharding == "none":
            yield (
                f"machine.train.gpus: {gpus} GPUs share the {parts} parts of a batch of {method} on "
                f"{dataset} (batch_size: {training.batch_size}, micro_batch_size: {size}); use {parts} or "
                "fewer GPUs, or smaller parts"
            )


def _positions_suffice(plan: Plan) -> Iterator[str]:
    """A question of one token, the most thoughts and the longest answer fit into the positions of the model.

    How long the questions are is known, and checked again, in training.
    """
    for run in plan.runs:
        room, spec = plan.study.model_of(run.method).positions, plan.generation_spec(run)
        longest, written = spec.layouts[-1], spec.responding.max_new_tokens
        if room is not None and 1 + longest.places + 2 * longest.markers + written > room:
            yield (
                f"responding.max_new_tokens: {written} written tokens, {longest.places} thoughts and a "
                f"question exceed the {room} positions of the model of {run.method} on {run.dataset}"
            )


# ------------------------------------------------------------------------------------------- experiments


def _thoughts_are_there(plan: Plan) -> Iterator[str]:
    """Experiments use no more thoughts than a run was trained with, and thoughts of the right kind. A looped
    model may respond after any number of loops."""
    study = plan.study
    for method in study.sweep.methods:
        if study.methods[method].thoughts == "none":
            yield f"sweep.methods: {method} has no thoughts to vary"
    for method in study.probing.methods if study.probing else ():
        if study.methods[method].thoughts == "none":
            yield f"probing.methods: {method} has no thoughts to probe"
        if study.methods[method].thoughts == "loops":
            yield (
                f"probing.methods: {method} has loops, which have no places in the sequence that could be "
                "probed; leave it out"
            )
    for name in ("ending", "decoding"):
        for method in getattr(getattr(study, name), "methods", ()):
            if study.methods[method].thoughts not in FED_BACK:
                yield f"{name}.methods: {method} has no continuous thoughts"
    for name in ("sweep", "probing"):
        selection = getattr(study, name)
        for (dataset, method), k in product(plan.selected(selection), getattr(selection, "k", ())):
            trained = plan.trained_k(dataset, method)
            if k > trained and study.methods[method].thoughts != "loops":
                yield (
                    f"{name}.k: {k} exceeds the {trained} thoughts of {method} on {dataset}; "
                    f"use {trained} or less"
                )


def _interventions_have_something_to_replace(plan: Plan) -> Iterator[str]:
    study = plan.study
    if (interventions := study.interventions) is None:
        return
    for method in interventions.necessity:
        if method not in interventions.methods:
            yield f"interventions.necessity: {method} is not one of interventions.methods"
    for dataset, method in plan.selected(interventions):
        if kind_of(study.methods[method].final_layout(study.schedule_of(dataset, method))) is None:
            yield (
                f"interventions.methods: {method} on {dataset} has neither thoughts nor written steps that "
                "could be replaced; leave it out"
            )
    for name in interventions.datasets:
        if _is_text(study.datasets[name]):
            yield f"interventions.datasets: {name} has no graph questions, whose options are compared"


def _inspections_have_something_to_see(plan: Plan) -> Iterator[str]:
    """Runs that are looked into have graph questions, and what is looked at."""
    study = plan.study
    for key in INSPECTIONS:
        if (inspection := getattr(study, key)) is None:
            continue
        for name in inspection.datasets:
            if _is_text(study.datasets[name]):
                yield f"{key}.datasets: {name} has no graph questions"
        for method in inspection.methods:
            if fault := _unseen(key, study.methods[method].thoughts):
                yield f"{key}.methods: {method} {fault}"


def _unseen(key: str, thoughts: str) -> str | None:
    """Why an inspection has nothing to see of a method with these thoughts; None if it has."""
    if key == "tracing":
        loops = thoughts == "loops"
        return "reads every question several times, so a place has no one state" if loops else None
    if key == "removal":
        return None if thoughts == "continuous" else "has no continuous thoughts"
    return None if thoughts in (*FED_BACK, "pause") else "has neither thoughts nor pauses"


def _transfer_is_run(plan: Plan) -> Iterator[str]:
    """The runs of a transfer have its seeds and enough thoughts."""
    study = plan.study
    for number, transfer in enumerate(study.transfer):
        key = f"transfer.{number}"
        for dataset, method in product(transfer.trained, transfer.methods):
            if (dataset, method) not in plan.cells:
                continue  # as in other experiments: a study that runs less asks less
            seeds = [run.seed for run in plan.runs if run[:2] == (dataset, method)]
            for seed in transfer.seeds or ():
                if seed not in seeds:
                    yield f"{key}.seeds: {method} on {dataset} is not run with seed {seed}"
            trained, most = plan.trained_k(dataset, method), max(transfer.k or (0,))
            if most > trained and not transfer.more_thoughts and study.methods[method].thoughts != "none":
                yield (
                    f"{key}.k: {most} exceeds the {trained} thoughts of {method} on {dataset}; use {trained} "
                    "or less, or set more_thoughts: true"
                )


def _asked_questions_can_be_read(plan: Plan) -> Iterator[str]:
    """The names of generated questions are words of a tokenizer made of words, and graphs can be written."""
    study = plan.study
    for name in plan.used:
        if _is_text(study.datasets[plan.derived.get(name, name)]) and name in plan.derived:
            yield f"datasets.{name}.questions.of: {plan.derived[name]} has no graph questions"
    for run, asked in plan.asks:
        if plan.study.text_of(run.method).template == "symbols" and _is_text(study.datasets[asked]):
            yield f"transfer: {run.method} writes symbols and cannot be asked {asked}, which has no graphs"
        if study.model_of(run.method).tokenizer != "words":
            continue
        pools = [*map(_pool, (study.datasets[name].questions.root for name in plan.datasets))]
        if None in pools:  # only the questions tell, which the command checks
            continue
        extra = study.model_of(run.method).names
        wanted = _pool(study.datasets[asked].questions.root)
        for number, name in enumerate(("persons", "concepts")):
            known = max(pool[number] for pool in pools if pool)
            known = max(known, getattr(extra, name) if extra else 0)
            if wanted and wanted[number] > known:
                yield (
                    f"datasets.{asked}.questions.{name}: {wanted[number]} are in use, but the model of "
                    f"{run.method} has words for {known}; lower it, or set model.names.{name}"
                )


def _pool(source: Any) -> tuple[int, int] | None:
    """The numbers of names of persons and concepts that a generator of graph questions uses; None for other
    questions."""
    return (source.persons, source.concepts) if isinstance(source, Prosqa | Balanced) else None


def _trained_questions_are_there(plan: Plan) -> Iterator[str]:
    """Runs are trained on data sets with training and validation questions of their own."""
    for name in plan.datasets:
        source = plan.study.datasets[name].questions.root
        if isinstance(source, Derived):
            yield f"datasets.{name}.questions: source: {source.source} is only asked; runs cannot train on it"
        for split in ("train", "valid"):
            if isinstance(source, Generated) and not getattr(source.sizes, split):
                yield f"datasets.{name}.questions.sizes.{split}: is missing; runs are trained on {name}"


def _comparisons_are_run(plan: Plan) -> Iterator[str]:
    study = plan.study
    done = {(dataset, method) for dataset, method, _ in plan.runs}
    swept = plan.selected(study.sweep)
    for name, comparison in study.comparisons.items():
        for dataset, method in product(comparison.datasets, comparison.methods):
            if (dataset, method) not in done:
                yield f"comparisons.{name}: {method} on {dataset} is not one of the runs"
            elif comparison.x == "k" and (dataset, method) not in swept:
                where = f"comparisons.{name}: {method} on {dataset}"
                yield f"{where} is not in the sweep; add it to sweep.methods"


def _predictions_are_run(plan: Plan) -> Iterator[str]:
    """Both sides of a prediction are measured: the data set and method are run, and asked at its k."""
    finding = plan.study.finding
    for number, prediction in enumerate(finding.predictions if finding else ()):
        key = f"finding.predictions.{number}"
        for side in prediction.sides:
            if side.dataset is None or side.method is None:
                continue
            where = f"{side.method} on {side.dataset}"
            runs = [run for run in plan.runs if run[:2] == (side.dataset, side.method)]
            if not runs:
                yield f"{key}: {where} is not one of the runs"
                continue
            ks = plan.ks("respond", runs[0])
            if side.asked is not None:
                ks = {k for run in runs for k in plan.asks.get(Ask(run, side.asked), ())}
            if not ks:
                yield f"{key}.asked: {where} is not asked {side.asked} in transfer"
            elif side.k is not None and side.k not in ks:
                yield f"{key}.k: {where} does not respond with {side.k} thoughts"


def _pages_show_what_is_made(plan: Plan) -> Iterator[str]:
    """A finding shows figures and tables that the study has, the tables as text."""
    if (finding := plan.study.finding) is None:
        return
    texts = [record for record in TABLES.values() if record.format_settings is not None]
    for key, records in (("figures", FIGURES.values()), ("tables", texts)):
        made = [name for record in records for name in table_inputs.names(plan, record)]
        yield from undefined(f"finding.{key}", getattr(finding, key), made)


def _map_has_places(plan: Plan) -> Iterator[str]:
    """Every cell of the necessity map has a number of layers and of hops, and at most one method a row."""
    if (necessity := plan.study.necessity) is None:
        return
    for row, methods in necessity.rows.items():
        seen: dict[tuple[int | None, int | None], str] = {}
        for method in methods:
            model = plan.study.model_of(method)
            if (shape := (model.layers, model.width))[0] is None:
                yield f"necessity.rows.{row}: the model of {method} names no number of layers"
            elif shape in seen:
                yield f"necessity.rows.{row}: {method} has as many layers, as wide, as {seen[shape]}"
            seen[shape] = method
    for dataset in dict.fromkeys(dataset for dataset, _ in plan.selected(necessity)):
        if plan.hops(dataset) is None:
            yield f"necessity: the questions of {dataset} have no single number of hops"


# --------------------------------------------------------------------------------------------- questions


def _template_fits(plan: Plan) -> Iterator[str]:
    study = plan.study
    for method in plan.methods:
        text, own = study.text_of(method), study.methods[method].text
        where = f"methods.{method}." if own else ""
        if text.template == "prose" and text.facts_share_position:
            yield f"{where}text.facts_share_position: works only with template: symbols"
        for name, other in plan.cells:
            if other == method and text.template == "symbols" and _is_text(study.datasets[name]):
                yield f"{where}text.template: symbols can write only graph questions; use prose for {name}"


def _thoughts_have_targets(plan: Plan) -> Iterator[str]:
    """A loss on thoughts has one thought for each step, and one token for each node."""
    study = plan.study
    for dataset, method in plan.trained:
        if study.methods[method].thought_loss is None:
            continue
        where = f"methods.{method}.thought_loss"
        if _is_text(study.datasets[dataset]):
            yield f"{where}: {dataset} has no graph questions, whose nodes thoughts could predict"
        if (c := study.schedule_of(dataset, method).c) != 1:
            yield f"{where}: needs one thought per step; datasets.{dataset}.schedule.c is {c}"
        if study.text_of(method).template != "symbols":
            yield f"{where}: needs text.template: symbols, where every step is one token"


def _graphs_are_there(plan: Plan) -> Iterator[str]:
    """Pretraining, probing and frontiers have graph questions."""
    study = plan.study
    for dataset, method in plan.trained:
        if study.methods[method].targets == "frontier" and _is_text(study.datasets[dataset]):
            yield f"methods.{method}.targets: {dataset} has no graph questions, whose frontiers are known"
    chosen = plan.datasets
    learns = any(study.model_of(method).pretraining for method in plan.methods)
    if learns and all(_is_text(study.datasets[name]) for name in chosen):
        yield f"model.pretraining: needs graph questions; {', '.join(chosen)} has none"
    for name in study.probing.datasets if study.probing else ():
        if _is_text(study.datasets[name]):
            yield f"probing.datasets: {name} has no graph questions to probe"


def _case_is_probed(plan: Plan) -> Iterator[str]:
    study = plan.study
    if study.probing is not None:
        for name in study.probing.datasets:
            probed = min(study.probing.questions or inf, _n_test(study.datasets[name]) or inf)
            if study.probing.case >= probed:
                yield f"probing.case: {name} has no question {study.probing.case}, only 0 to {probed - 1}"


def _is_text(dataset: Dataset) -> bool:
    """True if the questions of a data set are known to have no graph."""
    questions = dataset.questions.root
    if isinstance(questions, Files):
        return questions.test.path.endswith(".txt")
    return isinstance(questions, Prontoqa | Arithmetic | Hub)


def _n_test(dataset: Dataset) -> int | None:
    """The number of test questions of a data set; None if only its files tell."""
    questions = dataset.questions.root
    if isinstance(questions, Derived):
        return None
    return questions.test.count if isinstance(questions, Files | Hub) else questions.sizes.test


TURNS: tuple[tuple[Check, ...], ...] = (
    (_selections_exist, _starts_exist, _names_fit_paths, _names_are_apart, _paths_are_not_patterns,
     _machine_is_known),
    (_overlays_are_settings, _trained_questions_are_there, _schedules_fit_data_sets,
     _published_questions_are_the_papers),
    (
        _names_are_used_once, _starts_have_the_same_model, _removal_is_for_methods_that_remove,
        _mixing_has_stages_to_mix, _processes_have_work, _positions_suffice,
        _thoughts_are_there, _interventions_have_something_to_replace, _inspections_have_something_to_see,
        _comparisons_are_run, _transfer_is_run,
        _predictions_are_run, _pages_show_what_is_made, _map_has_places,
        _template_fits, _graphs_are_there, _thoughts_have_targets, _case_is_probed,
        _asked_questions_can_be_read,
    ),
)  # fmt: skip
