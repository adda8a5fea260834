"""Wrong studies and what is said of them: the place, what is wrong, what would be right; no traceback."""

from collections.abc import Iterator
from copy import deepcopy
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from coconut_study.common.errors import StudyError
from coconut_study.study.load import read_study

from ...studies import GONE, PAPER, changed, settings

STUDIES = {name: settings(name) for name in ("quick", "smoke", "tour", "paper")}


def refusal(study: dict) -> list[str]:
    """What is said of a study, in less than five seconds."""
    start = perf_counter()
    with pytest.raises(StudyError) as raised:
        read_study(study, PAPER)
    assert perf_counter() - start < 5
    lines = str(raised.value).splitlines()
    assert all(line.startswith("study: ") and len(line) < 700 for line in lines), lines
    return lines


# -------------------------------------------------------------------------------------------- by hand


Q = "datasets.planning.questions"
S = "datasets.planning.schedule"
P, A, L = (f"datasets.{name}.questions" for name in ("prosqa", "gsm8k", "prontoqa"))
GRID = {"datasets": ["planning"], "methods": ["cot"], "seeds": [1]}
PROBING = {
    "datasets": ["planning"], "methods": ["coconut"], "k": [0], "height": "shortest", "questions": None,
    "case": 0,
}  # fmt: skip
FILES = {"source": "files"} | {split: {"path": f"{split}.json"} for split in ("train", "valid", "test")}
HUB = {"source": "hub", "path": "a/b"} | {split: {"split": split} for split in ("train", "valid", "test")}
WORDS = {"source": "arithmetic", "steps": [1, 3], "sizes": {"train": 8, "valid": 4, "test": 4}, "seed": 0}
LINE = {"title": "T", "datasets": ["planning"], "x": "label", "xlabel": "", "series": {"line": {"a": "cot"}}}
MIXED = {"mixing": {"probability": 0.5}}


def case(key, value, right, place=None, study="quick", also=()):
    """A change to a study, and what is said at its place or at another."""
    return pytest.param(study, {key: value, **dict(also)}, place or key, right, id=f"{key}: {right[:20]}")


