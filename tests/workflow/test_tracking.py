"""Which rules rerun after an edit of each module: by their digests, and for some edits as Snakemake plans."""

import re
import shutil

import pytest

from coconut_study.common import provenance
from coconut_study.report.catalog import FIGURES, TABLES, explorer_code

pytestmark = pytest.mark.workflow

DRAW = "shard questions"
LOOK = "describe shortcuts"
TRAIN = "base train"
INSPECT = "intervene trace linear attend remove"
GENERATE = f"respond clock ending probe decode {INSPECT}"
RULES = f"{DRAW} derive {LOOK} {TRAIN} {GENERATE} grade"
PAGE = "finding"
EXPLORER = "explorer"
TABLE = " ".join(record.rule for record in TABLES.values())
FIGURE = " ".join(record.rule for record in FIGURES.values())
NO_COSTS = "-table_costs -table_spent"
VALUES = "table_best table_contrasts table_values_seeds table_parallelism table_heights"
ASKED = "table_transfer table_transfer_seeds"

EDITS = [
    # modules, and the rules whose code they are
    ("common.files", f"{RULES} {TABLE} {FIGURE} {PAGE} {EXPLORER}"),
    ("common.reading", f"{RULES} {TABLE} {FIGURE} {EXPLORER}"),
    ("questions.graphs questions.question", f"{RULES} {TABLE} {FIGURE} {EXPLORER} {NO_COSTS}"),
    ("common.seeds", f"{DRAW} derive {TRAIN} intervene remove"),
    ("common.workspace", f"train {GENERATE}"),
    ("common.provenance", f"{RULES} -shard table_clock table_costs table_spent"),
    ("questions.card", f"{RULES} -shard"),
    (
        "questions.arithmetic questions.arithmetic_language questions.balanced questions.crossed "
        "questions.datasets questions.formats questions.prontoqa questions.prosqa",
        DRAW,
    ),
    ("questions.schema", f"{RULES} {EXPLORER} {ASKED} figure_tree"),
    ("questions.derived questions.rewrites", "derive"),
    ("questions.describe", "describe table_data"),
    ("questions.shortcuts", "derive shortcuts table_main table_claims"),
    ("questions.neighbourhoods", "shortcuts"),
    ("questions.frontiers", f"train probe decode {INSPECT}"),
    ("questions.donors", "intervene"),
    ("sequences.templates", f"{TRAIN} {GENERATE} grade {TABLE} {FIGURE} {EXPLORER} -table_data {NO_COSTS}"),
    ("sequences.methods", f"{TRAIN} {GENERATE} grade {EXPLORER}"),
    ("sequences.builder", f"{TRAIN} {GENERATE}"),
    (
        "engine.batches engine.checkpoints engine.device engine.edits engine.forward engine.gpt2 "
        "engine.kv_cache engine.prefixes engine.tokenizer",
        f"{TRAIN} {GENERATE}",
    ),
    ("engine.decoding", f"train {GENERATE}"),
    ("engine.gradient_checkpointing", "train"),
    ("training.base_job training.base_model training.pretrain", "base"),
    ("training.distributed training.learner training.schedule", TRAIN),
    (
        "training.epoch training.job training.lora training.meter training.micro_batches training.sampler "
        "training.saver training.stage training.validation",
        "train",
    ),
    ("evaluation.runs", GENERATE),
    ("evaluation.record", "respond"),
    ("evaluation.respond", "train respond clock ending"),
    ("evaluation.responses", f"train respond clock ending grade {EXPLORER}"),
    ("evaluation.ending", "ending"),
    ("evaluation.probe", f"probe decode {INSPECT}"),
    ("evaluation.places", INSPECT),
    ("engine.residuals evaluation.tracing", "trace"),
    ("evaluation.states", "linear remove"),
    ("evaluation.linear_probe", "linear remove"),
    ("evaluation.attention", "attend"),
    ("evaluation.removal", "remove"),
    ("evaluation.conditions evaluation.interventions", "intervene"),
    ("evaluation.grade", "grade"),
    ("evaluation.outcomes", f"grade {TABLE} {FIGURE} {EXPLORER} -table_data {NO_COSTS}"),
    (
        "evaluation.columns",
        f"{GENERATE} grade {TABLE} {FIGURE} {EXPLORER} -table_data {NO_COSTS} -figure_tracing",
    ),
    ("report.intervals", f"{TABLE} {FIGURE} {PAGE} {EXPLORER} -table_data -figure_tracing"),
    ("report.scores", f"{TABLE} {FIGURE} {EXPLORER} -table_data {NO_COSTS} -figure_tracing"),
    ("report.markup", f"{TABLE} {EXPLORER}"),
    ("report.cells", f"{TABLE} {FIGURE} {PAGE} {EXPLORER}"),
    ("report.data", "table_data"),
    (
        "report.transfer",
        f"{ASKED} table_sufficient table_following table_predictions figure_transfer",
    ),
    ("report.results", "table_main table_seeds table_sweep table_sweep_seeds table_comparison"),
    ("report.learning", "table_learning table_following_epochs table_stages"),
    ("report.claims report.sides report.stand_ins", "table_claims"),
    (
        "report.verdicts",
        f"table_claims table_necessity table_predictions table_removal figure_necessity {PAGE}",
    ),
    ("report.necessity", "table_necessity"),
    ("report.predictions", "table_predictions"),
    ("report.finding", PAGE),
    ("report.costs", "table_clock table_costs table_spent"),
    ("report.thoughts", "table_claims table_ending table_decoded"),
    ("report.values", f"{VALUES} table_claims figure_values"),
    ("report.contrasts", "table_best table_contrasts table_values_seeds figure_values"),
    ("report.candidates", "table_parallelism table_heights"),
    (
        "report.interventions",
        "table_main table_seeds table_sweep table_sweep_seeds table_comparison table_claims "
        f"table_interventions table_interventions_seeds figure_interventions {EXPLORER}",
    ),
    ("report.style", FIGURE),
    ("report.palette", f"{FIGURE} {EXPLORER}"),
    ("report.explorer", EXPLORER),
    ("report.marks", f"{FIGURE} -figure_tracing"),
    *((f"report.{name}", f"table_{name}") for name in ("tracing", "linear", "attention", "removal")),
    *((f"report.figures.{name}", f"figure_{name}") for name in FIGURES),
]
# Modules that shape no result, or reach results only through the parameters of rules.
NO_RESULT = """
__main__ common.allocator common.arguments common.errors common.gpus common.journal common.options
common.progress common.settings questions.settings evaluation.settings training.disk training.settings
training.preflight training.tracker report.front report.settings report.verify
models.asked models.commands models.custom_generate models.model models.model_card models.shown models.watch
sequences.drawing study.checks study.commands study.definition study.load study.plan study.reference
study.runs study.schema study.settings study.table_inputs
"""
# Of these files, what a command or a table uses of them is tracked, and not the file.
BY_FUNCTION = """
questions.commands training.commands evaluation.commands report.commands report.inputs report.catalog
"""


