"""Reading a study: shipped studies, second files, `like`, and mistakes in one sentence each."""

import pytest
import yaml

from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan

from ...studies import CONFIG, message_of, settings, smoke, with_value


@pytest.mark.parametrize("name", ["quick", "smoke", "tour", "scratch", "paper", "large"])
def test_shipped_studies_are_valid_and_write_every_setting_out(name):
    study = read_study(settings(name))
    assert study.study == name
    assert Plan(study).runs


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("metods", {}, "metods: unknown key; did you mean methods?"),
        ("training.batchsize", 3, "training.batchsize: unknown key; did you mean batch_size?"),
        ("training.learning_rate", -1, "training.learning_rate: Input should be greater than 0 (it is -1)"),
        ("training.micro_batch_size", 5, "batch_size: 32 is not a multiple of micro_batch_size: 5"),
        ("sweep.k", [0, 7], "sweep.k: 7 exceeds the 3 thoughts of coconut on planning"),
        ("sweep.methods", ["coconot"], "coconot is not defined; did you mean coconut?"),
        ("sweep.methods", ["cot"], "cot has no thoughts to vary"),
        (
            "runs",
            [{"datasets": ["x"], "methods": ["cot"], "seeds": [1]}],
            "runs.0.datasets: x is not defined",
        ),
        ("runs", [{"datasets": ["planning"], "methods": ["icoat"], "seeds": [1]}], "icoat is not defined"),
        ("runs", [], "runs: Tuple should have at least 1 item"),
        ("study", "a/b", "study: String should match"),
        (
            "methods.cot.steps",
            "stage",
            "methods.cot.steps: Input should be 'kept', 'dropped', 'staged' or 'removed'",
        ),
        ("methods.cot.training", {"lr": 1}, "methods.cot.training.lr: unknown key"),
        ("methods.cot.schedule", {"c": -1}, "methods.cot.schedule.c: Input should be greater than or equal"),
        ("datasets.planning.schedule.epochs", [1], "epochs has 1 entries; with stages: 3 it needs 4, or 5"),
        ("datasets.planning.questions.concepts", 3, "nodes: 12 needs concepts: 10 or more"),
        ("datasets.planning.questions.nodez", 3, "datasets.planning.questions.nodez: unknown key"),
        ("datasets.planning.questions.source", "x", "does not match any of the expected tags"),
        ("datasets.planning.questions.sizes.test", 3, "sizes must be multiples of 4"),
        ("model", {"tokenizer": "words", "new_tokens": {"init": "random"}}, "either path or architecture"),
        ("model.tokenizer", "./nowhere", "./nowhere is not a folder"),
        ("model.new_tokens", {"init": "copy"}, "of: give a token with init: copy, and only then"),
        ("text.template", "prose", "text.facts_share_position: works only with template: symbols"),
    ],
)
def test_mistakes_are_one_sentence_that_names_the_key(key, value, message):
    assert message in message_of(with_value(settings("quick"), key, value))


def test_the_other_seeds_share_no_seed_with_the_shipped_ones():
    shipped, other = read_study(settings("quick")), read_study(settings("quick", "other_seeds"))
    for seeds_of in (
        lambda study: {seed for _, _, seed in Plan(study).runs},
        lambda study: set(study.base_seeds),
        lambda study: {study.datasets["planning"].questions.root.seed},
    ):
        assert not seeds_of(shipped) & seeds_of(other)
    assert {method for _, method, _ in Plan(shipped).runs} == {method for _, method, _ in Plan(other).runs}
    assert (shipped.training, shipped.methods) == (other.training, other.methods)


def test_a_second_file_may_change_the_data_and_leave_experiments_out():
    study = settings("paper")
    changed = {
        "runs": [{"datasets": ["word_problems"], "methods": ["icot", "coconut"], "seeds": [0]}],
        "sweep": study["sweep"] | {"datasets": ["word_problems"]},
        "comparisons": dict.fromkeys(study["comparisons"]),
        "clock": None, "probing": None, "decoding": None,
    }  # fmt: skip
    found = read_study(study | changed)
    assert found.comparisons == {}
    assert [spec.stage for spec in Plan(found).chain("word_problems", "coconut", 0)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["other_seeds", "balanced", "side_by_side", "findings/budget"])
def test_shipped_second_files_are_valid_over_the_quick_study(name):
    study = read_study(settings("quick", name))
    assert study.study != "quick"
    assert Plan(study).runs


def test_a_look_inside_adds_to_the_quick_study_and_changes_nothing_of_it():
    plan, quick = (Plan(read_study(settings(*names))) for names in (("quick", "inside"), ("quick",)))
    assert plan.results == quick.results
    assert plan.chains == quick.chains
    more = {"trace": 14, "linear": 9, "attend": 9, "remove": 5}
    assert {rule: len(runs) for rule, runs in plan.evaluated.items()} == {
        rule: more.get(rule, len(runs)) for rule, runs in quick.evaluated.items()
    }


def test_more_budget_for_cot_changes_nothing_else():
    plan, quick = (Plan(read_study(settings(*names))) for names in (("quick", "findings/budget"), ("quick",)))
    epochs = {name: plan.chain("planning", name, 1)[0].epochs for name in ("cot", "cot_2x", "cot_4x")}
    assert [epochs[name] / epochs["cot"] for name in epochs] == [1, 2, 4]
    for method in ("coconut", "cot"):
        assert plan.chain("planning", method, 2) == quick.chain("planning", method, 2)