MISTAKES = [
    # sections and keys
    case("trainin", {}, "unknown key; did you mean training?"),
    case("model", GONE, "is missing"),
    case("runs", GONE, "is missing"),
    case("training", "fast", "valid dictionary"),
    case("methods", [], "valid dictionary"),
    case("datasets", None, "valid dictionary"),
    case("study", "quick/2", "should match pattern"),
    case("study", "", "should match pattern"),
    case("description", 3, "valid string (it is 3)"),
    case("base_seeds", [], "at least 1 item"),
    case("base_seeds", [-1], "greater than or equal to 0 (it is -1)", place="base_seeds.0"),
    # data sets
    case("datasets.planning.titel", "x", "did you mean title?"),
    case("datasets.planning.title", GONE, "is missing"),
    case("datasets.planning.published", True, "is for questions of the paper, from files or the hub"),
    case("datasets.prosqa.paper", None, "is for questions of the paper", study="paper",
         place="datasets.prosqa.published"),
    case("datasets.planning.responding", {"tokens": 9}, "tokens: unknown key"),
    case("model.pretraining.growth", {"facts": 4, "until": 1801}, "growth.until: 1801 exceeds the 1800",
         place="model.pretraining"),
    case("datasets.planning.paper", "prosca", "did you mean prosqa?"),
    case("datasets.a b", {}, "is missing", place="datasets.a b.title"),
    case(f"{P}.nodez", 3, "did you mean nodes?", study="smoke"),
    case(f"{P}.hops", [5, 3], "minimum 5 exceeds maximum 3", study="smoke"),
    case(f"{P}.hops", [0, 3], "greater than 0", place=f"{P}.hops.0", study="smoke"),
    case(f"{P}.hops", [3], "is missing", place=f"{P}.hops.1", study="smoke"),
    case(f"{P}.hops", [2, 13], "nodes: 15 or more", study="smoke"),
    case(f"{P}.nodes", 60, "concepts: 58 or more", study="smoke"),
    case(f"{P}.persons", 18, "equal to 17", study="smoke"),
    case(f"{Q}.source", "balance", "'prosqa', 'balanced', 'crossed', 'prontoqa'"),
    case(f"{Q}.source", GONE, "is missing"),
    case(f"{Q}.sizes.test", 1023, "sizes must be multiples of 4", place=Q),
    case(f"{Q}.sizes.train", 0, "is missing; runs are trained on planning"),
    case(f"{Q}.sizes.valid", GONE, "is missing; runs are trained on planning"),
    case(f"{Q}.sizes.test", 0, "greater than 0"),
    case(S, GONE, "is missing; runs are trained on planning"),
    case(f"{Q}.sizes.dev", 10, "unknown key; there are train, valid, test"),
    case(f"{Q}.seed", -1, "greater than or equal to 0"),
    case(f"{Q}.seed", True, "got true or false"),
    case(f"{Q}.edges", 9, "9 are too few to connect nodes: 12"),
    case(f"{Q}.hops", [3, 6], "nodes: 14 or more"),
    case(f"{Q}.concepts", 9, "12 needs concepts: 10 or more", place=f"{Q}.nodes"),
    case(f"{Q}.shards", 0, "greater than 0"),
    case(f"{L}.hops", 7, "or equal to 6", study="tour"),
    case(f"{A}.steps", [1, 9], "within 1 to 8", study="tour"),
    case(f"{A}.steps", [4, 1], "minimum 4 exceeds maximum 1", study="tour"),
    # files and the hub
    case(Q, FILES | {"test": {"path": "train.json"}}, "that train also takes", place=f"{Q}.test"),
    case(Q, FILES | {"test": {"path": "./x/../train.json"}}, "that train also takes", place=f"{Q}.test"),
    case(Q, FILES | {"train": {"path": "a", "rows": [0, 9]}, "valid": {"path": "a", "rows": [8, 9]}},
         "rows of a that train also takes", place=f"{Q}.valid"),
    case(Q, FILES | {split: {"path": split, "sha256": "0" * 64} for split in ("valid", "test")},
         "rows of test that valid also takes", place=f"{Q}.test"),
    case(Q, FILES | {"test": {"path": "c", "rows": [9, 9]}}, "takes none", place=f"{Q}.test.rows"),
    case(Q, FILES | {"test": {"path": "c", "rows": [9]}}, "is missing", place=f"{Q}.test.rows.1"),
    case(Q, FILES | {"test": {"path": ""}}, "at least 1 character", place=f"{Q}.test.path"),
    case(Q, FILES | {"test": {"path": "c", "count": 0}}, "greater than 0", place=f"{Q}.test.count"),
    case(Q, FILES | {"test": {"path": "c", "sha256": "abc"}}, "match pattern", place=f"{Q}.test.sha256"),
    case(Q, FILES | {"tests": {"path": "c"}}, "did you mean test?", place=f"{Q}.tests"),
    case(Q, FILES | {"repeats": -1}, "greater than or equal to 0", place=f"{Q}.repeats"),
    case(Q, HUB | {"test": {"split": "train"}}, "the split train that train also takes", place=f"{Q}.test"),
    case(Q, HUB | {"path": "./nowhere"}, "./nowhere is not a folder"),
    case(Q, HUB | {"valid": {"splits": "x"}}, "did you mean split?", place=f"{Q}.valid.splits"),
    case(Q, HUB, "symbols can write only graph questions; use prose for planning", place="text.template"),
    case(Q, FILES | {"test": {"path": "c.txt"}}, "use prose for planning", place="text.template"),
    # schedules
    case(f"{S}.epochs", [1, 1], "epochs has 2 entries; with stages: 3 it needs 4, or 5", place=S),
    case(f"{S}.epochs", [1, 1, 1, 0], "epochs ends in 0", place=S),
    case(f"{S}.epochs", [1, 1, 1, -1], "greater than or equal to 0", place=f"{S}.epochs.3"),
    case(f"{S}.epochs", [1, 1, 1, float("inf")], "finite number", place=f"{S}.epochs.3"),
    case(f"{S}.c", 1.5, "valid integer"),
    case("datasets.gsm8k.schedule.removal.unit", "word", "'step'", study="tour"),
    case("datasets.prosqa.schedule.removal", GONE, "is missing; icot", study="tour"),
    # methods
    case("methods.cot.steps", "keep", "'kept', 'dropped', 'staged' or 'removed'"),
    case("methods.cot.thought", "none", "did you mean thoughts?"),
    case("methods.cot", None, "valid dictionary"),
    case("methods.cot.iterations", 2, "for continuous thoughts"),
    case("methods.cot.paper", "cott", "cott is not defined; did you mean cot?"),
    case("methods.x y", {"like": "cot", "title": "X"}, "only letters, digits, - and _"),
    case("methods.x", {"like": "cots", "title": "X"}, "did you mean cot?", place="methods.x.like"),
    case("methods.x", {"like": "x"}, "leads back to its own method", place="methods.x.like"),
    case("methods.x", {"like": ["cot"]}, "['cot'] is not defined", place="methods.x.like"),
    case("methods.y", 3, "is not a mapping of settings (it is 3)", also={"methods.x": {"like": "y"}}),
    case("methods.x", {"lik": "cot"}, "did you mean like?", place="methods.x.lik"),
    case("methods.x", {"like": "cot", "start": "cots"}, "did you mean cot?", place="methods.x.start"),
    case("methods.cot.start", "cot", "leads back to its own method"),
    case("methods.cot.title", "Coconut", "Coconut is already the title of coconut"),
    case("methods.cot.paper", "coconut", "coconut is already the paper of coconut"),
    case("methods.planning", {"like": "cot"}, "is also the name of a method", place="datasets.planning"),
    case("methods.icot.training.lr", 1, "unknown key"),
    case("methods.icot.schedule", {"stage": 1}, "did you mean stages?", place="methods.icot.schedule.stage"),
    case("methods.cot.schedule", {"stages": 1}, "epochs has 4 entries"),
    case("methods.cot_6.schedule", {"stages": 3, "epochs": [6]}, "epochs has 1 entries", study="paper"),
    case("methods.cot.training", MIXED, "no other stages to mix in", place="methods.cot.training.mixing"),
    case("methods.coconut.training", MIXED, "has no other stages to mix in",
         also={"methods.coconut.schedule": {"stages": 0, "epochs": [3]}, "sweep.k": [0], "probing.k": [0]}),
    case("methods.cot.training", {"reset_optimizer": "removal"}, "steps: removed", place="methods.cot"),
    case("methods.cot.model", {"architecture": {"n_embd": 32}}, "differs from the model of coconut",
         also={"methods.cot.start": "coconut"}),
    # text and model
    case("text.template", "symbol", "'prose' or 'symbols' (it is 'symbol')"),
    case("text.template", "prose", "only with template: symbols", place="text.facts_share_position"),
    case(Q, WORDS, "symbols can write only graph questions", place="text.template"),
    case("model.path", "gpt2", "either path or architecture", place="model"),
    case("model.architecture", GONE, "either path or architecture", place="model"),
    case("model.architecture.model_type", GONE, "architecture needs a model_type", place="model"),
    case("model.path", "gpt2", "words is for a new model", place="model.tokenizer",
         also={"model.architecture": GONE}),
    case("model.path", "gpt2", "is for a new model", place="model.pretraining",
         also={"model.architecture": GONE, "model.tokenizer": "gpt2"}),
    case("model.tokenizer", "./nowhere", "./nowhere is not a folder", place="model"),
    case("model.dtype", "fp32", "'float32', 'bfloat16' or 'float16'"),
    case("model.new_tokens", {"init": "copy"}, "give a token with init: copy", place="model.new_tokens.of"),
    case("model.lora", {"rank": 4}, "is missing", place="model.lora.alpha"),
    case("model.pretraining.stps", 3, "did you mean steps?"),
    case(Q, WORDS, "needs graph questions; planning has none", place="model.pretraining",
         also={"text": {"template": "prose", "facts_share_position": False}, "probing": None}),
    # training, responding, grading, tables
    case("training.learning_rate", "3e-3x", "(it is '3e-3x')"),
    case("training.learning_rate", 0, "greater than 0 (it is 0)"),
    case("training.learning_rate", float("nan"), "finite number"),
    case("training.batch_size", 32.5, "valid integer"),
    case("training.batch_size", True, "got true or false"),
    case("training.micro_batch_size", 12, "not a multiple of micro_batch_size", place="training.batch_size"),
    case("training.betas", [0.9], "is missing", place="training.betas.1"),
    case("training.betas", [0.9, 1.5], "less than or equal to 1", place="training.betas.1"),
    case("training.precision", False, "'no', 'tf32', 'bf16' or 'fp16'"),
    case("training.mixing.probability", 2, "less than or equal to 1"),
    case("training.mixing", None, "valid dictionary"),
    case("training.redraw", "maybe", "valid boolean"),
    case("responding.max_new_token", 3, "did you mean max_new_tokens?"),
    case("responding.max_new_tokens", 93, "exceed the 96 positions"),
    case("methods.coconut.schedule", {"c": 27}, "81 thoughts and a", place="responding.max_new_tokens"),
    case("model.architecture.n_positions", 16, "exceed the 16 pos", place="responding.max_new_tokens"),
    case("grading.tokens", ["writen"], "'written', 'thoughts', 'pauses' or 'end'", place="grading.tokens.0"),
    case("grading.hidden_prefix", "exactly", "'completable' or 'exact'"),
    case("tables.worked", 101, "less than or equal to 100"),
    # machine
    case("machine.default", None, "is missing"),
    case("machine.trane", {}, "did you mean train?"),
    case("machine.train.memory", 3, "did you mean memory_mb?"),
    case("machine.train.gpus", -1, "greater than or equal to 0"),
    case("machine.train.gpus", 4, "4 GPUs share the 2 parts of a batch of cot on planning",
         also={"training.micro_batch_size": 16}),
    # runs and experiments
    case("runs", [], "at least 1 item"),
    case("runs", [GRID | {"methods": []}], "at least 1 item", place="runs.0.methods"),
    case("runs", [GRID | {"methods": ["coconot"]}], "did you mean coconut?", place="runs.0.methods"),
    case("runs", [GRID | {"datasets": ["plan"]}], "plan is not defined", place="runs.0.datasets"),
    case("runs", [GRID | {"seeds": [1, 1]}], "names one of them twice", place="runs.0.seeds"),
    case("runs", [GRID | {"seeds": [-1]}], "greater than or equal to 0", place="runs.0.seeds.0"),
    case("runs", [GRID | {"seeds": [True]}], "got true or false", place="runs.0.seeds"),
    case("runs", [GRID | {"seed": 1}], "did you mean seeds?", place="runs.0.seed"),
    case("sweep.k", [0, 4], "4 exceeds the 3 thoughts of coconut on planning"),
    case("sweep.k", [-1], "greater than or equal to 0", place="sweep.k.0"),
    case("sweep.methods", ["cot"], "cot has no thoughts to vary"),
    case("sweep.datasets", ["plannin"], "did you mean planning?"),
    case("ending.methods", ["pause_token"], "has no continuous thoughts"),
    case("ending.methods", [], "at least 1 item"),
    case("ending.questions", 0, "greater than 0"),
    case("decoding.top", None, "valid integer"),
    case("clock", {"methods": ["cots"], "questions": 1, "batch_size": 1}, "mean cot?", place="clock.methods"),
    case("methods.looped.markers", True, "with thoughts: loops there is nothing in the sequence to enclose",
         place="methods.looped"),
    case("methods.pause_token.targets", "frontier", "is for steps: staged", place="methods.pause_token"),
    case("methods.coconut.targets", "frontier", "gsm8k has no graph questions", study="tour"),
    case("training.mixing.weight", "rising", "weight: rising is for stages: earlier", place="training.mixing",
         also={"training.mixing.stages": "any"}),
    case("training.mixing.weight", "falling", "'equal' or 'rising'"),
    case("methods.cot.thought_loss", {"target": "step", "weight": 1}, "is for continuous thoughts",
         place="methods.cot"),
    case("methods.coconut.thought_loss", {"target": "step", "weight": 0}, "greater than 0",
         place="methods.coconut.thought_loss.weight"),
    case("methods.coconut_c3.thought_loss", {"target": "step", "weight": 1}, "gsm8k.schedule.c is 3",
         study="tour"),
    case("methods.coconut_c3.thought_loss", {"target": "step", "weight": 1}, "gsm8k has no graph questions",
         study="tour"),
    case("methods.side_by_side.thought_loss", {"target": "step", "weight": 1}, "needs text.template: symbols",
         study="tour"),
    case("probing", PROBING | {"k": [4]}, "4 exceeds the 3 thoughts of coconut", place="probing.k"),
    case("probing", PROBING | {"case": 1024}, "has no question 1024, only 0 to 1023", place="probing.case"),
    case("probing", PROBING | {"case": 8, "questions": 8}, "only 0 to 7", place="probing.case"),
    case("probing", PROBING | {"height": "short"}, "'shortest' or 'longest'", place="probing.height"),
    case("probing.datasets", ["gsm8k"], "gsm8k has no graph questions to probe", study="tour"),
    case("interventions.methods", ["cot", "no_cot"], "no_cot on planning has neither thoughts nor written",
         also={"interventions.necessity": []}),
    case("interventions.methods", ["cots"], "mean cot?", also={"interventions.necessity": []}),
    case("interventions.necessity", ["without_thought"], "is not one of interventions.methods"),
    case("tracing.datasets", ["gsm8k"], "gsm8k has no graph questions", study="tour"),
    case("linear.methods", ["cot"], "cot has neither thoughts nor pauses", study="tour"),
    case("linear.within", [], "linear.within", study="tour"),
    case("attention.methods", ["no_cot"], "no_cot has neither thoughts nor pauses", study="tour"),
    case("removal.methods", ["pause_as_thought"], "has no continuous thoughts", study="tour"),
    case("removal.methods", ["coconuts"], "mean coconut?", study="tour"),
    case("interventions.datasets", ["gsm8k"], "gsm8k has no graph questions", study="tour"),
    case("removal.methods", ["coconut"], "coconut has no continuous thoughts", study="tour",
         also={"methods.coconut.thoughts": "soft"}),
    case("interventions.conditions", "all", "'short' or 'full'"),
    case("comparisons", {"a": LINE | {"series": {}}}, "at least 1 item", place="comparisons.a.series"),
    case("comparisons", {"a": LINE | {"series": {"l": {}}}}, "at least 1", place="comparisons.a.series.l"),
    case("comparisons", {"a": LINE | {"series": {"l": {1: "x"}}}}, "x is not", place="comparisons.a.methods"),
    case("comparisons", {"a": LINE | {"series": {"l": {1: "icot"}}}}, "not one of", place="comparisons.a"),
    case("comparisons", {"a": LINE | {"x": "k"}}, "planning is not in the sweep", place="comparisons.a"),
    case("comparisons", {"a": LINE | {"x": "y"}}, "'label', 'tokens' or 'k'", place="comparisons.a.x"),
]  # fmt: skip