def expected() -> dict[str, set[str]]:
    """The rules whose code each module is; `-rule` leaves out a rule of a group."""
    rules = {module: set[str]() for module in f"{NO_RESULT} {BY_FUNCTION}".split()}
    for modules, names in EDITS:
        left_out = {name[1:] for name in names.split() if name.startswith("-")}
        named = {name for name in names.split() if not name.startswith("-")}
        rules |= dict.fromkeys(modules.split(), named - left_out)
    return rules


def codes() -> dict[str, str]:
    """The digest of the code of each rule, which is a parameter of the rule."""
    digests = {name: provenance.code(provenance.command(name)) for name in f"{RULES} {PAGE}".split()}
    digests[EXPLORER] = explorer_code()
    return digests | {record.rule: record.code() for record in (*TABLES.values(), *FIGURES.values())}


def test_an_edit_of_each_module_changes_the_code_of_the_expected_rules(tmp_path, monkeypatch):
    package = tmp_path / provenance.PACKAGE.name
    shutil.copytree(provenance.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "PACKAGE", package)
    before, changed = codes(), {}
    for path in package.rglob("*.py"):
        if path.name != "__init__.py":
            text = path.read_text(encoding="utf-8")
            path.write_text(f"{text}\nEDITED = True\n", encoding="utf-8")
            module = ".".join(path.relative_to(package).with_suffix("").parts)
            changed[module] = {rule for rule, code in codes().items() if code != before[rule]}
            path.write_text(text, encoding="utf-8")
    assert changed == expected()


@pytest.mark.parametrize(
    "module",
    [
        "questions.describe",
        "training.stage",
        "evaluation.outcomes",
        "report.data",
        "report.style",
        "study.plan",
    ],
)
def test_snakemake_reruns_these_rules_and_what_follows_them(finished, fresh, module):
    rules = expected()[module]
    with finished.edited(f"src/coconut_study/{module.replace('.', '/')}.py"):
        done = finished.snakemake("--dry-run")
    planned = finished.counted(done).keys()
    reasons = re.search(r"params have changed since last execution:\n +(.*)\n", done.stdout)
    changed = {name.replace("grade_asked", "grade") for name in reasons[1].split(", ")} if reasons else set()
    assert changed <= rules  # the others have changed inputs, which is the reason that Snakemake gives
    assert bool(changed) == bool(rules)
    assert rules & fresh.planned().keys() <= planned


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (
            "training/commands.py",
            '{"train": train, "valid": valid}',
            '{"train": valid, "valid": train}',
        ),
        (
            "training/job.py",
            'questions["train"], questions["valid"]',
            'questions["valid"], questions["train"]',
        ),
    ],
)
def test_training_and_validation_questions_swapped_rerun_training_and_all_after_it(finished, name, old, new):
    """Bodies of commands were not tracked: every checkpoint stayed as it was."""
    before, path = finished.planned("--forceall"), finished.folder / "src/coconut_study" / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    try:
        planned = finished.planned()
    finally:
        path.write_text(text, encoding="utf-8")
    kept = {"questions", "derive", "base", "describe", "shortcuts", "table_data", "tables", "figures"}
    assert planned == {rule: count for rule, count in before.items() if rule not in kept}