def test_a_data_set_may_have_responses_of_its_own():
    """The paper's code allows 64 tokens on GSM8k and 128 on the other data sets."""
    plan = Plan(read_study(settings("paper")))
    for dataset, tokens in (("gsm8k", 64), ("prontoqa", 128), ("prosqa", 128)):
        run = next(run for run in plan.runs if run.dataset == dataset)
        assert plan.generation_spec(run).responding.max_new_tokens == tokens
        assert {spec.evaluation.max_new_tokens for spec in plan.chains[run]} == {tokens}


def test_icot_is_trained_as_by_its_authors():
    """Deng et al. (arXiv 2405.14838) for GPT-2 on GSM8k."""
    study = read_study(settings("paper"))
    training = study.training_of("icot")
    assert (training.learning_rate, training.batch_size, training.clip) == (5e-5, 32, 1.0)
    assert training.reset_optimizer == "removal"
    assert (study.training.batch_size, study.training.clip) == (128, None)


def test_a_missing_section_is_named():
    study = settings("quick")
    del study["model"]
    assert "model: is missing" in message_of(study)


def small(**changes):
    """The small study that config/README.md prints, with some sections laid over it."""
    text = (CONFIG / "README.md").read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    assert len(text.splitlines()) <= 15
    return settings() | yaml.safe_load(text) | changes


def test_a_study_of_fifteen_lines_trains_as_the_paper_does():
    study, paper = read_study(small()), read_study(settings("paper"))
    assert len(Plan(study).runs) == 6
    assert study.training.model_copy(update={"micro_batch_size": 64}) == paper.training
    assert (study.text, study.grading, study.tables) == (paper.text, paper.grading, paper.tables)
    assert (study.model.tokenizer, study.base_seeds) == (study.model.path, (0,))


def test_a_study_of_fifteen_lines_changes_one_setting_of_a_section():
    study = read_study(small(training={"learning_rate": 3e-4}))
    assert study.training == read_study(small()).training.model_copy(update={"learning_rate": 3e-4})


def test_a_method_with_another_model_has_the_tokenizer_of_that_model():
    other = {"like": "coconut", "title": "Other", "model": {"path": "someone/other"}}
    own = {"like": "coconut", "title": "Own", "model": {"path": "someone/other", "tokenizer": "someone/else"}}
    study = read_study(small(methods=settings()["methods"] | {"other": other, "own": own}))
    tokenizers = {name: study.model_of(name).tokenizer for name in ("coconut", "other", "own")}
    assert tokenizers == {"coconut": study.model.path, "other": "someone/other", "own": "someone/else"}


def test_a_new_model_has_a_tokenizer_of_the_words_of_the_questions():
    assert read_study(small(model={"architecture": {"model_type": "gpt2"}})).model.tokenizer == "words"


def test_a_variation_has_the_settings_of_the_other_but_for_its_own_and_the_papers_row():
    other = {"like": "coconut", "title": "Other", "markers": False}
    study = read_study(smoke(["other"], {"other": other}))
    ours, coconut = study.methods["other"], study.methods["coconut"]
    assert coconut.paper == "coconut"
    expected = coconut.model_copy(update={"title": "Other", "markers": False, "paper": None})
    assert ours == expected


def test_a_variation_may_stand_for_a_row_of_the_paper_itself():
    other = {"like": "coconut", "title": "Other", "paper": "coconut_c1"}
    assert read_study(smoke(["other"], {"other": other})).methods["other"].paper == "coconut_c1"


def test_what_both_say_of_a_section_is_merged():
    methods = {
        "one": {
            "like": "coconut",
            "title": "One",
            "training": {"learning_rate": 0.5, "mixing": {"probability": 0.1, "stages": "any"}},
            "schedule": {"c": 2, "epochs": [1, 2, 3]},
        },
        "two": {
            "like": "one",
            "title": "Two",
            "training": {"batch_size": 32, "mixing": {"probability": 0.9}},
            "schedule": {"epochs": [3, 2, 1]},
        },
    }
    study = read_study(smoke(["one", "two"], methods))
    assert study.methods["two"].training == {
        "learning_rate": 0.5, "batch_size": 32, "mixing": {"probability": 0.9, "stages": "any"},
    }  # fmt: skip
    assert study.methods["two"].schedule == {"c": 2, "epochs": [3, 2, 1]}
    assert study.methods["one"].training["mixing"] == {"probability": 0.1, "stages": "any"}
    assert study.training_of("two").mixing.probability == 0.9
    assert study.training_of("two").clip == study.training.clip
    assert study.schedule_of("balanced", "two").thoughts(2) == 4


def test_the_order_in_which_variations_are_written_does_not_matter():
    methods = {
        "a": {"like": "b", "title": "A"},
        "b": {"like": "cot", "title": "B", "training": {"batch_size": 32}},
    }
    assert read_study(smoke(["a"], methods)).training_of("a").batch_size == 32


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"a": {"like": "a", "title": "A"}}, "methods.a.like: leads back to its own method"),
        (
            {"a": {"like": "b", "title": "A"}, "b": {"like": "a", "title": "B"}},
            "like: leads back to its own method",
        ),
        (
            {"a": {"like": "coconot", "title": "A"}},
            "methods.a.like: coconot is not defined; did you mean coconut?",
        ),
        ({"a": {"like": "coconut", "title": "A", "marker": False}}, "methods.a.marker: unknown key"),
        ({"a": {"like": "coconut"}}, "methods.a.title: Coconut is already the title of coconut"),
    ],
)
def test_variations_of_nothing_are_refused(methods, message):
    assert message in message_of(smoke(["coconut", "a"], methods))


def test_a_variation_that_is_not_run_may_have_the_title_of_another():
    study = read_study(smoke(["coconut"], {"a": {"like": "coconut"}}))
    assert study.methods["a"].title == study.methods["coconut"].title