@pytest.mark.parametrize(("study", "changes", "place", "right"), MISTAKES)
def test_a_wrong_study_is_refused_with_the_place_and_what_is_right(study, changes, place, right):
    lines = refusal(changed(study, changes))
    assert any(line.startswith(f"study: {place}") and right in line for line in lines), lines
    assert len(lines) <= 8, lines


def test_the_wrong_studies_are_many_and_the_shipped_ones_are_none_of_them():
    assert len(MISTAKES) >= 60
    for name in (*STUDIES, "scratch", "large"):
        assert read_study(settings(name), PAPER).study == name


REQUIRED = (
    "study", "description", "datasets", "methods", "model", "runs", "datasets.prosqa.title",
    "datasets.prosqa.questions", f"{P}.source", f"{P}.nodes", f"{P}.hops", f"{P}.sizes.test", f"{P}.seed",
    "datasets.prosqa.schedule.c", "methods.cot.steps", "text.template", "machine.default",
)  # fmt: skip


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_named(key):
    assert f"study: {key}: is missing" in refusal(changed("smoke", {key: GONE}))


def test_every_mistake_has_its_line():
    changes = {
        "trainin": {}, "training.batch_size": 0, "methods.cot.steps": "keep", f"{Q}.seed": -1, "runs": [],
        "description": GONE,
    }  # fmt: skip
    lines = refusal(changed("quick", changes))
    assert len(lines) == len(changes)
    for place in changes:
        assert sum(line.startswith(f"study: {place}: ") for line in lines) == 1, place


def test_mistakes_of_what_fits_together_have_a_line_each_too():
    changes = {
        "sweep.k": [7, 8], "ending.methods": ["cot"], "text.template": "prose",
        "comparisons": {"a": LINE | {"series": {"line": {1: "icot"}}}},
    }  # fmt: skip
    said = [line.split(": ")[1] for line in refusal(changed("quick", changes))]
    assert sorted(said) == [
        "comparisons.a",
        "ending.methods",
        "sweep.k",
        "sweep.k",
        "text.facts_share_position",
    ]


# ------------------------------------------------------------------------------------------ generated


Place = tuple[str | int, ...]


def places(node: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place in a study, with what stands there."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inside:
        yield (*at, key), value
        yield from places(value, (*at, key))


def is_free(at: Place) -> bool:
    """Whether the keys of a mapping are names and labels of the study's own, or what transformers knows."""
    return at in {("datasets",), ("methods",), ("comparisons",)} or bool({"architecture", "series"} & {*at})


def edited(name: str, at: Place, change) -> dict:
    """A shipped study with a change to what holds a place."""
    study = deepcopy(STUDIES[name])
    holder: Any = study
    for key in at[:-1]:
        holder = holder[key]
    change(holder, at[-1])
    return study


def dotted(at: Place) -> str:
    return ".".join(map(str, at))


ALL = [(name, at, value) for name in STUDIES for at, value in places(STUDIES[name])]
KEYS = [(name, at) for name, at, _ in ALL if isinstance(at[-1], str) and not is_free(at[:-1])]
MAPPINGS = [(name, at) for name, at, value in ALL if isinstance(value, dict) and not is_free(at)]
VALUES = [(name, at, value) for name, at, value in ALL if "architecture" not in at[:-1]]


def misfits(value: Any) -> list[Any]:
    """What fits nowhere where such a value stands."""
    if isinstance(value, bool):
        return ["zzz", -7.5, [], {"zzz": 1}]
    if isinstance(value, int | float):
        return ["zzz", [], {"zzz": 1}, float("nan"), [[{}]]]
    if isinstance(value, str):
        return [-7.5, [], {"zzz": 1}, True]
    if isinstance(value, dict):
        return ["zzz", -7.5, [[]], True]
    return [[[{}]], {"zzz": 1}]


def is_named(at: Place, lines: list[str]) -> bool:
    """Whether a line begins with a place, or with what it is in: a list, a mapping."""
    return any(
        line.startswith(f"study: {dotted(at[:n])}") for line in lines for n in range(len(at), 0, -1)[:3]
    )


@effort(max_examples=300, deadline=None)
@given(st.sampled_from(VALUES).flatmap(lambda one: st.tuples(st.just(one), st.sampled_from(misfits(one[2])))))
def test_a_value_of_a_wrong_kind_is_named(drawn):
    (name, at, _), misfit = drawn
    lines = refusal(edited(name, at, lambda holder, key: holder.__setitem__(key, misfit)))
    assert is_named(at, lines), lines


@effort(max_examples=200, deadline=None)
@given(st.sampled_from(KEYS), st.integers(min_value=0))
def test_a_misspelt_key_is_named_with_the_right_one(drawn, where):
    name, at = drawn
    key = str(at[-1])
    where %= len(key)
    misspelt = key[: where + 1] + key[where:]  # a letter twice
    lines = refusal(edited(name, at, lambda holder, key: holder.__setitem__(misspelt, holder.pop(key))))
    assert f"study: {dotted((*at[:-1], misspelt))}: unknown key; did you mean {key}?" in lines


@effort(max_examples=100, deadline=None)
@given(st.sampled_from(MAPPINGS))
def test_an_added_key_is_named_with_those_there_are(drawn):
    name, at = drawn
    lines = refusal(edited(name, (*at, "qqq"), lambda holder, key: holder.__setitem__(key, 1)))
    assert any(line.startswith(f"study: {dotted((*at, 'qqq'))}: unknown key; there are ") for line in lines)


@effort(max_examples=200, deadline=None)
@given(st.sampled_from(KEYS))
def test_a_study_without_a_key_is_as_good_or_the_place_is_named(drawn):
    name, at = drawn
    study = edited(name, at, lambda holder, key: holder.pop(key))
    try:
        said = [read_study(study, PAPER).study]
    except StudyError as error:
        said = str(error).splitlines()
    assert said == [name] or is_named(at, said), said
